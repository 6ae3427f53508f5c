"""What every resource can do, under the name that this package's modules know it by."""

from dynamic_providers.crud import Checked, Difference, Live, Resource, changed_keys, present

__all__ = ["Checked", "Difference", "Live", "Resource", "changed_keys", "present"]

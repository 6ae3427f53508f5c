"""Property values, under the name that this package's modules know them by."""

from dynamic_providers.values import UNKNOWN, Properties, contains_unknown, is_unknown, known, plain

__all__ = ["UNKNOWN", "Properties", "contains_unknown", "is_unknown", "known", "plain"]

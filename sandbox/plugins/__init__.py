"""Provider plugins for the sandbox: the official ones where they can be had, else stand-ins of ours.

The stand-ins speak the engine's own protocol, take the type tokens and property names of the official providers, and do
the real thing on real servers. They cover the kinds of resource that this project uses and refuse any other by name:

- :mod:`sandbox.plugins.kubernetes` - any object of an API server, by server-side apply, and releases of Helm
- :mod:`sandbox.plugins.postgresql` - roles, grants, databases, schemas, publications, replication slots
- :mod:`sandbox.plugins.snowflake` - warehouses, databases, schemas, roles, users, grants, monitors, network policies

A kind of resource of the last two is a table of :class:`~sandbox.plugins.resource.Field` and a few methods of SQL; what
an object of Kubernetes is, the API server knows.
"""

from sandbox.plugins.installation import PLUGINS, install

__all__ = ["PLUGINS", "install"]

"""What the platform needs of a Kubernetes cluster beyond what Pulumi's own provider does.

Where to start reading: ``resources`` for the program's side, ``release_guard`` for how drift inside a Helm release is
found and mended, ``port_forward`` for how a server inside the cluster is reached.
"""

from dynamic_providers.kubernetes.resources import ClusterIdentity, ObjectGuard, ReleaseGuard

__all__ = ["ClusterIdentity", "ObjectGuard", "ReleaseGuard"]

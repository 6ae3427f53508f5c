"""What the cluster says when it cannot run."""

from sandbox.errors import SandboxError


class ClusterError(SandboxError):
    """The Kubernetes cluster could not be started, or one of its programs ended: which, why, and what would help."""


class PortTakenError(ClusterError):
    """A program of the cluster could not listen on the port that was free a moment before."""

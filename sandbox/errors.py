"""What the sandbox says when it cannot do what was asked."""


class SandboxError(Exception):
    """One readable paragraph: what failed, why, and what to do about it. Holds no secret.

    SandboxError
    ├── ClusterError       the Kubernetes cluster could not be started, or one of its programs ended
    ├── PostgresError      the PostgreSQL server could not be made, started or reached
    ├── ServiceError       a service of the sandbox did not become ready
    └── ToolchainError     no working Pulumi or Kubernetes could be provided
    """


class ServiceError(SandboxError):
    """A service of the sandbox did not become ready."""

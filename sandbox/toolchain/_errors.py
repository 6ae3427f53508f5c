"""What the toolchain says when it cannot provide what was asked for."""

from sandbox.errors import SandboxError


class ToolchainError(SandboxError):
    """No working Pulumi or Kubernetes could be provided: which way failed, why, and what would help."""

"""What the toolchain says when it cannot provide Pulumi."""

from sandbox.errors import SandboxError


class ToolchainError(SandboxError):
    """No working Pulumi could be provided: which way failed, why, and what would help."""

"""Make a working Pulumi CLI available, with nothing but Python to start from.

The first of these that works: `pulumi` on PATH if new enough; the official release; a build from Go modules,
pinned in `go/pulumi/`. Python programs run on the official language host where the chosen Pulumi carries it, else
on `sandbox.language_host`. What was downloaded or built is kept outside the work tree (see `cache_root`) and found
again by the next run.

    toolchain = ensure(print)
    subprocess.run([toolchain.pulumi, "version"])
"""

from sandbox.toolchain._cache import cache_root
from sandbox.toolchain._ensure import Toolchain, ensure
from sandbox.toolchain._errors import ToolchainError

__all__ = ["Toolchain", "ToolchainError", "cache_root", "ensure"]

"""Make working programs available, with nothing but Python to start from: the Pulumi CLI, and a Kubernetes cluster's.

The first of these that works: what is on PATH if new enough; the official release; a build from Go modules, pinned in
`go/pulumi/` and `go/kubernetes/`. What was downloaded or built is kept outside the work tree (see `cache_root`) and
found again by the next run. Any number of runs may ask at once: one works, the others wait for it.

    toolchain = ensure(print)
    subprocess.run([toolchain.pulumi, "version"])

    kubernetes = ensure_kubernetes(print)
    subprocess.run([kubernetes.bin_dir / "kubectl", "version"])

Python programs run on Pulumi's official language host where the chosen Pulumi carries it, else on
`sandbox.language_host`.
"""

from sandbox.toolchain._cache import cache_root
from sandbox.toolchain._errors import ToolchainError
from sandbox.toolchain._kubernetes import KubernetesToolchain, ensure_kubernetes
from sandbox.toolchain._progress import numbered
from sandbox.toolchain._pulumi import Toolchain, ensure

__all__ = [
    "KubernetesToolchain",
    "Toolchain",
    "ToolchainError",
    "cache_root",
    "ensure",
    "ensure_kubernetes",
    "numbered",
]

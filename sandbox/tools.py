"""What a sandbox needs beside its servers: the Pulumi engine with its plugins, and the programs of a cluster."""

import shutil
from collections.abc import Callable
from pathlib import Path

from sandbox import own_cluster, toolchain
from sandbox.state import KubernetesState, PulumiState

Say = Callable[[str], None]

CLIENTS = ("kubectl", "helm")
"""What is used with a cluster that is not the sandbox's."""


def provide_pulumi(home: Path, say: Say, progress: Say) -> PulumiState:
    """Find, download or build Pulumi, which ``progress`` tells of, and put provider plugins into its ``home``.

    Raises:
        ToolchainError: no Pulumi can be had.
    """
    from sandbox import plugins  # here, because a sandbox without Pulumi should not need what it imports

    engine = toolchain.ensure(progress)
    say(f"{'pulumi':<10} {engine.origin:<13} {engine.pulumi} (language host for Python: {engine.language_host})")
    return PulumiState(
        pulumi=engine.pulumi,
        bin_dir=engine.bin_dir,
        origin=engine.origin,
        language_host=engine.language_host,
        plugins=dict(plugins.install(home, say)),
    )


def provide_kubernetes(say: Say, progress: Say) -> KubernetesState:
    """Find, download or build the programs of a cluster, which ``progress`` tells of.

    For your own cluster that is done only where you have no clients for it.

    Raises:
        SandboxError: your own cluster's kubeconfig cannot be used.
        ToolchainError: the programs cannot be had.
    """
    own = own_cluster.chosen()
    if own:
        say(f"{'kubernetes':<10} {'is your own':<13} {own_cluster.address(own):<24} {own_cluster.TITLE}")
        if all(shutil.which(program) for program in CLIENTS):
            return KubernetesState(bin_dir=None, origin="path", own=own)
    programs = toolchain.ensure_kubernetes(progress)
    return KubernetesState(bin_dir=programs.bin_dir, origin=programs.origin, own=own)

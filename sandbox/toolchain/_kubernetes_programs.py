"""The programs that make a cluster and talk to it: what each is built from, and which versions of it will do."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.toolchain._cache import cache_root
from sandbox.toolchain._progress import Say
from sandbox.toolchain._versions import KUBERNETES, Version, format_version, parse_version

ANSWER_TIMEOUT = 20.0
"""Seconds that asking a program for its version may take; a cold disk needs a few."""


@dataclass(frozen=True)
class Program:
    """A program: the Go module and the package in it that it is built from, and how to ask it for its version.

    Those on PATH are used from version `minimum` on, and before version `below` where there is one.
    """

    name: str
    module: str
    package: str
    version_arguments: Sequence[str]
    minimum: Version
    below: Version | None = None

    @property
    def pinned(self) -> Version:
        """The version that is downloaded or built."""
        return KUBERNETES.version_of(self.module)

    def version_at(self, path: Path) -> Version | None:
        """Ask the program at `path`; None where it does not answer."""
        command: list[str | Path] = [path, *self.version_arguments]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_TIMEOUT, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return parse_version(answer.stdout) if answer.returncode == 0 else None

    def accepts(self, version: Version) -> bool:
        """Tell whether a program on PATH of this version is used."""
        return self.minimum <= version and (self.below is None or version < self.below)

    @property
    def accepted(self) -> str:
        """What :meth:`accepts`, in words."""
        below = f" or newer, before {format_version(self.below)}" if self.below else " or newer"
        return format_version(self.minimum) + below


def _kubernetes(name: str, *version_arguments: str) -> Program:
    # 1.33: user namespaces in pods are on by default, which the stricter Pod Security checks know of.
    return Program(name, "k8s.io/kubernetes", f"k8s.io/kubernetes/cmd/{name}", version_arguments, (1, 33, 0))


SERVERS = (
    _kubernetes("kube-apiserver", "--version"),
    _kubernetes("kube-controller-manager", "--version"),
    _kubernetes("kube-scheduler", "--version"),
)
KUBECTL = _kubernetes("kubectl", "version", "--client")
ETCD = Program("etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3", ["--version"], (3, 5, 21))
"""The oldest is the one that Kubernetes 1.33 itself is tested with."""
KWOK = Program("kwok", "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwok", ["--version"], (0, 8, 0))
HELM = Program("helm", "helm.sh/helm/v3", "helm.sh/helm/v3/cmd/helm", ["version", "--short"], (3, 18, 0), (4, 0, 0))

PROGRAMS = (*SERVERS, KUBECTL, ETCD, KWOK, HELM)


def on_path(say: Say, environment: Mapping[str, str] = os.environ) -> dict[str, Path] | None:
    """Find all programs on PATH; None where one is missing or none that will do, saying why if it is a server.

    Folders of the cache are passed over: there an earlier call put what it made.
    """
    folders = environment.get("PATH", "").split(os.pathsep)
    elsewhere = [folder for folder in folders if folder and not Path(folder).is_relative_to(cache_root())]
    paths = {program.name: shutil.which(program.name, path=os.pathsep.join(elsewhere)) for program in PROGRAMS}
    found = {name: Path(path) for name, path in paths.items() if path is not None}
    if len(found) < len(paths):
        return None  # not worth a word: many people have kubectl and helm, few an API server
    versions: dict[str, Version] = {}
    for program in PROGRAMS:
        path, version = found[program.name], program.version_at(found[program.name])
        if version is None:
            say(f"{path} does not say its version; the Kubernetes on PATH is not used")
            return None
        if not program.accepts(version):
            say(
                f"{path} is version {format_version(version)}, {program.accepted} is needed; the Kubernetes on PATH "
                "is not used"
            )
            return None
        versions[program.name] = version
    if len({versions[server.name][:2] for server in SERVERS}) > 1:
        say("the Kubernetes servers on PATH are of different versions; they are not used")
        return None
    return found

"""Which Kubernetes is used: the choice, in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.toolchain import _kubernetes_programs, _kubernetes_release
from sandbox.toolchain._build import Build
from sandbox.toolchain._cache import digest, entry
from sandbox.toolchain._choice import Origin, Way, download_or_build
from sandbox.toolchain._errors import ToolchainError
from sandbox.toolchain._kubernetes_programs import HELM, KUBECTL, KWOK, PROGRAMS
from sandbox.toolchain._progress import Say
from sandbox.toolchain._versions import KUBERNETES, format_version

TITLE = f"Kubernetes {format_version(KUBECTL.pinned)}"
NAME = f"kubernetes-{format_version(KUBECTL.pinned)}"


def _stamps() -> dict[str, str]:
    """Give the values that the projects' own build scripts set.

    Without them, the servers say v0.0.0-master+$Format:%H$, and helm renders charts for Kubernetes 1.20.
    """
    major, minor, _ = KUBECTL.pinned
    numbers = {"Major": str(major), "Minor": str(minor)}
    kubernetes = {
        "gitVersion": f"v{format_version(KUBECTL.pinned)}",
        "gitCommit": "unknown",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        **{f"git{name}": value for name, value in numbers.items()},
    }
    return {
        **{
            f"k8s.io/{library}/version.{name}": value
            for library in ("component-base", "client-go/pkg")
            for name, value in kubernetes.items()
        },
        **{
            f"{HELM.module}/pkg/{package}.k8sVersion{name}": value
            for package in ("chartutil", "lint/rules")
            for name, value in numbers.items()
        },
        f"{HELM.module}/internal/version.version": f"v{format_version(HELM.pinned)}",
        f"{KWOK.module}/pkg/consts.Version": f"v{format_version(KWOK.pinned)}",
    }


BUILD = Build(
    title=f"{TITLE}, etcd, kwok and helm",
    module=KUBERNETES,
    programs={program.name: program.package for program in PROGRAMS},
    stamps=_stamps(),
    minutes=6,
)


@dataclass(frozen=True)
class KubernetesToolchain:
    """The programs of a cluster, all in the folder `bin_dir`.

    They are kube-apiserver, kube-controller-manager, kube-scheduler, etcd, kwok, kubectl and helm.
    """

    bin_dir: Path
    origin: Origin


def ensure_kubernetes(say: Say) -> KubernetesToolchain:
    """Find, download or build the programs of a cluster, saying what takes long.

    They are taken from PATH when all are there and new enough. A warm call does nothing but look. Raises ToolchainError
    where no way leads to working ones.
    """

    def download(destination: Path) -> None:
        _kubernetes_release.download(destination, say)
        _check(destination)

    def build(destination: Path) -> None:
        BUILD.make(destination, say)
        _check(destination)

    if installed := _kubernetes_programs.on_path(say):
        return KubernetesToolchain(_one_folder(installed, say), "path")
    versions = "\n".join(f"{program.name} {format_version(program.pinned)}" for program in PROGRAMS)
    folder, origin = download_or_build(
        TITLE,
        Way(f"{NAME}-{digest(versions)}-official", download),
        Way(f"{NAME}-{digest(*KUBERNETES.pins)}", build),
        say,
    )
    return KubernetesToolchain(folder, origin)


def _one_folder(programs: Mapping[str, Path], say: Say) -> Path:
    """Give the folder that has all programs: the one they are in, or one with links to them."""
    folders = {path.parent for path in programs.values()}
    if len(folders) == 1:
        return folders.pop()

    def link(destination: Path) -> None:
        for name, path in programs.items():
            (destination / name).symlink_to(path)

    return entry(f"kubernetes-links-{digest(*(str(path) for path in programs.values()))}", link, say)


def _check(folder: Path) -> None:
    for program in PROGRAMS:
        answered = program.version_at(folder / program.name)
        if answered != program.pinned:
            said = format_version(answered) if answered else "nothing"
            raise ToolchainError(
                f"{TITLE} was put together, but {program.name}, asked for its version, answers {said} and not "
                f"{format_version(program.pinned)}. Run again; if it stays so, report it with the output above."
            )

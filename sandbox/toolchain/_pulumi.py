"""Which Pulumi is used: the choice, in order."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.toolchain import _pulumi_installed, _pulumi_release
from sandbox.toolchain._build import Build
from sandbox.toolchain._cache import digest
from sandbox.toolchain._choice import Origin, Way, download_or_build
from sandbox.toolchain._errors import ToolchainError
from sandbox.toolchain._language_host import SDK_MODULE, folder_with
from sandbox.toolchain._progress import Say
from sandbox.toolchain._versions import PULUMI, format_version

PINNED = PULUMI.version_of("github.com/pulumi/pulumi/pkg/v3")
TITLE = f"Pulumi {format_version(PINNED)}"
NAME = f"pulumi-{format_version(PINNED)}"

BUILD = Build(
    title=TITLE,
    module=PULUMI,
    programs={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
    stamps={f"{SDK_MODULE}/go/common/version.Version": f"v{format_version(PINNED)}"},
    minutes=5,
)


@dataclass(frozen=True)
class Toolchain:
    """A working Pulumi. With `bin_dir` first on PATH, `pulumi` runs Python programs and dynamic providers."""

    bin_dir: Path
    pulumi: Path
    origin: Origin
    language_host: Literal["official", "own"]


def ensure(say: Say) -> Toolchain:
    """Find, download or build Pulumi, saying what takes long.

    A warm call does nothing but look: what an earlier call downloaded or built is found again before a download is
    tried. Raises ToolchainError where no way leads to a working Pulumi.
    """

    def download(destination: Path) -> None:
        _pulumi_release.download(PINNED, destination, say)
        _check(destination / "pulumi" / "pulumi")

    def build(destination: Path) -> None:
        BUILD.make(destination, say)
        _check(destination / "pulumi")

    if installed := _pulumi_installed.on_path(say):
        return _with_language_host(installed, "path", say)
    folder, origin = download_or_build(
        TITLE, Way(f"{NAME}-official", download), Way(f"{NAME}-{digest(*PULUMI.pins)}", build), say
    )
    pulumi = folder / "pulumi" / "pulumi" if origin == "download" else folder / "pulumi"
    return _with_language_host(pulumi, origin, say)


def _with_language_host(pulumi: Path, origin: Origin, say: Say) -> Toolchain:
    if official := _pulumi_installed.official_host_folder(pulumi):
        return Toolchain(official, pulumi, origin, "official")
    folder = folder_with(pulumi, f"toolchain-{format_version(PINNED)}", say)
    return Toolchain(folder, folder / "pulumi", origin, "own")


def _check(pulumi: Path) -> None:
    answered = _pulumi_installed.version_of(pulumi)
    if answered != PINNED:
        said = format_version(answered) if answered else "nothing"
        raise ToolchainError(
            f"{TITLE} was put together, but `pulumi version` answers {said}. "
            "Run again; if it stays so, report it with the output above."
        )

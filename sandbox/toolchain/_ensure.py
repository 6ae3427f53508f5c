"""Which Pulumi is used: the choice, in order."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.toolchain import _build, _installed, _release
from sandbox.toolchain._cache import cache_root, digest, entry
from sandbox.toolchain._errors import ToolchainError
from sandbox.toolchain._language_host import folder_with
from sandbox.toolchain._progress import Say
from sandbox.toolchain._versions import GO_MODULE, Version, format_version, pinned_pulumi

Origin = Literal["path", "download", "built"]


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
    version = pinned_pulumi()
    if installed := _installed.on_path(say):
        return _with_language_host(installed, "path", say)
    released, built = _released_name(version), _built_name(version)
    if (cache_root() / built).exists() or not _release_in_cache(version, say):
        folder = entry(built, lambda destination: _build_checked(version, destination, say), say)
        return _with_language_host(folder / "pulumi", "built", say)
    return _with_language_host(cache_root() / released / "pulumi" / "pulumi", "download", say)


def _with_language_host(pulumi: Path, origin: Origin, say: Say) -> Toolchain:
    if official := _installed.official_host_folder(pulumi):
        return Toolchain(official, pulumi, origin, "official")
    folder = folder_with(pulumi, f"toolchain-{format_version(pinned_pulumi())}", say)
    return Toolchain(folder, folder / "pulumi", origin, "own")


def _release_in_cache(version: Version, say: Say) -> bool:
    """Download the official release where it is not in the cache yet; false where that is not possible."""

    def download(destination: Path) -> None:
        _release.download(version, destination, say)
        _check(destination / "pulumi" / "pulumi", version)

    try:
        entry(_released_name(version), download, say)
    except (_release.ReleaseUnavailableError, ToolchainError) as error:
        say(f"the official Pulumi {format_version(version)} is not used: {error}")
        return False
    return True


def _build_checked(version: Version, destination: Path, say: Say) -> None:
    _build.build_pulumi(version, destination, say)
    _check(destination / "pulumi", version)


def _check(pulumi: Path, expected: Version) -> None:
    answered = _installed.version_of(pulumi)
    if answered != expected:
        said = format_version(answered) if answered else "nothing"
        raise ToolchainError(
            f"Pulumi {format_version(expected)} was put together, but `pulumi version` answers {said}. "
            "Run again; if it stays so, report it with the output above."
        )


def _released_name(version: Version) -> str:
    return f"pulumi-{format_version(version)}-official"


def _built_name(version: Version) -> str:
    pins = [(GO_MODULE / name).read_bytes() for name in ("go.mod", "go.sum")]
    return f"pulumi-{format_version(version)}-{digest(*pins)}"

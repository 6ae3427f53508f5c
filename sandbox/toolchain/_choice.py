"""What is not installed is downloaded, or else built: the same order for every toolchain."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.toolchain._cache import cache_root, entry
from sandbox.toolchain._download import ReleaseUnavailableError
from sandbox.toolchain._errors import ToolchainError
from sandbox.toolchain._progress import Say

Origin = Literal["path", "download", "built"]


@dataclass(frozen=True)
class Way:
    """A way to fill the cache entry `name`. `make` fills the empty folder it is given, and checks what is in it then.

    `make` raises ToolchainError, and the way of a download ReleaseUnavailableError too.
    """

    name: str
    make: Callable[[Path], None]


def download_or_build(title: str, download: Way, build: Way, say: Say) -> tuple[Path, Origin]:
    """Give the cache entry with the official release of `title`, or else the one that is built.

    What an earlier call built is found again before a download is tried. Raises ToolchainError where neither works.
    """
    if not (cache_root() / build.name).exists():
        try:
            return entry(download.name, download.make, say), "download"
        except (ReleaseUnavailableError, ToolchainError) as error:
            say(f"the official {title} is not used: {error}")
    return entry(build.name, build.make, say), "built"

"""The cache outside the work tree: what is in it is whole, made once, and survives checkouts.

An entry is a folder. It is made under a temporary name beside its own and renamed when finished, so an entry that
exists is complete, whatever was killed. A lock file for each entry lets one process make it while others wait.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sandbox.toolchain._errors import ToolchainError
from sandbox.toolchain._progress import Say, heartbeat

TAG = """Signature: 8a477f597d28d172789f06886806bc55
# This folder was created by airbyte-as-code and may be removed at any time; `make clean` removes it.
# Backup programs skip it: see https://bford.info/cachedir/
"""


def cache_root(environment: Mapping[str, str] = os.environ) -> Path:
    """Give the cache folder: `$AIRBYTE_AS_CODE_CACHE`, else `airbyte-as-code` in the user's cache folder."""
    if chosen := environment.get("AIRBYTE_AS_CODE_CACHE"):
        return Path(chosen).absolute()
    base = environment.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "airbyte-as-code"


def entry(name: str, make: Callable[[Path], None], say: Say) -> Path:
    """Return the entry `name`, made by `make` (which fills the empty folder it is given) where it is not there yet.

    Raises ToolchainError where the cache cannot be written, and whatever `make` raises; nothing is left then.
    """
    path = cache_root() / name
    if path.exists():
        return path
    try:
        root = _prepare_root()
        with _lock(root / f"{name}.lock", say):
            if not path.exists():
                _remove_leftovers(root, name)
                _make(path, make)
    except OSError as error:
        raise ToolchainError(
            f"Could not write to the cache folder {cache_root()}: {error}. Make it writable, or set "
            "AIRBYTE_AS_CODE_CACHE to a folder that is."
        ) from error
    return path


def digest(*parts: str | bytes) -> str:
    """Give a short name for these contents; it changes when any of them does."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8) + data)
    return total.hexdigest()[:12]


def _prepare_root() -> Path:
    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    tag = root / "CACHEDIR.TAG"
    if not tag.exists():
        tag.write_text(TAG, encoding="utf-8")
    return root


@contextmanager
def _lock(path: Path, say: Say) -> Iterator[None]:
    """Hold the lock file `path`; the system releases it when this process ends, however it ends."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting = f"another run is making {path.stem}; waiting for it"
            say(waiting)
            with heartbeat(say, lambda: waiting):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(path: Path, make: Callable[[Path], None]) -> None:
    unfinished = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        make(unfinished)
        unfinished.chmod(0o755)
        unfinished.rename(path)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _remove_leftovers(root: Path, name: str) -> None:
    """Remove what killed runs left; nobody else is making this entry while the lock is held."""
    for leftover in root.glob(f".{name}.*"):
        shutil.rmtree(leftover, ignore_errors=True)

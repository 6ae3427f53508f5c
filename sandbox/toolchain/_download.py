"""Published files: downloaded where they can be reached, and only used if their checksum agrees."""

import hashlib
import platform
import queue
import tarfile
import threading
from collections.abc import Mapping
from pathlib import Path

import httpx

from sandbox.toolchain._progress import Say, heartbeat

TIMEOUT = httpx.Timeout(20.0, connect=3.0)
REACH_TIMEOUT = 6.0
"""Most seconds spent to find out whether a server can be reached. Looking up a host name has no time limit of its own,
so the whole first request has."""


class ReleaseUnavailableError(Exception):
    """A release cannot be had here; says why."""


def system_and_machine(machines: Mapping[str, str]) -> tuple[str, str]:
    """Name this system, and this machine in the words of a project whose names for them are given.

    Raises ReleaseUnavailableError where there is no name.
    """
    system, machine = platform.system().lower(), platform.machine().lower()
    if system not in {"linux", "darwin"} or machine not in machines:
        raise ReleaseUnavailableError(f"there is no release for {system} on {machine}")
    return system, machines[machine]


def fetch_text(url: str) -> str:
    """Get a short text. Raises ReleaseUnavailableError, after a few seconds and without a second try."""
    answers: queue.Queue[str | Exception] = queue.Queue()

    def fetch() -> None:
        try:
            answers.put(httpx.get(url, timeout=TIMEOUT, follow_redirects=True).raise_for_status().text)
        except Exception as error:  # also what a malformed proxy setting raises: whatever it is, there is no release
            answers.put(error)

    threading.Thread(target=fetch, daemon=True).start()
    try:
        answer = answers.get(timeout=REACH_TIMEOUT)
    except queue.Empty:
        raise ReleaseUnavailableError(f"{httpx.URL(url).host} did not answer in {REACH_TIMEOUT:.0f} s") from None
    if isinstance(answer, Exception):
        raise ReleaseUnavailableError(f"{httpx.URL(url).host} cannot be reached ({answer})") from answer
    return answer


def checksum_of(name: str, checksums: str) -> str:
    """Find the SHA-256 of file `name` in what `sha256sum` printed. Raises ReleaseUnavailableError without one."""
    for line in checksums.splitlines():
        checksum, _, named = line.partition(" ")
        if named.strip() == name:
            return checksum
    raise ReleaseUnavailableError(f"the published checksums do not name {name}")


def fetch(url: str, file: Path, checksum: str, say: Say) -> None:
    """Download `url` to `file`, whose SHA-256 has to be `checksum`. Raises ReleaseUnavailableError."""
    name = url.rpartition("/")[2]
    say(f"downloading {name}")
    try:
        actual = _fetch(url, file, say)
    except httpx.HTTPError as error:
        raise ReleaseUnavailableError(f"the download of {name} broke off: {error}") from error
    if actual != checksum:
        raise ReleaseUnavailableError(f"{name} was refused: its SHA-256 is {actual}, the published one {checksum}")


def unpack(archive: Path, destination: Path) -> None:
    """Unpack a tar archive that :func:`fetch` checked, and delete it."""
    with tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)  # not in Python before 3.11.4
        tar.extractall(destination)  # noqa: S202 - the archive is the published one
    archive.unlink()


def _fetch(url: str, file: Path, say: Say) -> str:
    """Download `url` to `file`; its SHA-256 in hexadecimal."""
    total = hashlib.sha256()
    with httpx.stream("GET", url, timeout=TIMEOUT, follow_redirects=True) as response, file.open("wb") as out:
        response.raise_for_status()
        size = int(response.headers.get("content-length", 0))

        def progress() -> str:
            return f"downloading {file.name}: {response.num_bytes_downloaded >> 20} of {size >> 20} MB"

        with heartbeat(say, progress):
            for chunk in response.iter_bytes():
                total.update(chunk)
                out.write(chunk)
    return total.hexdigest()

"""The official release of Pulumi: downloaded where it can be reached, and only used if its checksum agrees.

Addresses as in https://www.pulumi.com/docs/iac/download-install/versions/.
"""

import hashlib
import platform
import queue
import tarfile
import threading
from pathlib import Path

import httpx

from sandbox.toolchain._progress import Say, heartbeat
from sandbox.toolchain._versions import Version, format_version

RELEASES = "https://get.pulumi.com/releases/sdk"

TIMEOUT = httpx.Timeout(20.0, connect=3.0)
REACH_TIMEOUT = 6.0
"""Most seconds spent to find out whether the release can be reached. Looking up a host name has no time limit of its
own, so the whole first request has."""

ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


class ReleaseUnavailableError(Exception):
    """The release cannot be had here; says why."""


def archive_name(version: Version) -> str:
    """Name the release archive for this machine. Raises ReleaseUnavailableError where there is none."""
    system, machine = platform.system().lower(), platform.machine().lower()
    if system not in {"linux", "darwin"} or machine not in ARCHITECTURES:
        raise ReleaseUnavailableError(f"there is no release for {system} on {machine}")
    return f"pulumi-v{format_version(version)}-{system}-{ARCHITECTURES[machine]}.tar.gz"


def download(version: Version, destination: Path, say: Say) -> None:
    """Unpack release `version` into `destination`: its programs are in the folder `pulumi` there.

    Raises ReleaseUnavailableError where it cannot be reached, after a few seconds and without a second try, or where
    the archive is not the one its checksum file names.
    """
    archive = archive_name(version)
    checksums = _fetch_checksums(f"{RELEASES}/pulumi-{format_version(version)}-checksums.txt")
    checksum = _checksum_of(archive, checksums)
    say(f"downloading {archive}")
    file = destination / archive
    try:
        actual = _fetch(f"{RELEASES}/{archive}", file, say)
    except httpx.HTTPError as error:
        raise ReleaseUnavailableError(f"the download of {archive} broke off: {error}") from error
    if actual != checksum:
        raise ReleaseUnavailableError(f"{archive} was refused: its SHA-256 is {actual}, the published one {checksum}")
    with tarfile.open(file) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)  # not in Python before 3.11.4
        tar.extractall(destination)  # noqa: S202 - the archive is the published one
    file.unlink()


def _fetch_checksums(url: str) -> str:
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


def _checksum_of(archive: str, checksums: str) -> str:
    for line in checksums.splitlines():
        checksum, _, name = line.partition(" ")
        if name.strip() == archive:
            return checksum
    raise ReleaseUnavailableError(f"the published checksums do not name {archive}")


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

"""The official release of Pulumi.

Addresses as in https://www.pulumi.com/docs/iac/download-install/versions/.
"""

from pathlib import Path

from sandbox.toolchain import _download
from sandbox.toolchain._progress import Say
from sandbox.toolchain._versions import Version, format_version

RELEASES = "https://get.pulumi.com/releases/sdk"
MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def archive_name(version: Version) -> str:
    """Name the release archive for this machine. Raises ReleaseUnavailableError where there is none."""
    system, machine = _download.system_and_machine(MACHINES)
    return f"pulumi-v{format_version(version)}-{system}-{machine}.tar.gz"


def download(version: Version, destination: Path, say: Say) -> None:
    """Unpack release `version` into `destination`: its programs are in the folder `pulumi` there.

    Raises ReleaseUnavailableError where it cannot be reached, after a few seconds and without a second try, or where
    the archive is not the one its checksum file names.
    """
    archive = archive_name(version)
    checksums = _download.fetch_text(f"{RELEASES}/pulumi-{format_version(version)}-checksums.txt")
    file = destination / archive
    _download.fetch(f"{RELEASES}/{archive}", file, _download.checksum_of(archive, checksums), say)
    _download.unpack(file, destination)

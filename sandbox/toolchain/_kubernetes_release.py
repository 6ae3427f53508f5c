"""The official releases of the programs that make a cluster.

Addresses as in https://kubernetes.io/releases/download/, https://helm.sh/docs/intro/install/ and the release notes of
etcd and kwok. A release of kwok has no file of checksums: GitHub itself tells the digests of its files.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from sandbox.toolchain import _download
from sandbox.toolchain._download import ReleaseUnavailableError
from sandbox.toolchain._kubernetes_programs import ETCD, HELM, KUBECTL, KWOK, SERVERS, Program
from sandbox.toolchain._progress import Say
from sandbox.toolchain._versions import format_version

KUBERNETES_FILES = "https://dl.k8s.io/release"
HELM_FILES = "https://get.helm.sh"
GITHUB = "https://github.com"
GITHUB_API = "https://api.github.com"
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def download(destination: Path, say: Say) -> None:
    """Put all programs into the folder `destination`.

    Raises ReleaseUnavailableError where one cannot be reached, after a few seconds and without a second try, or where
    a file is not the one its checksum names.
    """
    system, machine = _download.system_and_machine(MACHINES)
    if system != "linux":
        raise ReleaseUnavailableError(f"there is no release of the Kubernetes servers for {system}")
    # Everything is asked for before anything is downloaded: some hundred megabytes would be for nothing.
    steps = [
        *(_program_of_kubernetes(program, machine) for program in (*SERVERS, KUBECTL)),
        _etcd(machine),
        _kwok(machine),
        _helm(machine),
    ]
    for step in steps:
        step(destination, say)


Step = Callable[[Path, Say], None]
"""Downloads a program into a folder."""


def _program_of_kubernetes(program: Program, machine: str) -> Step:
    url = f"{KUBERNETES_FILES}/{_tag(program)}/bin/linux/{machine}/{program.name}"
    return _single_file(program, url, _download.fetch_text(f"{url}.sha256").strip())


def _kwok(machine: str) -> Step:
    file = f"kwok-linux-{machine}"
    release = f"{GITHUB_API}/repos/kubernetes-sigs/kwok/releases/tags/{_tag(KWOK)}"
    try:
        digests = {asset["name"]: str(asset["digest"]) for asset in json.loads(_download.fetch_text(release))["assets"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ReleaseUnavailableError(f"{release} does not answer as expected") from error
    kind, _, checksum = digests.get(file, "").partition(":")
    if kind != "sha256":
        raise ReleaseUnavailableError(f"{release} names no SHA-256 of {file}")
    return _single_file(KWOK, f"{GITHUB}/kubernetes-sigs/kwok/releases/download/{_tag(KWOK)}/{file}", checksum)


def _etcd(machine: str) -> Step:
    folder = f"etcd-{_tag(ETCD)}-linux-{machine}"
    base = f"{GITHUB}/etcd-io/etcd/releases/download/{_tag(ETCD)}"
    checksum = _download.checksum_of(f"{folder}.tar.gz", _download.fetch_text(f"{base}/SHA256SUMS"))
    return _from_archive(f"{base}/{folder}.tar.gz", checksum, f"{folder}/etcd")


def _helm(machine: str) -> Step:
    archive = f"helm-{_tag(HELM)}-linux-{machine}.tar.gz"
    checksum = _download.checksum_of(archive, _download.fetch_text(f"{HELM_FILES}/{archive}.sha256sum"))
    return _from_archive(f"{HELM_FILES}/{archive}", checksum, f"linux-{machine}/helm")


def _single_file(program: Program, url: str, checksum: str) -> Step:
    def step(destination: Path, say: Say) -> None:
        file = destination / program.name
        _download.fetch(url, file, checksum, say)
        file.chmod(0o755)

    return step


def _from_archive(url: str, checksum: str, member: str) -> Step:
    """Download an archive and keep one file of it."""

    def step(destination: Path, say: Say) -> None:
        unpacked = destination / ".unpacked"
        unpacked.mkdir()
        archive = unpacked / "archive.tar.gz"
        _download.fetch(url, archive, checksum, say)
        _download.unpack(archive, unpacked)
        (unpacked / member).rename(destination / Path(member).name)
        shutil.rmtree(unpacked)

    return step


def _tag(program: Program) -> str:
    return f"v{format_version(program.pinned)}"

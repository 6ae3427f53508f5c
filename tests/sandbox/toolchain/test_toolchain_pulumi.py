"""Which Pulumi is chosen, on fake programs: each answers `pulumi version` and nothing else."""

import io
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.toolchain import ToolchainError, _language_host, _pulumi_release, ensure
from sandbox.toolchain._build import Build
from sandbox.toolchain._pulumi import PINNED as PINNED_VERSION
from sandbox.toolchain._versions import format_version

PINNED = format_version(PINNED_VERSION)

Script = Callable[[Path, str], Path]


@pytest.fixture(autouse=True)
def machine(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Pulumi or Go, that reaches no server."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(_pulumi_release, "RELEASES", "http://127.0.0.1:1/releases")

    def fetch(destination: Path, _: object) -> None:
        for name in ("pulumi-language-python-exec", "pulumi-resource-pulumi-python"):
            (destination / name).write_text(name)

    monkeypatch.setattr(_language_host, "fetch_python_programs", fetch)


@pytest.fixture
def builds(script: Script, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The builds that were made, each in an instant."""
    made: list[Path] = []

    def build(_: Build, destination: Path, __: object) -> None:
        script(destination / "pulumi", f"echo v{PINNED}")
        made.append(destination)

    monkeypatch.setattr(Build, "make", build)
    return made


@pytest.fixture
def releases(tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server of releases that has the pinned one; its folder."""
    folder = tmp_path / "releases"
    script(folder / "pulumi" / "pulumi", f"echo v{PINNED}")
    for program in ("pulumi-language-python", "pulumi-language-python-exec"):
        script(folder / "pulumi" / program, "exit 0")
    archive = folder / _pulumi_release.archive_name(PINNED_VERSION)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder / "pulumi", "pulumi")
    checksum = sha256(archive.read_bytes()).hexdigest()
    (folder / f"pulumi-{PINNED}-checksums.txt").write_text(f"{'0' * 64}  other.tar.gz\n{checksum}  {archive.name}\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(_pulumi_release, "RELEASES", f"http://127.0.0.1:{server.server_port}")
        yield folder
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: the test's output is not a server's log."""


def put_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_new_enough_pulumi_on_path_is_used_with_the_official_host_beside_it(
    tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    pulumi = script(tmp_path / "bin" / "pulumi", "echo v3.227.0")
    script(tmp_path / "bin" / "pulumi-language-python", "exit 0")
    script(tmp_path / "bin" / "pulumi-language-python-exec", "exit 0")
    put_on_path(pulumi.parent, monkeypatch)

    toolchain = ensure(said.append)

    assert (toolchain.origin, toolchain.language_host) == ("path", "official")
    assert (toolchain.pulumi, toolchain.bin_dir) == (pulumi, pulumi.parent)


def test_a_pulumi_on_path_without_a_python_host_gets_ours(
    tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    pulumi = script(tmp_path / "bin" / "pulumi", "echo v3.300.1")
    put_on_path(pulumi.parent, monkeypatch)

    toolchain = ensure(said.append)

    assert (toolchain.origin, toolchain.language_host) == ("path", "own")
    assert toolchain.pulumi.resolve() == pulumi
    assert (toolchain.bin_dir / "pulumi-language-python").exists()


@pytest.mark.parametrize("answer", ["echo v3.226.0", "echo not a version", "exit 1"])
def test_an_old_or_broken_pulumi_on_path_is_passed_over(
    answer: str, tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch, said: list[str], builds: list[Path]
) -> None:
    pulumi = script(tmp_path / "bin" / "pulumi", answer)
    put_on_path(pulumi.parent, monkeypatch)

    assert ensure(said.append).origin == "built"
    assert any(str(pulumi) in line and "not used" in line for line in said)


def test_without_pulumi_on_path_the_release_is_downloaded_once(
    releases: Path, said: list[str], builds: list[Path]
) -> None:
    first = ensure(said.append)
    shutil.rmtree(releases)
    second = ensure(said.append)

    assert first == second
    assert (first.origin, first.language_host, builds) == ("download", "official", [])


def test_a_release_with_the_wrong_checksum_is_refused_and_pulumi_is_built(
    releases: Path, said: list[str], builds: list[Path]
) -> None:
    archive = releases / _pulumi_release.archive_name(PINNED_VERSION)
    archive.write_bytes(archive.read_bytes() + b"tampered")

    assert ensure(said.append).origin == "built"
    assert any("was refused" in line for line in said)


def test_a_release_that_answers_another_version_is_refused(releases: Path, said: list[str], builds: list[Path]) -> None:
    archive = releases / _pulumi_release.archive_name(PINNED_VERSION)
    with tarfile.open(archive, "w:gz") as tar:
        program = b"#!/bin/sh\necho v3.1.0\n"
        entry = tarfile.TarInfo("pulumi/pulumi")
        entry.size, entry.mode = len(program), 0o755
        tar.addfile(entry, io.BytesIO(program))
    checksum = sha256(archive.read_bytes()).hexdigest()
    (releases / f"pulumi-{PINNED}-checksums.txt").write_text(f"{checksum}  {archive.name}\n")

    assert ensure(said.append).origin == "built"
    assert any("answers 3.1.0" in line for line in said)


def test_where_no_release_can_be_reached_pulumi_is_built_once(said: list[str], builds: list[Path]) -> None:
    first = ensure(said.append)
    said.clear()
    second = ensure(said.append)

    assert first == second
    assert (first.origin, first.language_host, len(builds)) == ("built", "own", 1)
    assert said == [], "a warm call only looks"


def test_what_an_earlier_call_put_on_path_is_not_taken_for_an_installed_pulumi(
    monkeypatch: pytest.MonkeyPatch, said: list[str], builds: list[Path]
) -> None:
    first = ensure(said.append)
    put_on_path(first.bin_dir, monkeypatch)

    assert ensure(said.append) == first


def test_our_host_folder_holds_all_that_the_engine_looks_for(said: list[str], builds: list[Path]) -> None:
    toolchain = ensure(said.append)

    assert {path.name for path in toolchain.bin_dir.iterdir()} == {
        "pulumi",
        "pulumi-language-python",
        "pulumi-language-python.pyz",
        "pulumi-language-python-exec",
        "pulumi-resource-pulumi-python",
    }


def test_a_build_that_answers_another_version_is_not_kept(
    cache: Path, script: Script, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    def build(_: Build, destination: Path, __: object) -> None:
        script(destination / "pulumi", "echo v0.0.1")

    monkeypatch.setattr(Build, "make", build)

    with pytest.raises(ToolchainError, match=r"answers 0\.0\.1"):
        ensure(said.append)
    assert [path.name for path in cache.iterdir() if path.is_dir()] == []

"""Which Kubernetes is chosen, on fake programs: each says its version and does nothing else."""

import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.toolchain import KubernetesToolchain, ToolchainError, _download, _kubernetes_release, ensure_kubernetes
from sandbox.toolchain._build import Build
from sandbox.toolchain._kubernetes import BUILD
from sandbox.toolchain._kubernetes_programs import ETCD, HELM, KWOK, PROGRAMS, Program
from sandbox.toolchain._versions import format_version

Script = Callable[[Path, str], Path]

NOWHERE = "http://127.0.0.1:1"


def says(program: Program, version: str | None = None) -> str:
    """The body of a fake: it answers only to the question that the real one is asked for its version."""
    return f'[ "$*" = "{" ".join(program.version_arguments)}" ] && echo v{version or format_version(program.pinned)}'


@pytest.fixture(autouse=True)
def machine(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Linux machine without Kubernetes or Go, that reaches no server."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    for name in ("KUBERNETES_FILES", "HELM_FILES", "GITHUB", "GITHUB_API"):
        monkeypatch.setattr(_kubernetes_release, name, NOWHERE)


@pytest.fixture
def builds(script: Script, monkeypatch: pytest.MonkeyPatch) -> list[Build]:
    """The builds that were made, each in an instant."""
    made: list[Build] = []

    def make(build: Build, destination: Path, _: object) -> None:
        for program in PROGRAMS:
            script(destination / program.name, says(program))
        made.append(build)

    monkeypatch.setattr(Build, "make", make)
    return made


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: the test's output is not a server's log."""


def text(program: Program, version: str | None = None) -> bytes:
    return f"#!/bin/sh\n{says(program, version)}\n".encode()


def archive(member: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo(member)
        entry.size, entry.mode = len(content), 0o755
        tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def publish(folder: Path, helm_version: str | None = None) -> None:
    """Lay out all releases under one address, as their projects do under theirs."""

    def write(path: str, content: bytes) -> str:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return sha256(content).hexdigest()

    for program in PROGRAMS:
        tag = f"v{format_version(program.pinned)}"
        if program == ETCD:
            name = f"etcd-{tag}-linux-amd64"
            base = f"etcd-io/etcd/releases/download/{tag}"
            checksum = write(f"{base}/{name}.tar.gz", archive(f"{name}/etcd", text(ETCD)))
            write(f"{base}/SHA256SUMS", f"{'0' * 64}  other.tar.gz\n{checksum}  {name}.tar.gz\n".encode())
        elif program == HELM:
            name = f"helm-{tag}-linux-amd64.tar.gz"
            checksum = write(name, archive("linux-amd64/helm", text(HELM, helm_version)))
            write(f"{name}.sha256sum", f"{checksum}  {name}\n".encode())
        elif program == KWOK:
            name = "kwok-linux-amd64"
            checksum = write(f"kubernetes-sigs/kwok/releases/download/{tag}/{name}", text(KWOK))
            assets = [{"name": "kwok-linux-arm64", "digest": None}, {"name": name, "digest": f"sha256:{checksum}"}]
            write(f"repos/kubernetes-sigs/kwok/releases/tags/{tag}", json.dumps({"assets": assets}).encode())
        else:
            checksum = write(f"{tag}/bin/linux/amd64/{program.name}", text(program))
            write(f"{tag}/bin/linux/amd64/{program.name}.sha256", checksum.encode())


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server that has all releases; its folder."""
    folder = tmp_path / "releases"
    publish(folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in ("KUBERNETES_FILES", "HELM_FILES", "GITHUB", "GITHUB_API"):
            monkeypatch.setattr(_kubernetes_release, name, f"http://127.0.0.1:{server.server_port}")
        yield folder
        server.shutdown()


def install(folder: Path, script: Script, **versions: str) -> None:
    """Put fakes of all programs into a folder, of the pinned versions unless others are given."""
    for program in PROGRAMS:
        script(folder / program.name, says(program, versions.get(program.name.replace("-", "_"))))


def names(toolchain: KubernetesToolchain) -> set[str]:
    return {path.name for path in toolchain.bin_dir.iterdir()}


def test_programs_on_path_are_used_when_all_are_there_and_new_enough(
    tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    install(tmp_path / "bin", script)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")

    assert ensure_kubernetes(said.append) == KubernetesToolchain(tmp_path / "bin", "path")
    assert said == []


def test_programs_in_several_folders_of_path_are_linked_into_one(
    tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    install(tmp_path / "one", script)
    (tmp_path / "two").mkdir()
    (tmp_path / "one" / "kubectl").rename(tmp_path / "two" / "kubectl")
    monkeypatch.setenv("PATH", f"{tmp_path / 'one'}:{tmp_path / 'two'}:/usr/bin:/bin")

    toolchain = ensure_kubernetes(said.append)

    assert (toolchain.origin, names(toolchain)) == ("path", {program.name for program in PROGRAMS})
    assert (toolchain.bin_dir / "kubectl").resolve() == tmp_path / "two" / "kubectl"


@pytest.mark.parametrize(
    ("versions", "why"),
    [
        ({"kube_apiserver": "1.32.9"}, "kube-apiserver is version 1.32.9, 1.33.0 or newer is needed"),
        ({"helm": "4.0.1"}, "helm is version 4.0.1, 3.18.0 or newer, before 4.0.0 is needed"),
        ({"kube_scheduler": "1.35.0"}, "are of different versions"),
        ({"etcd": "unknown"}, "etcd does not say its version"),
    ],
)
def test_programs_on_path_that_will_not_do_are_passed_over_and_said(
    versions: dict[str, str],
    why: str,
    tmp_path: Path,
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
    said: list[str],
    builds: list[Build],
) -> None:
    install(tmp_path / "bin", script, **versions)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")

    assert ensure_kubernetes(said.append).origin == "built"
    assert why in said[0]


def test_a_kubectl_alone_on_path_is_not_worth_a_word(
    tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch, said: list[str], releases: Path
) -> None:
    script(tmp_path / "bin" / "kubectl", "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")

    assert ensure_kubernetes(said.append).origin == "download"
    assert all(line.startswith("downloading ") for line in said)


def test_releases_are_downloaded_once(releases: Path, said: list[str], builds: list[Build]) -> None:
    first = ensure_kubernetes(said.append)
    (releases / "repos").rename(releases / "gone")
    second = ensure_kubernetes(said.append)

    assert first == second
    assert (first.origin, builds) == ("download", [])
    assert names(first) == {program.name for program in PROGRAMS}
    assert all(program.version_at(first.bin_dir / program.name) == program.pinned for program in PROGRAMS)


@pytest.mark.parametrize("file", ["**/kube-scheduler", "**/etcd-*.tar.gz", "**/kwok-linux-amd64", "helm-*.tar.gz"])
def test_a_release_with_the_wrong_checksum_is_refused_and_everything_is_built(
    file: str, releases: Path, said: list[str], builds: list[Build]
) -> None:
    (tampered,) = releases.glob(file)
    tampered.write_bytes(tampered.read_bytes() + b"tampered")

    assert ensure_kubernetes(said.append).origin == "built"
    assert any("was refused" in line for line in said)


def test_a_release_without_a_digest_is_not_used_and_nothing_is_downloaded_for_nothing(
    releases: Path, said: list[str], builds: list[Build]
) -> None:
    (release,) = releases.glob("repos/**/tags/*")
    release.write_text(json.dumps({"assets": [{"name": "kwok-linux-amd64", "digest": None}]}))

    assert ensure_kubernetes(said.append).origin == "built"
    assert any("names no SHA-256 of kwok-linux-amd64" in line for line in said)
    assert not any(line.startswith("downloading ") for line in said)


def test_a_release_that_says_another_version_is_refused(releases: Path, said: list[str], builds: list[Build]) -> None:
    publish(releases, helm_version="3.1.0")

    assert ensure_kubernetes(said.append).origin == "built"
    assert any("helm, asked for its version, answers 3.1.0" in line for line in said)


def test_there_are_no_servers_for_a_mac_so_they_are_built(
    releases: Path, monkeypatch: pytest.MonkeyPatch, said: list[str], builds: list[Build]
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")

    assert ensure_kubernetes(said.append).origin == "built"
    assert "no release of the Kubernetes servers for darwin" in said[0]


def test_where_no_release_can_be_reached_everything_is_built_once(said: list[str], builds: list[Build]) -> None:
    first = ensure_kubernetes(said.append)
    said.clear()
    second = ensure_kubernetes(said.append)

    assert (first, len(builds)) == (second, 1)
    assert said == [], "a warm call only looks"


def test_what_an_earlier_call_put_on_path_is_not_taken_for_installed(
    monkeypatch: pytest.MonkeyPatch, said: list[str], builds: list[Build]
) -> None:
    first = ensure_kubernetes(said.append)
    monkeypatch.setenv("PATH", f"{first.bin_dir}:/usr/bin:/bin")

    assert ensure_kubernetes(said.append) == first


def test_a_build_that_lacks_a_program_is_not_kept(
    cache: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setattr(Build, "make", lambda *_: None)

    with pytest.raises(ToolchainError, match="kube-apiserver, asked for its version, answers nothing"):
        ensure_kubernetes(said.append)
    assert [path.name for path in cache.iterdir() if path.is_dir()] == []


def test_the_build_stamps_versions_so_that_helm_renders_charts_for_the_cluster_it_is_built_with() -> None:
    stamps = BUILD.stamps

    assert stamps["k8s.io/component-base/version.gitVersion"].startswith("v1.")
    minor = stamps["k8s.io/component-base/version.gitMinor"]
    assert stamps["helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor"] == minor
    assert stamps["helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor"] == minor


def test_a_server_that_never_answers_is_asked_only_once(
    monkeypatch: pytest.MonkeyPatch, said: list[str], builds: list[Build]
) -> None:
    asked: list[str] = []

    def refuse(url: str) -> str:
        asked.append(url)
        raise _download.ReleaseUnavailableError("nobody there")

    monkeypatch.setattr(_download, "fetch_text", refuse)
    ensure_kubernetes(said.append)

    assert len(asked) == 1

"""A release whose chart is in an OCI registry, through the real helm."""

import hashlib
import http.server
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sandbox.cluster.pki import Authority

RELEASE = "kubernetes:helm.sh/v3:Release"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Registry(http.server.BaseHTTPRequestHandler):
    """What a pull asks for: manifests and blobs (https://github.com/opencontainers/distribution-spec).

    `tags` is tag -> digest of a manifest, `contents` digest -> bytes.
    """

    def __init__(self, tags: dict[str, str], contents: dict[str, bytes], *arguments: Any) -> None:
        self.tags, self.contents = tags, contents
        super().__init__(*arguments)

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        digest = self.tags.get(name, name)
        body = self.contents.get(digest, b"")
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", MANIFEST if "/manifests/" in self.path else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the base class looks for this name

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def described(content: bytes, kind: str) -> dict[str, Any]:
    return {"mediaType": f"application/vnd.cncf.helm.{kind}", "digest": digest(content), "size": len(content)}


@pytest.fixture
def registry(chart: Path, tmp_path: Path, helm: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the tiny chart, version 0.1.0, in a registry that helm trusts."""
    helm("package", str(chart), "--destination", str(tmp_path))
    archive = (tmp_path / "tiny-0.1.0.tgz").read_bytes()
    config = json.dumps({"apiVersion": "v2", "name": "tiny", "version": "0.1.0"}).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described(config, "config.v1+json"),
            "layers": [described(archive, "chart.content.v1.tar+gzip")],
        }
    ).encode()
    contents = {digest(content): content for content in (manifest, config, archive)}
    handler = partial(Registry, {"0.1.0": digest(manifest)}, contents)
    Authority.of(tmp_path, "authority").issue("registry").write(tmp_path, "registry")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "registry.crt", tmp_path / "registry.key")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.crt"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"oci://127.0.0.1:{server.server_address[1]}/charts/tiny"
        server.shutdown()


def test_a_chart_comes_from_a_registry(
    engine: Any, release: Callable[..., dict[str, Any]], registry: str, kubectl: Any
) -> None:
    declared = release(chart=registry, version="0.1.0", skipAwait=True)
    held = engine.create(RELEASE, declared)
    assert held.outputs["status"]["chart"] == "tiny"
    assert kubectl.get("configmap/tiny-words")["data"] != {}
    assert engine.changes(held, declared) == {}

    (failure,) = engine.check(RELEASE, {**declared, "version": "9.9.9"}).failures
    assert failure.property == "chart"
    assert "9.9.9" in failure.reason

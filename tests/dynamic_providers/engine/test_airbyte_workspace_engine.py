"""What a workspace has beside pipelines, all of it together on the real Pulumi engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte
    from tests.dynamic_providers.engine.conftest import Program

pytestmark = pytest.mark.e2e

OURS, BEFORE, THEIRS = "T0OURSECRET", "T0BEFORESECRET", "T0THEIRSECRET"
API_KEY = "k-0123456789"
IMAGE = "registry.example.com/destination-ledger"
MANIFEST = {
    "version": "6.48.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["shops"]},
    "streams": [{"type": "DeclarativeStream", "name": "shops", "page_size": 50}],
    "spec": {
        "type": "Spec",
        "connection_specification": {
            "type": "object",
            "properties": {"api_key": {"type": "string", "airbyte_secret": True}},
        },
    },
}
PROGRAM = """
import json
from pathlib import Path

import pulumi
from dynamic_providers.airbyte import (
    CustomConnector, DeclarativeConnector, FingerprintKey, Source, Tag, WorkspaceNotifications,
)

declared = json.loads(Path("declared.json").read_text())
key = FingerprintKey("fingerprints").key
WorkspaceNotifications("notifications", webhook=declared["webhook"], fingerprint_key=key)
CustomConnector(
    "ledger", kind="destination", connector_name="Ledger", docker_repository=declared["image"],
    docker_image_tag=declared["tag"],
)
shops = DeclarativeConnector("shops", connector_name="Shops", manifest=Path("shops.yaml"))
Source(
    "shop", source_name="shop", connector="source-shops", definition_id=shops.definition_id,
    connector_version=shops.version, config={"api_key": pulumi.Output.secret(declared["api_key"])},
    secret_paths=["api_key"], fingerprint_key=key,
)
Tag("finance", tag_name="finance", color="00AA7F")
"""


@pytest.fixture(scope="module")
def webhooks() -> Iterator[str]:
    """An address that takes what it is sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/services/"
    server.shutdown()


def settings(airbyte: Airbyte) -> dict[str, Any]:
    workspace = airbyte.post("workspaces/get", {"workspaceId": airbyte.session().workspace()})
    found: dict[str, Any] = workspace["notificationSettings"]
    return found


def notify(airbyte: Airbyte, **items: Any) -> None:
    body = {"workspaceId": airbyte.session().workspace(), "notificationSettings": {**settings(airbyte), **items}}
    airbyte.post("workspaces/update", body)


def by_slack(address: str) -> dict[str, Any]:
    return {"notificationType": ["slack"], "slackConfiguration": {"webhook": address}}


def custom(airbyte: Airbyte, kind: str) -> list[dict[str, Any]]:
    body = {"workspaceId": airbyte.session().workspace()}
    listed = airbyte.post(f"{kind}_definitions/list_for_workspace", body)[f"{kind}Definitions"]
    return [read for read in listed if read["custom"]]


def tags(airbyte: Airbyte) -> list[dict[str, Any]]:
    session = airbyte.session()
    return session.client.post_many("tags/list", {"workspaceId": session.workspace()})


def everything_changes_outside(airbyte: Airbyte, webhooks: str) -> None:
    workspace = airbyte.session().workspace()
    notify(airbyte, sendOnFailure=by_slack(webhooks + THEIRS), sendOnSuccess=by_slack(webhooks + THEIRS))
    (ledger,), (shops,), (tag,) = custom(airbyte, "destination"), custom(airbyte, "source"), tags(airbyte)
    ids = {"destinationDefinitionId": ledger["destinationDefinitionId"], "workspaceId": workspace}
    airbyte.post("destination_definitions/update", {**ids, "dockerImageTag": "1.1.0"})
    airbyte.post("tags/update", {**tag, "color": "000000"})
    ids = {"sourceDefinitionId": shops["sourceDefinitionId"], "workspaceId": workspace}
    airbyte.post("declarative_source_definitions/update_active_manifest", {**ids, "version": 1})


def test_a_workspace_is_made_held_true_and_given_back(
    airbyte: Airbyte, make_program: Callable[[dict[str, str]], Program], webhooks: str
) -> None:
    entry = {"id": "5f3f0a3e-7a76-4c3f-9a55-0d4a3c2b1a03", "kind": "destination", "name": "an image"}
    entry |= {"repository": IMAGE, "defaultTag": "1.0.0", "latestTag": "1.1.0"}
    published = {**entry, "tags": ["1.0.0", "1.1.0"], "specs": [{"since": "0.0.0", "spec": {"type": "object"}}]}
    assert airbyte.http.post("/sandbox/v1/registry", json=published).is_success
    notify(airbyte, sendOnSuccess=by_slack(webhooks + BEFORE))
    before = settings(airbyte)
    program = make_program({})
    (program.folder / "__main__.py").write_text(PROGRAM)
    manifest = program.folder / "shops.yaml"
    manifest.write_text(json.dumps(MANIFEST))
    program.declare(webhook=webhooks + OURS, image=IMAGE, tag="1.0.0", api_key=API_KEY)

    # Given all of it is up, then nothing is left to do, and a refresh agrees.
    program.up()
    assert settings(airbyte)["sendOnFailure"] == by_slack(webhooks + OURS)
    assert settings(airbyte)["sendOnSuccess"] == {"notificationType": []}
    program.run("preview", "--refresh", "--expect-no-changes", "--stack=test")

    # When the manifest changes, then the connector stays and its source too.
    made = airbyte.ids("sources"), custom(airbyte, "source")[0]["sourceDefinitionId"]
    manifest.write_text(json.dumps({**MANIFEST, "version": "6.50.1"}))
    program.up()
    assert (airbyte.ids("sources"), custom(airbyte, "source")[0]["sourceDefinitionId"]) == made

    # When everything is changed outside, then a refresh sees all of it, and `up` sets it right.
    everything_changes_outside(airbyte, webhooks)
    program.refresh()
    preview = program.preview()
    for expected in ('"000000" => "00AA7F"', '"1.1.0" => "1.0.0"', '"6.48.0" => "6.50.1"', "webhook_fingerprints"):
        assert expected in " ".join(preview.split()), expected
    program.up()
    program.run("preview", "--refresh", "--expect-no-changes", "--stack=test")
    assert settings(airbyte)["sendOnFailure"] == by_slack(webhooks + OURS)

    # No address and no key was printed or is kept in the clear: not ours, not those found, not those met on the way.
    for secret in (OURS, BEFORE, THEIRS, API_KEY):
        assert secret not in program.printed
        assert secret not in program.state_text()

    # When it is destroyed, then the notifications are as they were found, and the rest is gone.
    program.destroy()
    assert settings(airbyte) == before
    projects = airbyte.post("connector_builder_projects/list", {"workspaceId": airbyte.session().workspace()})[
        "projects"
    ]
    assert (tags(airbyte), projects, airbyte.ids("sources")) == ([], [], [])
    assert (custom(airbyte, "source"), custom(airbyte, "destination")) == ([], [])

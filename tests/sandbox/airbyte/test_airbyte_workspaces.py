"""Workspaces and their notifications."""

from __future__ import annotations

import http.server
import threading

from tests.sandbox.airbyte.conftest import StartAirbyte
from tests.sandbox.airbyte.harness import NIL, Api, Json

SLACK = {"notificationType": ["slack"], "slackConfiguration": {"webhook": "https://hooks.example.com/T/secret"}}


def update(api: Api, **fields: object) -> Json:
    found: Json = api.post("workspaces/update", workspaceId=api.workspace, **fields)
    return found


def test_notification_settings_are_replaced_and_then_filled_up_with_email(api: Api) -> None:
    settings = update(api, notificationSettings={"sendOnFailure": SLACK})["notificationSettings"]
    assert settings["sendOnFailure"] == SLACK  # the address is not masked
    assert settings["sendOnSuccess"] == {"notificationType": []}
    assert settings["sendOnSyncDisabled"] == {"notificationType": ["customerio"]}
    assert len(settings) == 8
    again = update(api, notificationSettings={"sendOnSyncDisabled": {"notificationType": []}})["notificationSettings"]
    assert again["sendOnSyncDisabled"] == {"notificationType": []}
    assert again["sendOnFailure"] == {"notificationType": ["customerio"]}
    assert update(api, news=True)["notificationSettings"] == again


def test_the_head_knows_one_more_notification(start_airbyte: StartAirbyte) -> None:
    settings = update(start_airbyte("HEAD"), notificationSettings={})["notificationSettings"]
    assert settings["sendOnConnectionSyncQueued"] == {"notificationType": []}


def test_an_absent_webhook_reads_back_empty(api: Api) -> None:
    item = {"notificationType": ["slack"], "slackConfiguration": {}}
    settings = update(api, notificationSettings={"sendOnFailure": item})["notificationSettings"]
    assert settings["sendOnFailure"]["slackConfiguration"] == {"webhook": ""}


def test_any_update_without_webhooks_wipes_them_and_ids_are_always_new(api: Api) -> None:
    hooks = [{"name": "dbt", "authToken": "t0ken", "customDbtHost": "h"}]
    first = update(api, webhookConfigs=hooks)["webhookConfigs"]
    assert first == [{"id": first[0]["id"], "name": "dbt", "customDbtHost": "h"}]  # the token is never shown
    second = update(api, webhookConfigs=hooks)["webhookConfigs"]
    assert second[0]["id"] != first[0]["id"]
    renamed = api.post("workspaces/update_name", workspaceId=api.workspace, name="n")
    assert renamed["webhookConfigs"] == second  # the one update that leaves them alone
    assert update(api, news=True)["webhookConfigs"] == []


def test_a_blank_email_and_empty_notifications_are_ignored(api: Api) -> None:
    kept = update(api, email="a@example.com", notifications=[{"notificationType": "slack"}])
    same = update(api, email="", notifications=[])
    assert (same["email"], same["notifications"]) == ("a@example.com", kept["notifications"])


def test_a_name_makes_the_slug_and_the_update_takes_one_since_1_8(start_airbyte: StartAirbyte) -> None:
    newer, older = start_airbyte("1.8.0"), start_airbyte("1.7.0")
    assert update(newer, name="Big Data!")["slug"] == "big-data"
    assert update(older, name="Big Data!")["name"] == "Default Workspace"
    renamed = older.post("workspaces/update_name", workspaceId=older.workspace, name="Big Data!")
    assert (renamed["name"], renamed["slug"]) == ("Big Data!", "big-data")


def test_workspaces_are_listed_by_organization_in_every_release(start_airbyte: StartAirbyte) -> None:
    for version in ("1.0.0", "1.8.0", "HEAD"):
        api = start_airbyte(version)
        api.post("workspaces/create", name="other", organizationId=NIL)
        found = api.post("workspaces/list_by_organization_id", organizationId=NIL, nameContains="OTH")["workspaces"]
        assert [workspace["name"] for workspace in found] == ["other"]
        assert ("defaultGeography" in found[0]) == (version == "1.0.0")


def test_a_deleted_workspace_is_marked_and_unlisted(api: Api) -> None:
    other = api.post("workspaces/create", name="other")
    assert api.call("workspaces/delete", workspaceId=other["workspaceId"]).status_code == 204
    assert api.post("workspaces/get", workspaceId=other["workspaceId"])["tombstone"] is True
    found = api.post("workspaces/list_by_organization_id", organizationId=NIL)["workspaces"]
    assert [workspace["workspaceId"] for workspace in found] == [api.workspace]


def test_a_webhook_is_tried_for_real(api: Api) -> None:
    received: list[bytes] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200 if self.path == "/good" else 500)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        outcomes = []
        for path in ("good", "bad"):
            webhook = {"webhook": f"http://127.0.0.1:{server.server_port}/{path}"}
            body = {"slackConfiguration": webhook, "notificationTrigger": "sync_failure"}
            outcomes.append(api.post("notifications/try_webhook", **body)["status"])
        server.shutdown()
    assert outcomes == ["succeeded", "failed"]
    assert b"sync_failure" in received[0]

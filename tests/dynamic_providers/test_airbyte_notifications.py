"""A workspace's notifications against a server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte import notifications
from dynamic_providers.airbyte.errors import CheckFailedError, InvalidConfigError, WebhookConfigsError
from dynamic_providers.airbyte.workspace_notifications import WorkspaceNotificationsResource

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Life, Properties

KEY = "0f" * 32
EMAIL = {"notificationType": ["customerio"]}
OFF: dict[str, Any] = {"notificationType": []}


class Receiver:
    """A webhook: what it was sent, and whether it takes it."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.received.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, token: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/services/{token}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()


@pytest.fixture
def slack(receiver: Receiver) -> str:
    return receiver.url("T0SECRET")


@pytest.fixture
def life(manage: Callable[..., Life]) -> Life:
    return manage(WorkspaceNotificationsResource)


@pytest.fixture
def program(slack: str) -> Properties:
    return {"webhooks": {"failure": slack, "sync_disabled": slack}, "fingerprint_key": KEY}


def live(airbyte: Airbyte) -> Properties:
    workspace = airbyte.post("workspaces/get", {"workspaceId": airbyte.session().workspace()})
    settings: Properties = workspace["notificationSettings"]
    return settings


def set_live(airbyte: Airbyte, **changes: Any) -> None:
    """Change single events, as a person in the UI would."""
    body = {"workspaceId": airbyte.session().workspace(), "notificationSettings": {**live(airbyte), **changes}}
    airbyte.post("workspaces/update", body)


def by_slack(url: str) -> Properties:
    return {"notificationType": ["slack"], "slackConfiguration": {"webhook": url}}


def add_webhook_config(airbyte: Airbyte) -> None:
    configs = [{"name": "dbt Cloud", "authToken": "t"}]
    airbyte.post("workspaces/update", {"workspaceId": airbyte.session().workspace(), "webhookConfigs": configs})


@pytest.mark.parametrize("event", [*notifications.EVENTS, "connection_sync_queued"])
def test_an_events_name_goes_there_and_back(event: str) -> None:
    assert notifications.event_of(notifications.key_of(event)) == event


def test_every_event_is_set_and_what_is_not_named_is_off(airbyte: Airbyte, life: Life, program: Properties) -> None:
    slack = program["webhooks"]["failure"]
    assert life.up(program) == ("create",)
    settings = live(airbyte)
    assert settings.pop("sendOnFailure") == by_slack(slack)
    assert settings.pop("sendOnSyncDisabled") == by_slack(slack)
    assert len(settings) == 6
    assert all(item == OFF for item in settings.values()), settings
    assert life.refresh() == ()
    assert life.up(program) == ()


def test_an_address_is_tried_once_and_only_while_it_is_new(life: Life, program: Properties, receiver: Receiver) -> None:
    life.up(program)
    assert len(receiver.received) == 1
    webhooks = {**program["webhooks"], "success": program["webhooks"]["failure"]}
    assert "webhooks" in life.up({**program, "webhooks": webhooks})
    assert len(receiver.received) == 1
    life.up({**program, "webhooks": {**webhooks, "success": receiver.url("T1")}})
    assert len(receiver.received) == 2


def test_an_address_that_takes_nothing_is_refused_unless_told(
    airbyte: Airbyte, life: Life, program: Properties, receiver: Receiver
) -> None:
    before = live(airbyte)
    receiver.status = 404
    with pytest.raises(
        CheckFailedError, match=r"webhook of failure, sync_disabled .* nothing was written.*404"
    ) as caught:
        life.up(program)
    assert "T0SECRET" not in str(caught.value)
    assert live(airbyte) == before
    assert life.up({**program, "skip_check": "the receiver comes later"}) == ("create",)
    assert live(airbyte)["sendOnFailure"]["notificationType"] == ["slack"]


def test_webhook_configs_are_never_wiped_silently(
    airbyte: Airbyte, life: Life, program: Properties, receiver: Receiver
) -> None:
    add_webhook_config(airbyte)
    before = live(airbyte)
    with pytest.raises(WebhookConfigsError, match=r"dbt Cloud.*webhook_configs_may_be_lost"):
        life.up(program)
    workspace = airbyte.post("workspaces/get", {"workspaceId": airbyte.session().workspace()})
    assert [config["name"] for config in workspace["webhookConfigs"]] == ["dbt Cloud"]
    assert live(airbyte) == before
    assert receiver.received == []
    assert life.up({**program, "webhook_configs_may_be_lost": "dbt runs elsewhere now"}) == ("create",)


def test_webhook_configs_made_later_hold_back_update_and_delete(
    airbyte: Airbyte, life: Life, program: Properties
) -> None:
    life.up(program)
    add_webhook_config(airbyte)
    with pytest.raises(WebhookConfigsError):
        life.up({**program, "webhooks": {"failure": program["webhooks"]["failure"]}})
    with pytest.raises(WebhookConfigsError):
        life.resource().delete(life.id, life.outputs)


def test_every_change_by_somebody_else_is_seen_and_set_right(
    airbyte: Airbyte, life: Life, program: Properties, slack: str, receiver: Receiver
) -> None:
    life.up(program)
    changes = [
        ("sendOnFailure", OFF, "webhooks"),
        ("sendOnFailure", by_slack(receiver.url("T0THERS")), "webhook_fingerprints"),
        ("sendOnFailure", {**by_slack(slack), "notificationType": ["slack", "customerio"]}, "email_events"),
        ("sendOnSuccess", by_slack(slack), "webhooks"),
        ("sendOnConnectionUpdate", EMAIL, "email_events"),
    ]
    for key, item, shows in changes:
        set_live(airbyte, **{key: item})
        assert shows in life.refresh(), key
        assert shows in life.up(program), key
        assert life.refresh() == (), key


def test_an_address_of_somebody_else_never_gets_into_state(
    airbyte: Airbyte, life: Life, program: Properties, receiver: Receiver
) -> None:
    life.up(program)
    set_live(airbyte, sendOnFailure=by_slack(receiver.url("T0THERS")), sendOnSuccess=by_slack(receiver.url("T0THERS")))
    life.refresh()
    assert "T0THERS" not in str(life.inputs) + str(life.outputs)
    assert "another address" in life.inputs["webhooks"]["success"]


def test_an_address_without_the_kind_is_no_drift(
    airbyte: Airbyte, life: Life, program: Properties, receiver: Receiver
) -> None:
    life.up(program)
    set_live(airbyte, sendOnSuccess={**by_slack(receiver.url("T9")), "notificationType": []})
    assert life.refresh() == ()


def test_a_rotated_address_shows_as_a_fingerprint(life: Life, program: Properties, receiver: Receiver) -> None:
    life.up(program)
    rotated = {event: receiver.url("T2") for event in program["webhooks"]}
    assert life.up({**program, "webhooks": rotated}) == ("webhooks", "webhook_fingerprints")
    assert "T2" not in str(life.outputs["webhook_fingerprints"])


def test_emails_can_be_kept(airbyte: Airbyte, life: Life, program: Properties) -> None:
    life.up({**program, "email_events": ["failure", "success"]})
    assert live(airbyte)["sendOnFailure"]["notificationType"] == ["slack", "customerio"]
    assert live(airbyte)["sendOnSuccess"] == EMAIL
    assert life.refresh() == ()


def test_deleting_puts_back_what_was_there(airbyte: Airbyte, life: Life, program: Properties, slack: str) -> None:
    set_live(airbyte, sendOnSuccess=by_slack(slack), sendOnFailure=OFF)
    before = live(airbyte)
    life.up(program)
    life.up({**program, "webhooks": {"failure": slack}})
    assert live(airbyte) != before
    life.resource().delete(life.id, life.outputs)
    assert live(airbyte) == before


def test_after_an_interrupted_create_nothing_is_written_again_and_delete_gives_the_defaults(
    airbyte: Airbyte, life: Life, program: Properties
) -> None:
    untouched = live(airbyte)
    life.up(program)  # … and its answer never reached the state
    life.id, life.inputs, life.outputs = "", {}, {}
    with airbyte.counted() as calls:
        assert life.up(program) == ("create",)
    assert "/v1/workspaces/update" not in calls
    life.resource().delete(life.id, life.outputs)
    assert live(airbyte) == untouched


def test_an_answer_that_is_lost_after_the_write_is_made_good(airbyte: Airbyte, life: Life, program: Properties) -> None:
    airbyte.fault(path="/v1/workspaces/update", status=504, when="after")
    life.up(program)
    assert life.refresh() == ()


def test_an_unknown_event_is_refused_in_the_preview(airbyte: Airbyte, life: Life, slack: str) -> None:
    checked = life.resource().check({}, {"webhooks": {"sync_disable": slack}, "fingerprint_key": KEY})
    assert len(checked.failures) == 1
    assert checked.failures[0].startswith("This Airbyte knows no event sync_disable. Did you mean sync_disabled")


def test_an_unknown_event_is_refused_before_the_write_too(airbyte: Airbyte, life: Life, slack: str) -> None:
    inputs = {"webhooks": {"connection_sync_queued": slack}, "fingerprint_key": KEY}
    before = live(airbyte)
    with pytest.raises(InvalidConfigError, match=r"no event connection_sync_queued"):
        life.resource().create(inputs)
    assert live(airbyte) == before


def test_what_is_no_address_is_refused_without_showing_it(life: Life) -> None:
    checked = life.resource().check({}, {"webhooks": {"failure": "hooks.slack.com/T0SECRET"}, "fingerprint_key": KEY})
    assert len(checked.failures) == 1
    assert "T0SECRET" not in checked.failures[0]


def test_a_workspace_that_was_deleted_is_gone(airbyte: Airbyte, life: Life, program: Properties) -> None:
    life.up(program)
    airbyte.post("workspaces/delete", {"workspaceId": life.id})
    assert life.refresh() == ("gone",)

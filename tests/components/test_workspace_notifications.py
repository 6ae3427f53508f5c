"""The workspace's notifications, as the program declares them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from components.airbyte_workspace import AirbyteWorkspace, AirbyteWorkspaceArgs
from components.plan import Plan

if TYPE_CHECKING:
    from tests.components.conftest import Declared
else:
    Declared = Any

StackConfig = Callable[..., None]
NOTIFICATIONS = "pulumi-python:dynamic/airbyte:WorkspaceNotifications"
SLACK = "https://hooks.slack.com/services/T0SECRET"


def declare() -> Any:
    plan = Plan.load()
    args = AirbyteWorkspaceArgs(pins=plan.pins, notifications_webhook=plan.settings.stack.notifications_webhook)
    assert "T0SECRET" not in repr(args) + repr(plan.settings)
    return AirbyteWorkspace("airbyte", args).workspace_id


@pulumi.runtime.test
def test_without_a_webhook_the_notifications_are_left_alone(stack_config: StackConfig, declared: Declared) -> Any:
    def check(_: object) -> None:
        assert declared.of_type(NOTIFICATIONS) == {}

    return declare().apply(check)


def test_a_webhook_from_the_environment_takes_what_needs_action(
    stack_config: StackConfig, declared: Declared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK_URL", SLACK)
    stack_config(notificationsWebhook="${SLACK_WEBHOOK_URL}")

    @pulumi.runtime.test
    def program() -> Any:
        return declare()

    program()
    (notifications,) = declared.of_type(NOTIFICATIONS).values()
    webhooks = notifications["webhooks"]["value"]  # wrapped, since it is secret
    assert sorted(webhooks) == [
        "breaking_change_syncs_disabled",
        "breaking_change_warning",
        "connection_update_action_required",
        "failure",
        "sync_disabled",
        "sync_disabled_warning",
    ]
    assert set(webhooks.values()) == {SLACK}

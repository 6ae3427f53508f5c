"""The life of a workspace's notifications. See `notifications` for what the server makes of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dynamic_providers.airbyte import notifications
from dynamic_providers.airbyte.errors import (
    ApiError,
    CheckFailedError,
    InvalidConfigError,
    NotFoundError,
    WebhookConfigsError,
)
from dynamic_providers.airbyte.session import Session
from dynamic_providers.crud import Checked, Difference, Live, changed_keys, present
from dynamic_providers.fingerprint import fingerprint
from dynamic_providers.values import UNKNOWN, Properties, contains_unknown, is_unknown, known

_DECLARED: Final = ("webhooks", "webhook_fingerprints", "email_events", "skip_check", "webhook_configs_may_be_lost")
_TRIGGER: Final = "sync_success"
"""Which test message to send: one that every release has and that alarms nobody."""


@dataclass(frozen=True)
class WorkspaceNotificationsResource:
    """The notifications of one workspace, whose id is this resource's.

    Inputs: ``webhooks`` (event -> address, a secret), ``email_events``, ``fingerprint_key``, ``workspace_id``,
    ``skip_check``, ``webhook_configs_may_be_lost``; check adds ``webhook_fingerprints``. Outputs: also ``before``,
    the settings as they were found, as JSON text and secret; empty where they were already as declared.
    """

    session: Session

    def check(self, olds: Properties, news: Properties) -> Checked:
        """Add the fingerprints; an unknown event is found if the server can be asked already."""
        inputs = dict(news)
        webhooks = known(inputs.get("webhooks"), {})
        inputs["webhooks"] = {event: address for event, address in webhooks.items() if is_unknown(address) or address}
        for address in inputs["webhooks"].values():
            self.session.redactor.add(address)
        inputs["email_events"] = sorted(set(known(inputs.get("email_events"), [])))
        inputs["webhook_fingerprints"] = _fingerprints(inputs["webhooks"], inputs.get("fingerprint_key"))
        if inputs.get("workspace_id") is None:
            inputs["workspace_id"] = self.session.declared_workspace or olds.get("workspace_id")
        failures = [
            f"The webhook of {event} is no address: it begins with neither https:// nor http://."
            for event, address in inputs["webhooks"].items()
            if not is_unknown(address) and not str(address).startswith(("https://", "http://"))
        ]
        return Checked(present(inputs), (*failures, *self._unknown_events(inputs)))

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """All but the workspace changes in place."""
        replaces = tuple(key for key in changed_keys(olds, news, ("workspace_id",)) if known(news.get(key)) is not None)
        return Difference(changed_keys(olds, news, _DECLARED) + replaces, replaces)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Take over the workspace's settings; what they were is kept, to be put back by delete."""
        workspace_id = self.session.workspace(news.get("workspace_id"))
        workspace = self._workspace(workspace_id)
        settings = workspace.get("notificationSettings") or {}
        # Already as declared: an interrupted run of ours wrote them, and what they were before is not known.
        before = "" if _canonical(settings) == _declared(news) else json.dumps(settings, sort_keys=True)
        self._write(workspace, news, {})
        return workspace_id, {**news, "workspace_id": workspace_id, "before": before}

    def read(self, id_: str, olds: Properties) -> Live | None:
        """What the server has. An address that is not the program's own is not shown, only that it is another."""
        try:
            workspace = self._workspace(id_)
        except NotFoundError:
            return None
        if workspace.get("tombstone"):
            return None
        live, emails = notifications.from_api(workspace.get("notificationSettings") or {})
        ours: dict[str, str] = olds.get("webhooks") or {}
        key = str(olds.get("fingerprint_key"))
        for address in live.values():
            self.session.redactor.add(address)
        prints = {event: fingerprint(key, address) for event, address in live.items()}
        webhooks = {
            event: address if ours.get(event) == address else f"another address, fingerprint {prints[event]}"
            for event, address in live.items()
        }
        outputs = {**olds, "webhooks": webhooks, "webhook_fingerprints": prints, "email_events": emails}
        return Live(present({name: value for name, value in outputs.items() if name != "before"}), outputs)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Try addresses that are new, then write all events."""
        self._write(self._workspace(id_), news, olds)
        return {**news, "workspace_id": id_, "before": olds.get("before") or ""}

    def delete(self, id_: str, olds: Properties) -> None:
        """Put back what create found; Airbyte's defaults where that is not known."""
        try:
            workspace = self._workspace(id_)
        except NotFoundError:
            return
        before = json.loads(olds.get("before") or "{}")
        for address in notifications.from_api(before)[0].values():
            self.session.redactor.add(address)
        if not before or _canonical(workspace.get("notificationSettings") or {}) != _canonical(before):
            self._refuse_loss(workspace, olds)
            self._post(workspace, before)

    # -- reading --------------------------------------------------------------------------------------------------

    def _workspace(self, workspace_id: str) -> dict[str, Any]:
        return self.session.client.post("workspaces/get", {"workspaceId": workspace_id})

    def _unknown_events(self, inputs: Properties) -> list[str]:
        named = {*inputs["webhooks"], *inputs["email_events"]}
        # All servers know the eight; and the platform may be part of the same program and not be up yet.
        if named <= set(notifications.EVENTS) or not self.session.client.answers():
            return []
        try:
            workspace = self._workspace(self.session.workspace(inputs.get("workspace_id")))
        except ApiError:
            return []  # whatever is wrong, create will meet it again
        return notifications.unknown_events(named, _known_events(workspace))

    # -- writing --------------------------------------------------------------------------------------------------

    def _write(self, workspace: dict[str, Any], news: Properties, olds: Properties) -> None:
        webhooks = news.get("webhooks") or {}
        for address in webhooks.values():
            self.session.redactor.add(address)
        events = _known_events(workspace)
        unknown = notifications.unknown_events({*webhooks, *(news.get("email_events") or [])}, events)
        if unknown:
            raise InvalidConfigError(" ".join(unknown), fix="Correct the event; nothing was written.")
        live = workspace.get("notificationSettings") or {}
        if _canonical(live) == _declared(news):
            return
        self._refuse_loss(workspace, news)
        if not news.get("skip_check"):
            tried = {*(olds.get("webhooks") or {}).values(), *notifications.from_api(live)[0].values()}
            for address in dict.fromkeys(webhooks.values()):
                if address not in tried:
                    self._try(address, [event for event in sorted(webhooks) if webhooks[event] == address])
        self._post(workspace, notifications.to_api(webhooks, news.get("email_events") or [], events))

    def _try(self, address: str, events: list[str]) -> None:
        """Have Airbyte send a message to an address; raises CheckFailedError."""
        body = {"slackConfiguration": {"webhook": address}, "notificationTrigger": _TRIGGER}
        answer = self.session.client.post("notifications/try_webhook", body)
        if answer.get("status") != "succeeded":
            said = self.session.redactor.scrub(str(answer.get("message") or ""))
            raise CheckFailedError(
                f"The webhook of {', '.join(events)} does not take Airbyte's test message, so nothing was written",
                why=f"Airbyte says: {said}" if said else "",
                fix="Check that Airbyte reaches the address and that it takes messages in Slack's format. To "
                "deploy without the test, give a reason as `skip_check`.",
            )

    def _refuse_loss(self, workspace: dict[str, Any], properties: Properties) -> None:
        configs = workspace.get("webhookConfigs") or []
        if configs and not properties.get("webhook_configs_may_be_lost"):
            names = ", ".join(str(config.get("name") or config.get("id")) for config in configs)
            raise WebhookConfigsError(
                f"Workspace {workspace['workspaceId']} has webhook configurations ({names}), and Airbyte removes "
                "them whenever a workspace is written; nothing was written",
                why="Their tokens can't be read, so they can't be kept, and operations that use them would fail",
                fix="Change the notifications in Airbyte's UI, or give a reason as `webhook_configs_may_be_lost`.",
            )

    def _post(self, workspace: dict[str, Any], settings: dict[str, Any]) -> None:
        body = {"workspaceId": workspace["workspaceId"], "notificationSettings": settings}
        self.session.client.post("workspaces/update", body)


def _known_events(workspace: Mapping[str, Any]) -> list[str]:
    return notifications.events_of(workspace.get("notificationSettings") or {}) or list(notifications.EVENTS)


def _canonical(settings: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    return notifications.from_api(settings)


def _declared(news: Properties) -> tuple[dict[str, str], list[str]]:
    return dict(sorted((news.get("webhooks") or {}).items())), sorted(news.get("email_events") or [])


def _fingerprints(webhooks: Mapping[str, Any], key: Any) -> Properties:
    return {
        event: UNKNOWN if contains_unknown([address, key]) else fingerprint(str(key), address)
        for event, address in webhooks.items()
    }

"""Checks and discoveries, which run as jobs for up to half an hour, past proxies that do not wait so long.

The plain operations hold the request until the job is done; an ingress in front of Airbyte gives up after a minute, as
a rule, and answers 502, 503 or 504 or drops the connection, while the job goes on. Since 1.7 the server also takes a
command under an id that the client chooses, at once, and tells later what it found; the same id again is the same
command, so that a lost answer costs nothing. That interface is Airbyte's own, so it is used only where the plain one
fails.
"""

import uuid
from contextlib import suppress
from typing import Any, Final

from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.errors import ApiError, NoAnswerError, NotFoundError, ServerError
from dynamic_providers.airbyte.kinds import Kind
from dynamic_providers.airbyte.models import CheckResult, Discovery

CUT_OFF: Final = frozenset({502, 503, 504})
"""Statuses by which a proxy says that it did not wait for the job."""

# The server's own limits for these jobs (ACTIVITY_CHECK_TIMEOUT, ACTIVITY_DISCOVERY_TIMEOUT), in seconds.
_CHECK_LIMIT: Final = 600.0
_DISCOVER_LIMIT: Final = 1800.0
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 10.0


def check(
    client: Client, kind: Kind, *, definition_id: str, workspace_id: str, config: dict[str, Any], actor_id: str | None
) -> CheckResult:
    """Try a configuration, saving nothing; raises ApiError's children where it can't be run.

    With `actor_id` the plain operation runs at the version that this very actor is held at; a command, which takes
    either an actor or a configuration, at the workspace's.
    """
    body: dict[str, Any] = {
        kind.definition_field: definition_id,
        "connectionConfiguration": config,
        "workspaceId": workspace_id,
        **({kind.id_field: actor_id} if actor_id else {}),
    }
    try:
        return CheckResult.model_validate(_plain(client, f"scheduler/{kind.collection}/check_connection", body))
    except (ServerError, NoAnswerError) as error:
        if not _runs_as_command(client, error):
            raise
    command = {"workspace_id": workspace_id, "actor_definition_id": definition_id, "config": config}
    output = _run(client, "check", command, _CHECK_LIMIT)
    said_no = output.get("status") == "failed" and output.get("message")
    return CheckResult(
        # A job that broke down failed too, but has no words of the connector's.
        status="succeeded" if output.get("status") == "succeeded" else "failed" if said_no else None,
        message=output.get("message"),
        job_info={"failureReason": output.get("failureReason")},
    )


def discover(client: Client, source_id: str, *, fresh: bool) -> Discovery:
    """Ask which streams a source has, and never with a connectionId: that may switch the connection off.

    `fresh` makes the server look again instead of in its cache; a command always does. Raises ApiError's children.
    """
    body = {"sourceId": source_id, "disable_cache": fresh}
    try:
        return Discovery.model_validate(_plain(client, "sources/discover_schema", body))
    except (ServerError, NoAnswerError) as error:
        if not _runs_as_command(client, error):
            raise
    output = _run(client, "discover", {"actor_id": source_id}, _DISCOVER_LIMIT)
    return Discovery(
        catalog=output.get("catalog"),
        catalog_id=output.get("catalogId"),
        job_info={"failureReason": output.get("failureReason")},
    )


def discover_unsaved(
    client: Client, *, definition_id: str, workspace_id: str, config: dict[str, Any], source_id: str | None
) -> Discovery:
    """Ask which streams a source of this configuration would have, saving neither; `source_id` gives its version.

    There is no command for it, which a proxy could not cut off. Raises ApiError's children.
    """
    body = {
        "sourceDefinitionId": definition_id,
        "connectionConfiguration": config,
        "workspaceId": workspace_id,
        **({"sourceId": source_id} if source_id else {}),
    }
    return Discovery.model_validate(client.post("scheduler/sources/discover_schema", body))


def _plain(client: Client, operation: str, body: dict[str, Any]) -> dict[str, Any]:
    # Where there is another way, a second try of this one would only start a second pod.
    return client.post(operation, body, unretried=CUT_OFF if client.release.has_commands else frozenset())


def _runs_as_command(client: Client, error: ApiError) -> bool:
    cut_off = isinstance(error, NoAnswerError) or error.status in CUT_OFF
    return cut_off and client.release.has_commands


def _run(client: Client, kind: str, body: dict[str, Any], limit: float) -> dict[str, Any]:
    """Start a command, wait for it and give its output; raises ServerError for one that does not end in time."""
    operation = f"commands/run/{kind}"
    id_ = str(uuid.uuid4())
    client.post(operation, {"id": id_, **body})
    waited, wait = 0.0, _FIRST_WAIT
    while True:
        status = str(client.post("commands/status", {"id": id_}).get("status"))
        if status == "completed":
            return client.post(f"commands/output/{kind}", {"id": id_})
        if status == "cancelled" or waited >= limit:
            break
        client.sleep(wait)
        waited, wait = waited + wait, min(_LONGEST_WAIT, wait * 1.5)
    if status != "cancelled":
        _cancel(client, id_)
    raise ServerError(
        f"Airbyte did not finish the {kind} that it was asked for",
        operation=operation,
        why="It was cancelled" if status == "cancelled" else f"It was still {status} after {waited / 60:.0f} minutes",
        fix="See Airbyte's log; a pod that can't be scheduled is a common reason.",
    )


def _cancel(client: Client, id_: str) -> None:
    with suppress(NotFoundError):  # it ended meanwhile
        client.post("commands/cancel", {"id": id_})

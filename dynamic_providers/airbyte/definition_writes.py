"""Making and changing custom definitions, for which the platform runs a job: it pulls the image and asks for its spec.

From 2.0 on the job has a ticket, and its failure a reason. Before, the request is held as long as the job takes, and a
failure is a bare 500.
"""

from typing import Any, Final

from dynamic_providers.airbyte.errors import OutcomeUnknownError, ServerError, UnknownVersionError
from dynamic_providers.airbyte.kinds import Kind
from dynamic_providers.airbyte.session import Session

_INTERVAL: Final = 1.0
_LOOKS: Final = 660
"""A look a second, until after the ten minutes that the platform gives such a job."""


def create(session: Session, kind: Kind, workspace_id: str, wanted: dict[str, Any]) -> str:
    """Make a definition and give its id; raises UnknownVersionError where the image does not do.

    `wanted` holds name, dockerRepository, dockerImageTag, documentationUrl and resourceRequirements. Never repeated:
    OutcomeUnknownError says that the answer was lost.
    """
    image = f"{wanted['dockerRepository']}:{wanted['dockerImageTag']}"
    if not session.client.release.gives_tickets:
        body = {"workspaceId": workspace_id, f"{kind.name}Definition": wanted}
        return str(_held(session, f"{kind.definitions}/create_custom", body, image)[kind.definition_field])
    body = {"workspaceId": workspace_id, "actorType": kind.name, "actorDefinition": wanted}
    return str(_followed(session, "actor_definitions/create", body, image)["actorDefinitionId"])


def update(session: Session, kind: Kind, definition_id: str, image: str, changes: dict[str, Any]) -> None:
    """Change a definition's name, dockerImageTag and resourceRequirements; raises as create does.

    The server wants to know a workspace as well (`changes` has it): since 1.6, and ignored before.
    """
    if not session.client.release.gives_tickets:
        _held(session, f"{kind.definitions}/update", {kind.definition_field: definition_id, **changes}, image)
    else:
        body = {"actorDefinitionId": definition_id, "actorType": kind.name, **changes}
        _followed(session, "actor_definitions/update", body, image)


def _held(session: Session, operation: str, body: dict[str, Any], image: str) -> dict[str, Any]:
    try:
        return session.client.post(operation, body)
    except ServerError as error:
        raise _refused(image, error.message or error.fix) from None


def _followed(session: Session, operation: str, body: dict[str, Any], image: str) -> dict[str, Any]:
    ticket = {"requestId": session.client.post(operation, body)["requestId"]}
    for _ in range(_LOOKS):
        result = session.client.post("actor_definitions/result", ticket)
        if result["status"] == "succeeded":
            return result
        if result["status"] == "failed":
            reason = result.get("failureReason") or {}
            raise _refused(image, str(reason.get("externalMessage") or reason.get("internalMessage") or ""))
        session.client.sleep(_INTERVAL)
    raise OutcomeUnknownError(
        f"Airbyte has still not got the spec of {image}",
        operation=operation,
        fix="See in Airbyte what keeps it, then run `pulumi up` again: what was made is found and taken over.",
    )


def _refused(image: str, why: str) -> UnknownVersionError:
    return UnknownVersionError(
        f"Airbyte could not get the spec of {image}, so the connector was not written",
        why=why,
        fix="Check that the tag exists, that the cluster may pull it, and that the image answers `spec`.",
    )

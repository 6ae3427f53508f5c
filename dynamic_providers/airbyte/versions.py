"""Version pins: holding a connector at one version in one workspace.

The pin is a scoped configuration of the workspace: it applies before the first source exists, and neither a
platform upgrade nor the registry's own updates move it. See
https://docs.airbyte.com/platform/managing-airbyte/connector-updates
"""

import re
from contextlib import suppress
from typing import Any, Final

from dynamic_providers.airbyte.errors import NotFoundError, UnknownConnectorError, UnknownVersionError
from dynamic_providers.airbyte.kinds import Kind, kind_of
from dynamic_providers.airbyte.models import Definition, Pin
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.suggestions import nearest

_KEY: Final = "connector_version"
_RESOURCE: Final = "actor_definition"


def find_definition(session: Session, connector: str, workspace_id: str, origin: str | None = None) -> Definition:
    """The definition of a connector, by its image's name; raises UnknownConnectorError with the nearest names.

    ``source-postgres`` means ``airbyte/source-postgres``; a name with a slash is taken as it is.
    """
    kind = kind_of(connector)
    repository = connector if "/" in connector else f"airbyte/{connector}"
    definitions = session.inventory.definitions(kind, workspace_id)
    for definition in definitions:
        if definition.docker_repository == repository:
            return definition
    known = [definition.docker_repository.removeprefix("airbyte/") for definition in definitions]
    raise UnknownConnectorError(
        f"The server has no {kind.name} connector {connector}",
        origin=origin,
        fix=nearest(connector, known) or "Add it as a custom connector, or correct the name.",
    )


def resolve(session: Session, definition: Definition, kind: Kind, tag: str, origin: str | None = None) -> str:
    """The id of a connector's version; raises UnknownVersionError where neither server nor registry knows the tag."""
    body = {"actorDefinitionId": definition.definition_id, "actorType": kind.name, "dockerImageTag": tag}
    try:
        return str(session.client.post("actor_definition_versions/resolve", body)["versionId"])
    except NotFoundError:
        raise UnknownVersionError(
            f"{definition.docker_repository} has no version {tag} that this server can find; nothing was pinned",
            origin=origin,
            why=f"The workspace now runs {definition.docker_image_tag}",
            fix=f"Correct the version, for example to {definition.docker_image_tag}.",
        ) from None


def workspace_pin(session: Session, definition_id: str, workspace_id: str) -> Pin | None:
    """The workspace's own pin of a connector, not one it inherits."""
    return _pin(session, definition_id, "workspace", workspace_id)


def actor_pin(session: Session, definition_id: str, actor_id: str) -> Pin | None:
    """A pin on one source or destination, which outranks the workspace's."""
    return _pin(session, definition_id, "actor", actor_id)


def write_pin(session: Session, definition_id: str, workspace_id: str, version_id: str) -> Pin:
    """Pin a connector in a workspace, in place of the pin that may be there.

    There is no upsert: a second pin for the same scope is an error of the server, so what is there is asked first,
    past the list that this process may have read minutes ago.
    """
    scope = {
        "config_key": _KEY,
        "resource_type": _RESOURCE,
        "resource_id": definition_id,
        "scope_type": "workspace",
        "scope_id": workspace_id,
    }
    body = {
        **scope,
        "value": version_id,
        "origin": session.client.instance().default_user_id,
        "origin_type": "user",
        "description": "Pinned by the Pulumi program that manages this workspace",
    }
    active = session.client.post("scoped_configuration/get_context", dict(scope)).get("activeConfiguration")
    if active and active.get("scope_type") == "workspace" and active.get("scope_id") == workspace_id:
        answer = session.client.post(
            "scoped_configuration/update", {"scopedConfigurationId": active["id"], "data": body}
        )
    else:
        answer = session.client.post("scoped_configuration/create", body)
    session.inventory.forget_versions()
    return Pin.model_validate(answer["data"])


def delete_pin(session: Session, pin: Pin) -> None:
    """Delete a pin; already gone is fine.

    A server may turn it into a pin of its own when the way to its default version crosses a breaking change.
    """
    with suppress(NotFoundError):
        session.client.post("scoped_configuration/delete", {"scopedConfigurationId": pin.id})
    session.inventory.forget_versions()


def upcoming_breaking_changes(session: Session, kind: Kind, actor_id: str) -> list[dict[str, Any]]:
    """The breaking changes between an actor's version and the server's default one, as the server tells them."""
    answer = session.client.post(f"actor_definition_versions/get_for_{kind.name}", {kind.id_field: actor_id})
    return list((answer.get("breakingChanges") or {}).get("upcomingBreakingChanges") or [])


def ordinal(version: str) -> tuple[int, ...] | None:
    """A version as numbers that compare; None for a tag that is no plain version, as `dev`."""
    return tuple(int(part) for part in version.split(".")) if re.fullmatch(r"\d+\.\d+\.\d+", version) else None


def _pin(session: Session, definition_id: str, scope_type: str, scope_id: str) -> Pin | None:
    for pin in session.inventory.pins():
        if (pin.resource_id, pin.scope_type, pin.scope_id) == (definition_id, scope_type, scope_id):
            return pin
    return None

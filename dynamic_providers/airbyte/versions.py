"""Versions: which one an actor runs, and the pins that hold a workspace or an actor at one.

A pin is a scoped configuration; the narrowest scope wins: actor, workspace, organization, and without any the
definition's default version counts. A workspace's pin applies before its first source exists, and neither a platform
upgrade nor the registry's own updates move it. See
https://docs.airbyte.com/platform/managing-airbyte/connector-updates
"""

from contextlib import suppress
from typing import Final

from dynamic_providers.airbyte.breaking_changes import ordinal as ordinal
from dynamic_providers.airbyte.errors import (
    NotFoundError,
    OutcomeUnknownError,
    UnknownConnectorError,
    UnknownVersionError,
    VersionHeldError,
)
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE, Kind, kind_of
from dynamic_providers.airbyte.models import Actor, ActorVersion, Definition, Pin
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


def resolved(session: Session, kind: Kind, definition_id: str, workspace_id: str, actor_id: str = "") -> str | None:
    """The tag that counts for an actor or, without one, in a workspace; None for an unknown definition.

    From the lists alone, so that a refresh of a thousand actors asks nothing more.
    """
    pin = actor_pin(session, definition_id, actor_id) if actor_id else None
    if pin is not None and pin.value_name:
        return pin.value_name
    definitions = session.inventory.definitions(kind, workspace_id)
    return next((d.docker_image_tag for d in definitions if d.definition_id == definition_id), None)


def running(session: Session, kind: Kind, actor_id: str) -> ActorVersion:
    """The version an actor runs, asked of the server there and then."""
    answer = session.client.post(f"actor_definition_versions/get_for_{kind.name}", {kind.id_field: actor_id})
    return ActorVersion.model_validate(answer)


def workspace_pin(session: Session, definition_id: str, workspace_id: str) -> Pin | None:
    """The workspace's own pin of a connector, not one it inherits."""
    return _pin(session, definition_id, "workspace", workspace_id)


def actor_pin(session: Session, definition_id: str, actor_id: str) -> Pin | None:
    """A pin on one source or destination, which outranks the workspace's."""
    return _pin(session, definition_id, "actor", actor_id)


def write_pin(session: Session, definition_id: str, scope_type: str, scope_id: str, version_id: str) -> Pin:
    """Pin a connector in a workspace or for an actor, in place of the pin that may be there."""
    try:
        return _write_pin(session, definition_id, scope_type, scope_id, version_id)
    except OutcomeUnknownError:
        # It asks again what is there, which makes this safe: the pin is moved if it was made, and made if not.
        return _write_pin(session, definition_id, scope_type, scope_id, version_id)


def delete_pin(session: Session, pin: Pin) -> None:
    """Delete a pin; already gone is fine.

    A server newer than 2.0 turns it into pins of its own, of origin ``breaking_change``, where the way to the default
    version crosses a breaking change; so what came of it is to be read again.
    """
    with suppress(NotFoundError):
        session.client.post("scoped_configuration/delete", {"scopedConfigurationId": pin.id})
    session.inventory.forget_versions()


def hold(session: Session, kind: Kind, actor: Actor, tag: str, origin: str | None = None) -> None:
    """Make an actor run a version: by the workspace's where that is the same, else by a pin of its own.

    What came of it is read again. Raises UnknownVersionError before anything is written, and VersionHeldError where
    the actor still runs another version afterwards.
    """
    definition_id, actor_id = actor.definition_id, actor.actor_id
    if resolved(session, kind, definition_id, actor.workspace_id) == tag:
        pin = actor_pin(session, definition_id, actor_id)
        if pin is not None:
            release(session, kind, actor_id, pin)
    else:
        definitions = session.inventory.definitions(kind, actor.workspace_id)
        definition = next((d for d in definitions if d.definition_id == definition_id), None)
        definition = definition or Definition(definition_id=definition_id)
        write_pin(session, definition_id, "actor", actor_id, resolve(session, definition, kind, tag, origin))
    forget_actors(session, actor.workspace_id)
    now = running(session, kind, actor_id).docker_image_tag
    if now != tag:
        raise VersionHeldError(
            f"{kind.title} {actor.name} still runs {now} and not {tag}",
            origin=origin,
            why="Something else holds it, a rollout or an organization's pin",
            fix="See the connector's version in Airbyte, then run `pulumi refresh` and `pulumi up`.",
        )


def release(session: Session, kind: Kind, actor_id: str, pin: Pin) -> None:
    """Take an actor's own pin away, so that the workspace's version counts for it."""
    if pin.origin_type == "breaking_change":
        session.client.post(f"{kind.collection}/upgrade_version", {kind.id_field: actor_id})
        session.inventory.forget_versions()
        return
    delete_pin(session, pin)
    left = actor_pin(session, pin.resource_id or "", actor_id)
    if left is not None and left.origin_type == "breaking_change":
        release(session, kind, actor_id, left)


def forget_actors(session: Session, workspace_id: str) -> None:
    """Read sources and destinations again: a version says whether a connector is still supported."""
    session.inventory.forget(*(("actors", kind.name, workspace_id) for kind in (SOURCE, DESTINATION)))


def _write_pin(session: Session, definition_id: str, scope_type: str, scope_id: str, version_id: str) -> Pin:
    """There is no upsert: a second pin for the same scope is an error of the server.

    So what is there is asked first, past the list that this process may have read minutes ago.
    """
    scope = {
        "config_key": _KEY,
        "resource_type": _RESOURCE,
        "resource_id": definition_id,
        "scope_type": scope_type,
        "scope_id": scope_id,
    }
    body = {
        **scope,
        "value": version_id,
        "origin": session.client.instance().default_user_id,
        "origin_type": "user",
        "description": "Pinned by the Pulumi program that manages this workspace",
    }
    active = session.client.post("scoped_configuration/get_context", dict(scope)).get("activeConfiguration")
    if active and (active.get("scope_type"), active.get("scope_id")) == (scope_type, scope_id):
        answer = session.client.post(
            "scoped_configuration/update", {"scopedConfigurationId": active["id"], "data": body}
        )
    else:
        answer = session.client.post("scoped_configuration/create", body)
    session.inventory.forget_versions()
    return Pin.model_validate(answer["data"])


def _pin(session: Session, definition_id: str, scope_type: str, scope_id: str) -> Pin | None:
    for pin in session.inventory.pins():
        if (pin.resource_id, pin.scope_type, pin.scope_id) == (definition_id, scope_type, scope_id):
            return pin
    return None

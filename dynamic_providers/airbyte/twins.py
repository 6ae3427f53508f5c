"""Two programs that make the same object at once, or an interrupted one whose create is still to come: one stays.

Airbyte takes any number of objects of one name and has no idempotency key, so a look before the create can't exclude
it. A look after it can: of two that look after their own create, the later one at least sees both. So the first one
stays, and who finds to be second takes back what was just made. Nothing that has synced is ever taken back.
"""

from collections.abc import Collection, Iterable

from dynamic_providers.airbyte import notices
from dynamic_providers.airbyte.errors import AlreadyExistsError
from dynamic_providers.airbyte.kinds import Kind
from dynamic_providers.airbyte.models import Actor, Connection
from dynamic_providers.airbyte.session import Session

_FIX = (
    "If that was another stack, give one of the two another name or let one of them manage it. If it was an "
    "interrupted run of this one, run `pulumi up` again: it is taken over."
)
_PAGE = 100
"""More connections than one pair of source and destination has, and more actors than one name."""


def withdraw_if_second(session: Session, kind: Kind, made: Actor, origin: str | None) -> None:
    """Delete what was just made, and raise AlreadyExistsError, if somebody made the same before or meanwhile.

    Times are whole seconds, so two objects of the same second may both be withdrawn: none is better than two.
    """
    others = [
        actor
        for actor in _of_name(session, kind, made)
        if (actor.name, actor.definition_id) == (made.name, made.definition_id)
        and actor.actor_id != made.actor_id
        and actor.created_at <= made.created_at
    ]
    if not others:
        return
    session.client.post(f"{kind.collection}/delete", {kind.id_field: made.actor_id})
    session.inventory.forget_actor(kind, made.workspace_id, made.actor_id)
    raise AlreadyExistsError(
        _withdrawn(f"{kind.title} {made.name}", (other.actor_id for other in others)), origin=origin, fix=_FIX
    )


def withdraw_connection_if_second(session: Session, workspace_id: str, made: Connection, origin: str | None) -> None:
    """The same for a connection, of the same source, destination and name.

    One that has synced is first whenever it was made. Where the one made here has synced too, by a schedule that was
    faster, both stay and the error says so.
    """
    others = [
        other
        for other in _of_pair(session, workspace_id, made)
        if other.created_at <= made.created_at or _has_synced(session, other.connection_id)
    ]
    if not others:
        return
    session.inventory.forget(("connections", workspace_id))
    ids = [other.connection_id for other in others]
    if _has_synced(session, made.connection_id):
        raise AlreadyExistsError(
            f"Connection {made.name} exists more than once, as {', '.join(sorted([*ids, made.connection_id]))}, and "
            "more than one of them has synced already, so none was removed",
            origin=origin,
            fix="See which one has the data you want and delete the others in Airbyte; then run `pulumi up` again.",
        )
    session.client.post("connections/delete", {"connectionId": made.connection_id})
    raise AlreadyExistsError(_withdrawn(f"Connection {made.name}", ids), origin=origin, fix=_FIX)


def warn_of_second(session: Session, workspace_id: str, connection: Connection) -> None:
    """Say that another connection has the same ends and name: the create of a killed run that came late, perhaps."""

    def fetch() -> dict[tuple[str, str, str], list[str]]:
        found: dict[tuple[str, str, str], list[str]] = {}
        for each in session.inventory.connections(workspace_id).values():
            found.setdefault((each.source_id, each.destination_id, each.name), []).append(each.connection_id)
        return found

    alike = session.inventory.listed(("alike", workspace_id), fetch)
    ids = alike.get((connection.source_id, connection.destination_id, connection.name), ())
    if others := sorted(id_ for id_ in ids if id_ != connection.connection_id):
        notices.warn(
            session,
            f"Connection {connection.name} is {connection.connection_id}, and {', '.join(others)} has the same name, "
            "source and destination: both would load the same tables. If a run that was killed left it behind, "
            "delete it in Airbyte.",
        )


def _of_name(session: Session, kind: Kind, made: Actor) -> Collection[Actor]:
    """The actors of that name, as the server has them now, and perhaps others."""
    if session.client.release.searches_actors:
        # The list of all is long in a large workspace, and this is asked at every create.
        body = {"workspaceId": made.workspace_id, "filters": {"searchTerm": made.name}, "pageSize": _PAGE}
        found = session.client.post(f"{kind.collection}/list", body).get(kind.collection, [])
        if len(found) < _PAGE:
            session.inventory.remember_actor(kind, made)
            return [kind.actor(read) for read in found]
    session.inventory.forget(("actors", kind.name, made.workspace_id))
    return session.inventory.actors(kind, made.workspace_id).values()


def _of_pair(session: Session, workspace_id: str, made: Connection) -> list[Connection]:
    """The other connections of that source, destination and name, as the server has them now."""
    # The list of whole connections is megabytes long in a large workspace, and this is asked at every create.
    body = {
        "workspaceId": workspace_id,
        "sourceId": [made.source_id],
        "destinationId": [made.destination_id],
        "pageSize": _PAGE,
    }
    listed = session.client.post("web_backend/connections/list", body).get("connections", [])
    alike = [item for item in listed if item["name"] == made.name and item["connectionId"] != made.connection_id]
    reads = (session.client.post("connections/get", {"connectionId": item["connectionId"]}) for item in alike)
    ends = (made.source_id, made.destination_id)
    return [
        other
        for other in map(Connection.model_validate, reads)
        if (other.source_id, other.destination_id) == ends and not other.is_deleted
    ]


def _has_synced(session: Session, connection_id: str) -> bool:
    """Whether it has a sync state, or a job that ran, runs or waits."""
    state = session.client.post("state/get", {"connectionId": connection_id})
    if state.get("stateType") not in (None, "not_set"):
        return True
    body = {
        "configTypes": ["sync", "refresh"],
        "configId": connection_id,
        "pagination": {"pageSize": 1, "rowOffset": 0},
    }
    return bool(session.client.post("jobs/list", body).get("jobs"))


def _withdrawn(what: str, others: Iterable[str]) -> str:
    return (
        f"{what} was made by somebody else at the same time, as {', '.join(sorted(others))}; the one made here was "
        "removed again"
    )

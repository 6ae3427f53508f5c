"""Two programs that make the same source or destination at once: at most one of the two objects stays.

Airbyte takes any number of objects of one name and has no idempotency key, so a look before the create can't exclude
it. A look after it can: of two that look after their own create, the later one at least sees both.
"""

from dynamic_providers.airbyte.errors import AlreadyExistsError
from dynamic_providers.airbyte.kinds import Kind
from dynamic_providers.airbyte.models import Actor
from dynamic_providers.airbyte.session import Session


def withdraw_if_second(session: Session, kind: Kind, made: Actor, origin: str | None) -> None:
    """Delete what was just made, and raise AlreadyExistsError, if somebody made the same before or meanwhile.

    Times are whole seconds, so two objects of the same second may both be withdrawn: none is better than two.
    """
    session.inventory.forget(("actors", kind.name, made.workspace_id))
    others = [
        actor
        for actor in session.inventory.actors(kind, made.workspace_id).values()
        if (actor.name, actor.definition_id) == (made.name, made.definition_id)
        and actor.actor_id != made.actor_id
        and actor.created_at <= made.created_at
    ]
    if not others:
        return
    session.client.post(f"{kind.collection}/delete", {kind.id_field: made.actor_id})
    session.inventory.forget_actor(kind, made.workspace_id, made.actor_id)
    raise AlreadyExistsError(
        f"{kind.title} {made.name} was made by somebody else at the same time, as "
        f"{', '.join(sorted(other.actor_id for other in others))}; the one made here was removed again",
        origin=origin,
        fix="If that was another stack, give one of the two another name or let one of them manage it. If it was an "
        "interrupted run of this one, run `pulumi up` again: it is taken over.",
    )

"""Who uses a connector: deleting a definition deletes all that is made of it, so that is looked at first."""

from dynamic_providers.airbyte.errors import InUseError
from dynamic_providers.airbyte.kinds import Kind
from dynamic_providers.airbyte.session import Session


def refuse_if_used(
    session: Session, kind: Kind, definition_id: str, connector: str, workspace_id: str, allowed: str | None
) -> None:
    """Raise InUseError, with their names, where sources or destinations exist and no reason to delete them is given.

    The server lists a workspace at a time, so users in other workspaces are not seen.
    """
    if allowed:
        return
    session.inventory.forget(("actors", kind.name, workspace_id))
    actors = session.inventory.actors(kind, workspace_id).values()
    names = sorted(actor.name for actor in actors if actor.definition_id == definition_id)
    if names:
        raise InUseError(
            f"Connector {connector} is not deleted, since Airbyte would delete with it the {kind.collection} made of "
            f"it, {', '.join(names)}, and their connections",
            fix=f"Delete the {kind.collection} first, or give a reason as `delete_in_use` and run `pulumi up`, then "
            "delete the connector.",
        )

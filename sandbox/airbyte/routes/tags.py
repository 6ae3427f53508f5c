"""Tags of a workspace, since 1.5."""

from __future__ import annotations

import re

from sandbox.airbyte.entities import Tag, new_id
from sandbox.airbyte.errors import NotFoundError, ProblemError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.wire import Answer, Body, Endpoints, Json

api = Endpoints()

_SINCE = (1, 5)
_LONGEST_NAME = 30


@api.post("/v1/tags/list", since=_SINCE)
def list_tags(instance: Instance, body: Body) -> list[Json]:
    """The tags of a workspace."""
    workspace_id = body.id("workspaceId")
    return [read(tag) for tag in instance.store.tags if tag.workspace_id == workspace_id]


@api.post("/v1/tags/create", since=_SINCE)
def create(instance: Instance, body: Body) -> Json:
    """A new tag."""
    tag = Tag(new_id(), instance.store.workspaces.get(body.id("workspaceId")).id, body.text("name"), body.text("color"))
    return read(_save(instance, tag))


@api.post("/v1/tags/update", since=_SINCE)
def update(instance: Instance, body: Body) -> Json:
    """Rename or recolour a tag, also on the connections that have it."""
    held = _held(instance, body)
    tag = _save(instance, Tag(held.id, held.workspace_id, body.text("name"), body.text("color")))
    for connection in instance.store.connections:
        if any(worn["tagId"] == tag.id for worn in connection.tags):
            connection.tags = [read(tag) if worn["tagId"] == tag.id else worn for worn in connection.tags]
            instance.store.connections.save(connection)
    return read(tag)


@api.post("/v1/tags/delete", status=204, since=_SINCE)
def delete(instance: Instance, body: Body) -> Answer:
    """Remove a tag, also from the connections that have it."""
    tag = _held(instance, body)
    instance.store.tags.remove(tag.id)
    for connection in instance.store.connections:
        if any(worn["tagId"] == tag.id for worn in connection.tags):
            connection.tags = [worn for worn in connection.tags if worn["tagId"] != tag.id]
            instance.store.connections.save(connection)
    return None


def _held(instance: Instance, body: Body) -> Tag:
    """The tag of the body, which must also name its workspace."""
    tag, workspace_id = instance.store.tags.get(body.id("tagId")), body.id("workspaceId")
    if tag.workspace_id != workspace_id:
        raise NotFoundError("TAG", tag.id)
    return tag


def _save(instance: Instance, tag: Tag) -> Tag:
    if len(tag.name) > _LONGEST_NAME:
        raise ProblemError(
            400, "error:tag-name-too-long", "Tag name too long", f"A name has up to {_LONGEST_NAME} letters."
        )
    if not re.fullmatch(r"[0-9A-Fa-f]{6}", tag.color):
        raise ProblemError(400, "error:tag-invalid-hex-color", "Invalid colour", "A colour is six hexadecimal digits.")
    twins = (t for t in instance.store.tags if t.workspace_id == tag.workspace_id and t.id != tag.id)
    if any(twin.name == tag.name for twin in twins):
        raise ProblemError(
            409, "error:tag-already-exists", "Tag already exists", "The workspace has a tag of that name."
        )
    return instance.store.tags.save(tag)


def read(tag: Tag) -> Json:
    """``Tag``."""
    return {"tagId": tag.id, "workspaceId": tag.workspace_id, "name": tag.name, "color": tag.color}

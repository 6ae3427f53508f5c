"""What the server holds, read once per command: one paged list a kind, shared by all resources and threads.

A clean refresh so costs the same few calls whatever the number of resources. Writes of our own are entered here;
one whose outcome is unknown makes the list be read again.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Any

from dynamic_providers.airbyte import commands
from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.errors import UnauthorizedError
from dynamic_providers.airbyte.kinds import Kind
from dynamic_providers.airbyte.models import Actor, Connection, Definition, Discovery, Pin, Specification

PAGE_SIZE = 1000


class Inventory:
    """Lists of one server, each fetched when first asked for; safe to share between threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._shelves: dict[Hashable, _Shelf] = {}
        self._lock = threading.Lock()

    def actors(self, kind: Kind, workspace_id: str) -> dict[str, Actor]:
        """The workspace's sources or destinations by id; deleted ones are not among them."""

        def fetch() -> dict[str, Actor]:
            reads: list[dict[str, Any]] = []
            while True:
                page = self._client.post(
                    f"{kind.collection}/list_paginated",
                    {
                        "workspaceIds": [workspace_id],
                        "includeDeleted": False,
                        "pagination": {"pageSize": PAGE_SIZE, "rowOffset": len(reads)},
                    },
                ).get(kind.collection, [])
                reads += page
                if len(page) < PAGE_SIZE:
                    actors = (kind.actor(read) for read in reads)
                    # A deleted actor keeps its row and loses its configuration.
                    return {a.actor_id: a for a in actors if a.connection_configuration is not None}

        return dict(self._get(("actors", kind.name, workspace_id), fetch))

    def connections(self, workspace_id: str) -> dict[str, Connection]:
        """The workspace's connections by id; deleted ones are not among them."""

        def fetch() -> dict[str, Connection]:
            reads = self._client.post("connections/list", {"workspaceId": workspace_id}).get("connections", [])
            connections = (Connection.model_validate(read) for read in reads)
            return {c.connection_id: c for c in connections if not c.is_deleted}

        return dict(self._get(("connections", workspace_id), fetch))

    def definitions(self, kind: Kind, workspace_id: str) -> list[Definition]:
        """The connectors of that kind, at the versions that the workspace resolves to."""

        def fetch() -> list[Definition]:
            answer = self._client.post(f"{kind.definitions}/list_for_workspace", {"workspaceId": workspace_id})
            return [kind.definition(read) for read in answer.get(f"{kind.name}Definitions", [])]

        return list(self._get(("definitions", kind.name, workspace_id), fetch))

    def pins(self) -> list[Pin]:
        """All version pins of the instance; none where the application may not read them."""

        def fetch() -> list[Pin]:
            try:
                answer = self._client.post("scoped_configuration/list", {"config_key": "connector_version"})
            except UnauthorizedError as error:
                if error.status == 403:
                    return []
                raise
            return [Pin.model_validate(read) for read in answer.get("scopedConfigurations", [])]

        return list(self._get("pins", fetch))

    def specification(self, kind: Kind, definition_id: str, workspace_id: str, actor_id: str = "") -> Specification:
        """The spec of a connector, at an actor's own version where a pin holds it at one, else at the workspace's."""
        pinned = actor_id and any((p.scope_id, p.resource_id) == (actor_id, definition_id) for p in self.pins())

        def fetch() -> Specification:
            if pinned:
                operation, body = f"{kind.specifications}/get_for_{kind.name}", {kind.id_field: actor_id}
            else:
                operation = f"{kind.specifications}/get"
                body = {kind.definition_field: definition_id, "workspaceId": workspace_id}
            return Specification.model_validate(self._client.post(operation, body))

        at = actor_id if pinned else workspace_id
        spec: Specification = self._get(("specification", kind.name, definition_id, at), fetch)
        return spec

    def discovery(self, source_id: str, *, fresh: bool = False) -> Discovery:
        """What streams a source has; `fresh` makes the server look again instead of in its cache."""
        key = ("discovery", source_id, fresh)

        discovery: Discovery = self._get(key, lambda: commands.discover(self._client, source_id, fresh=fresh))
        return discovery

    def remember_actor(self, kind: Kind, actor: Actor) -> None:
        """Enter an actor we created or updated, and forget what was discovered of it before."""
        self._change(("actors", kind.name, actor.workspace_id), actor.actor_id, actor)
        self.forget(("discovery", actor.actor_id, False), ("discovery", actor.actor_id, True))

    def forget_actor(self, kind: Kind, workspace_id: str, actor_id: str) -> None:
        """Take out an actor we deleted; the server deletes its connections along with it."""
        self._change(("actors", kind.name, workspace_id), actor_id, None)
        self.forget(("connections", workspace_id))

    def remember_connection(self, workspace_id: str, connection: Connection) -> None:
        """Enter a connection we created or updated."""
        self._change(("connections", workspace_id), connection.connection_id, connection)

    def forget_connection(self, workspace_id: str, connection_id: str) -> None:
        """Take out a connection we deleted."""
        self._change(("connections", workspace_id), connection_id, None)

    def forget_versions(self) -> None:
        """Read pins, definitions and specs again: a pin was changed."""
        with self._lock:
            keys = [k for k in self._shelves if k == "pins" or k[0] in ("definitions", "specification")]  # type: ignore[index]
        self.forget(*keys)

    def listed(self, key: Hashable, fetch: Callable[[], Any]) -> Any:
        """Any other list that many resources share, by a key that `forget` takes."""
        return self._get(key, fetch)

    def forget(self, *keys: Hashable) -> None:
        """Read these lists again when next asked for."""
        with self._lock:
            for key in keys:
                self._shelves.pop(key, None)

    def _get(self, key: Hashable, fetch: Callable[[], Any]) -> Any:
        with self._lock:
            shelf = self._shelves.setdefault(key, _Shelf())
        return shelf.get(fetch)

    def _change(self, key: Hashable, item_id: str, item: object | None) -> None:
        with self._lock:
            shelf = self._shelves.get(key)
        if shelf is not None:
            shelf.change(item_id, item)


class _Shelf:
    """One list: whoever asks first fetches it, the others wait for that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._filled = False
        self._content: Any = None

    def get(self, fetch: Callable[[], Any]) -> Any:
        with self._lock:
            if not self._filled:
                self._content = fetch()
                self._filled = True
            return self._content

    def change(self, item_id: str, item: object | None) -> None:
        with self._lock:
            if not self._filled:
                return
            content = dict(self._content)  # readers may still go through the old one
            if item is None:
                content.pop(item_id, None)
            else:
                content[item_id] = item
            self._content = content

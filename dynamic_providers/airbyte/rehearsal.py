"""Everything a deployment would ask before it writes, asked of the server without a write.

The resources' own code runs here, on a client that refuses what would change something. Whatever is raised before the
first write is what a deployment would be refused with; reaching that write means that nothing stands in its way. What
earlier steps would have made, a moved version or a new source, is supposed for the later ones.
"""

import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from dynamic_providers.airbyte import commands, gates, versions
from dynamic_providers.airbyte.actor import ActorResource
from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.connection import ConnectionResource
from dynamic_providers.airbyte.connector_version import ConnectorVersionResource
from dynamic_providers.airbyte.errors import (
    AirbyteError,
    CheckCrashedError,
    CheckFailedError,
    CheckNotRunError,
    DiscoverFailedError,
    DiscoverNotRunError,
    InvalidConfigError,
    ServerError,
    UnauthorizedError,
    UnreachableError,
)
from dynamic_providers.airbyte.inventory import Inventory
from dynamic_providers.airbyte.kinds import SOURCE, Kind
from dynamic_providers.airbyte.models import Actor, Definition, Discovery
from dynamic_providers.airbyte.session import Session
from dynamic_providers.crud import Resource
from dynamic_providers.values import Properties, known

_READS: Final = re.compile(
    r".+/(list\w*|get\w*|search|resolve|most_recent_\w+|check_connection|discover_schema)"
    r"|commands/(run|output)/(check|discover)|commands/(status|cancel)"
)
"""Operations that leave every object as it is. `resolve` may note a version that the registry has."""

_NO_ANSWER = (
    CheckCrashedError,
    CheckNotRunError,
    DiscoverNotRunError,
    UnreachableError,
    UnauthorizedError,
    ServerError,
)
"""Errors that say nothing about what is declared."""


class Outcome(StrEnum):
    """How a rehearsal ended."""

    UNCHANGED = "unchanged"
    """A deployment would leave it as it is, and so asks nothing."""
    PASSED = "passed"
    WAIVED = "waived"
    """It would be deployed without a check, for the reason that is given."""
    FAILED = "failed"
    """The connector says no."""
    REFUSED = "refused"
    """A rule says no: of versions, of the connector's spec, of streams, of what exists already."""
    NOT_CHECKED = "not_checked"
    """Nobody can tell, and why."""


@dataclass(frozen=True)
class Known:
    """A resource as the stack's state has it."""

    id: str
    inputs: Properties
    outputs: Properties


@dataclass(frozen=True)
class Rehearsed:
    """What came of one resource."""

    outcome: Outcome
    message: str = ""
    """The paragraph that a deployment would end with, or why nothing can be told."""
    notes: tuple[str, ...] = ()
    id: str = ""
    """The server's, or a supposed one where it would be made."""
    by_spec: bool = False
    """Whether it is the connector's spec that refused, which is another one in another version."""


class WouldWriteError(Exception):
    """An operation that changes something was to be sent, and was not."""

    def __init__(self, operation: str) -> None:
        """`operation` is the path below /api/v1."""
        super().__init__(f"{operation} was not sent: this only rehearses")
        self.operation = operation


class ReadOnlyClient(Client):
    """A client that reads, checks and discovers; anything else raises WouldWriteError and is not sent."""

    _asked = threading.local()

    def post(
        self, operation: str, body: dict[str, Any] | None = None, *, unretried: frozenset[int] = frozenset()
    ) -> dict[str, Any]:
        """See Client.post. A tag that a connection would be given is made up, as nothing depends on it."""
        if operation == "tags/create":
            return {**(body or {}), "tagId": str(uuid.uuid4())}
        self._refuse_writes(operation)
        return super().post(operation, body, unretried=unretried)

    def post_many(self, operation: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        """See Client.post_many."""
        self._refuse_writes(operation)
        return super().post_many(operation, body)

    @contextmanager
    def overheard(self) -> Iterator[list[str]]:
        """The operations that this thread asks for meanwhile."""
        operations: list[str] = []
        self._asked.operations = operations
        try:
            yield operations
        finally:
            del self._asked.operations

    def _refuse_writes(self, operation: str) -> None:
        if not _READS.fullmatch(operation):
            raise WouldWriteError(operation)
        with suppress(AttributeError):
            self._asked.operations.append(operation)


class SupposedInventory(Inventory):
    """What the server would hold after the steps rehearsed so far."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._client_ = client
        self._versions: dict[str, str] = {}
        self._actors: dict[str, tuple[Kind, Actor]] = {}
        self._real: dict[str, str | None] = {}

    def definitions(self, kind: Kind, workspace_id: str) -> list[Definition]:
        """The connectors, at the versions that they would be pinned at."""
        return [
            definition.model_copy(
                update={"docker_image_tag": self._versions.get(definition.definition_id, definition.docker_image_tag)}
            )
            for definition in super().definitions(kind, workspace_id)
        ]

    def actors(self, kind: Kind, workspace_id: str) -> dict[str, Actor]:
        """The sources or destinations, with those that would be made or changed."""
        supposed = {id_: actor for id_, (of, actor) in self._actors.items() if of == kind}
        return {**super().actors(kind, workspace_id), **supposed}

    def discovery(self, source_id: str, *, fresh: bool = False) -> Discovery:
        """What streams a source has, asked with the configuration that it would have."""
        if source_id not in self._actors:
            return super().discovery(source_id, fresh=fresh)
        actor = self._actors[source_id][1]

        def ask() -> Discovery:
            return commands.discover_unsaved(
                self._client_,
                definition_id=actor.definition_id,
                workspace_id=actor.workspace_id,
                config=actor.connection_configuration or {},
                source_id=self._real[source_id],
            )

        found: Discovery = self.listed(("supposed discovery", source_id), ask)
        return found

    def running(self, kind: Kind, workspace_id: str, definition_id: str) -> str | None:
        """The version that the workspace really runs, whatever it would be pinned at."""
        real = super().definitions(kind, workspace_id)
        return next((d.docker_image_tag for d in real if d.definition_id == definition_id), None)

    def suppose_version(self, definition_id: str, version: str) -> None:
        """Take a connector for pinned."""
        self._versions[definition_id] = version

    def suppose_actor(self, kind: Kind, actor: Actor, real_id: str | None) -> None:
        """Take a source or destination for made or changed; `real_id` is its id where it exists."""
        self._actors[actor.actor_id], self._real[actor.actor_id] = (kind, actor), real_id


class Rehearsal:
    """Rehearses the resources of one deployment: pins first, then sources and destinations, then connections.

    Safe to use from several threads. Without the stack's state (`stateful` is False) an object of the declared name is
    taken for ours, and compared with the server instead.
    """

    def __init__(self, client: ReadOnlyClient, workspace_id: str | None = None, *, stateful: bool = True) -> None:
        self.session = Session(client, workspace_id)
        self._client = client
        self._inventory = self.session.inventory = SupposedInventory(client)
        self._stateful = stateful

    def pin(self, news: Properties, state: Known | None) -> Rehearsed:
        """Rehearse a version pin: its tag is looked up, and breaking changes are refused."""
        result = self._run(ConnectorVersionResource(self.session), news, state)
        with suppress(AirbyteError):
            workspace_id = self.session.workspace(news.get("workspace_id"))
            definition = versions.find_definition(self.session, news["connector"], workspace_id)
            # Even a refused one: what it would be checked with besides is worth knowing too.
            self._inventory.suppose_version(definition.definition_id, news["version"])
        return result

    def actor(self, kind: Kind, news: Properties, state: Known | None) -> Rehearsed:
        """Rehearse a source or destination: it is checked unless nothing of it would change."""
        try:
            workspace_id = self.session.workspace(news.get("workspace_id"))
            definition = versions.find_definition(self.session, news["connector"], workspace_id, news.get("origin"))
        except AirbyteError as error:
            return self._ended(error)
        news = {**news, "workspace_id": workspace_id, "definition_id": definition.definition_id}
        there = self._there(kind, news, state)
        with self._client.overheard() as operations:
            result = self._run(ActorResource(self.session, kind), news, state)
            if result.outcome is Outcome.UNCHANGED and _checks(operations):
                result = replace(result, outcome=Outcome.PASSED)  # its secrets can't be compared, so they were tried
            if result.outcome is Outcome.PASSED and not news.get("skip_check"):
                result = self._check_at_present_version(result, kind, news, there, operations)
        result = self._at_another_version(result, kind, news, there, operations)
        if result.outcome is Outcome.PASSED and news.get("skip_check"):
            result = replace(result, outcome=Outcome.WAIVED)
        if result.outcome is Outcome.UNCHANGED:
            return replace(result, id=there.actor_id if there else "")
        return replace(result, id=self._suppose(kind, news, there))

    def connection(self, news: Properties, state: Known | None) -> Rehearsed:
        """Rehearse a connection: its streams are discovered, and the rules applied, unless nothing would change."""
        return self._run(ConnectionResource(self.session), news, state)

    # -- one resource -----------------------------------------------------------------------------------------------

    def _run(self, resource: Resource, news: Properties, state: Known | None) -> Rehearsed:
        """Lead a resource through what the engine would do with it, up to the first write."""
        if state is None and not self._stateful:
            news = {**news, "adopt": news.get("adopt") or True}
        try:
            checked = resource.check(dict(state.inputs) if state else {}, dict(news))
            if checked.failures:
                return Rehearsed(Outcome.REFUSED, self._scrubbed(" ".join(checked.failures)))
            if state is not None:
                difference = resource.diff(state.id, dict(state.outputs), dict(checked.inputs))
                if not difference.changed:
                    return Rehearsed(Outcome.UNCHANGED)
                if not difference.replaces:
                    resource.update(state.id, dict(state.outputs), dict(checked.inputs))
                    return Rehearsed(Outcome.UNCHANGED)
            resource.create(dict(checked.inputs))
        except WouldWriteError:
            return Rehearsed(Outcome.PASSED)
        except AirbyteError as error:
            return self._ended(error)
        return Rehearsed(Outcome.UNCHANGED)

    def _ended(self, error: AirbyteError) -> Rehearsed:
        message = self._scrubbed(str(error))
        if isinstance(error, _NO_ANSWER):
            return Rehearsed(Outcome.NOT_CHECKED, message)
        said_no = isinstance(error, CheckFailedError | DiscoverFailedError)
        outcome = Outcome.FAILED if said_no else Outcome.REFUSED
        return Rehearsed(outcome, message, by_spec=isinstance(error, InvalidConfigError))

    def _scrubbed(self, text: str) -> str:
        return self.session.redactor.scrub(text)

    # -- sources and destinations -----------------------------------------------------------------------------------

    def _there(self, kind: Kind, news: Properties, state: Known | None) -> Actor | None:
        """The actor that would be changed or taken over, where there is one."""
        with suppress(AirbyteError):
            actors = self._inventory.actors(kind, news["workspace_id"])
            if state is not None and known(state.outputs.get("definition_id")) == news["definition_id"]:
                return actors.get(state.id)
            if isinstance(news.get("adopt"), str):
                return actors.get(news["adopt"])
            same = (news[kind.name_input], news["definition_id"])
            return next((a for a in actors.values() if (a.name, a.definition_id) == same), None)
        return None

    def _check_at_present_version(
        self, result: Rehearsed, kind: Kind, news: Properties, there: Actor | None, operations: list[str]
    ) -> Rehearsed:
        """Check a configuration whose deployment would check it only after a version was moved for it."""
        moves = there is not None and self._running(kind, news, there) != news["connector_version"]
        if _checks(operations) or not moves:
            return result
        subject = gates.Subject(
            kind, news[kind.name_input], news["connector"], str(news["connector_version"]), news.get("origin")
        )
        try:
            gates.check(
                self.session,
                subject,
                definition_id=news["definition_id"],
                workspace_id=news["workspace_id"],
                config=news["config"],
                actor_id=there.actor_id if there else None,
            )
        except AirbyteError as error:
            return self._ended(error)
        return result

    def _at_another_version(
        self, result: Rehearsed, kind: Kind, news: Properties, there: Actor | None, operations: list[str]
    ) -> Rehearsed:
        """Say so where the check ran at another version than is declared, as the pin can't be moved for it."""
        checked = result.by_spec or _checks(operations)
        running, wanted = self._running(kind, news, there), news["connector_version"]
        if not checked or running in (None, wanted):
            return result
        note = (
            f"Tried at {running}, which runs now: {wanted} can be tried only once it is pinned, which `pulumi up` does."
        )
        if result.outcome is Outcome.FAILED or result.by_spec:
            return Rehearsed(Outcome.NOT_CHECKED, f"{note} At {running}: {result.message}")
        return replace(result, notes=(note,))

    def _running(self, kind: Kind, news: Properties, there: Actor | None) -> str | None:
        with suppress(AirbyteError):
            pin = versions.actor_pin(self.session, news["definition_id"], there.actor_id) if there else None
            if pin is not None and pin.value_name:
                return pin.value_name
            return self._inventory.running(kind, news["workspace_id"], news["definition_id"])
        return None

    def _suppose(self, kind: Kind, news: Properties, there: Actor | None) -> str:
        """Enter the actor as it would be, for its connections; gives its id."""
        id_ = there.actor_id if there else str(uuid.uuid4())
        supposed = Actor(
            actor_id=id_,
            definition_id=news["definition_id"],
            workspace_id=news["workspace_id"],
            name=news[kind.name_input],
            connection_configuration=news["config"],
            support_state=there.support_state if there else None,
            breaking_changes=there.breaking_changes if there else None,
        )
        if kind == SOURCE or there is None:
            self._inventory.suppose_actor(kind, supposed, there.actor_id if there else None)
        return id_


def _checks(operations: list[str]) -> bool:
    return any("check" in operation for operation in operations)

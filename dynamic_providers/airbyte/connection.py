"""Connection: which streams go from a source to a destination, how and when."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from dynamic_providers.airbyte import (
    after_change,
    catalog,
    connection_api,
    events,
    gates,
    mappers,
    notices,
    stale,
    state_loss,
    streams,
    takeover,
    twins,
)
from dynamic_providers.airbyte import schedule as schedules
from dynamic_providers.airbyte.errors import (
    AirbyteError,
    AlreadyExistsError,
    InvalidStreamsError,
    NotFoundError,
    OutcomeUnknownError,
    StateLossError,
)
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE
from dynamic_providers.airbyte.models import Connection
from dynamic_providers.airbyte.session import Session
from dynamic_providers.crud import Checked, Difference, Live, changed_keys, present
from dynamic_providers.values import Properties, contains_unknown, known

_TYPE: Final = "connection"
_ENDPOINTS: Final = state_loss.ENDPOINTS
_FOUND: Final = ("stream_namespaces", "stream_files")
_COMPARED: Final = (*connection_api.MANAGED, *_ENDPOINTS)
_INPUTS: Final = (*_COMPARED, "status_reason", "adopt", "allow_state_loss", "allow_unsupported", "after_change")


@dataclass(frozen=True)
class ConnectionResource:
    """A connection. Its id is the server's; inputs are those of the resource class of the same name.

    Outputs: also ``workspace_id``, ``stream_namespaces``, where in the source each stream was found, ``stream_files``,
    the streams for which the server chose to load files too, and ``stale_streams``, as the module stale describes. A
    refresh adds ``status_reason`` to a connection that was switched off outside the program.
    """

    session: Session

    def check(self, olds: Properties, news: Properties) -> Checked:
        """Put streams and schedule into canonical form, and refuse what would lose the sync's state unasked."""
        inputs = dict(news)
        name = str(known(inputs.get("connection_name"), ""))
        origin = inputs.pop("origin", None)
        if origin:
            self.session.origins[_TYPE, name] = origin
        for key in ("tags", "operation_ids"):
            if not contains_unknown(inputs.get(key)):
                inputs[key] = sorted(set(inputs.get(key) or []))
        self._guard(inputs)
        failures: list[str] = []
        for key, canonical in (("streams", streams.canonical), ("schedule", schedules.canonical)):
            if contains_unknown(inputs.get(key)):
                continue
            try:
                inputs[key] = canonical(inputs.get(key) or {})
            except AirbyteError as error:
                failures.append(self._message(name, str(error)))
        failures += [self._message(name, problem) for problem in connection_api.problems(inputs)]
        if not inputs.get("allow_state_loss"):
            failures += [self._message(name, loss) for loss in state_loss.losses(olds, inputs)]
        if inputs.get("after_change") not in (None, *after_change.CHOICES):
            wrong = (
                f"after_change: {inputs['after_change']!r} is unknown. Use one of {', '.join(after_change.CHOICES)}."
            )
            failures.append(self._message(name, wrong))
        if inputs.get("after_change") == "none":
            inputs["after_change"] = None
        if not failures:
            self._tell(olds, inputs, name)
        return Checked(present(inputs), tuple(failures))

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """Everything changes in place but the endpoints: another source or destination is another connection.

        An endpoint that is not known yet is one that is about to be made, so another one too.
        """
        changed = changed_keys(comparable(olds), comparable(news), _COMPARED)
        if olds.get("stale_streams") and news.get("after_change"):
            changed += ("after_change",)
        # Two connections of one name and schedule would load the same tables, so the old one goes first.
        return Difference(changed, tuple(key for key in changed if key in _ENDPOINTS), delete_before_replace=True)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Discover, apply the rules, and make it; or take over what is there already."""
        workspace_id = self._workspace(news)
        existing = self._existing(news, workspace_id)
        if existing is not None:
            return self._take_over(existing, news, workspace_id)
        plan, catalog_id = self._plan(news, workspace_id, None)
        namespaces = plan.namespaces
        body = {
            **connection_api.to_api(news, self._tags(news, workspace_id)),
            "sourceId": news["source_id"],
            "destinationId": news["destination_id"],
            "syncCatalog": plan.sync_catalog,
            "sourceCatalogId": catalog_id,
        }
        try:
            made = Connection.model_validate(self.session.client.post("connections/create", body))
        except OutcomeUnknownError:
            found = takeover.after_lost_answer(
                lambda: self.session.inventory.forget(("connections", workspace_id)),
                lambda: self._existing(news, workspace_id),
                self.session.client.sleep,
            )
            if found is None:
                raise
            return self._take_over(found, news, workspace_id)
        twins.withdraw_connection_if_second(self.session, workspace_id, made, self._origin(news))
        if any(news.get(key) for key in connection_api.IGNORED_BY_CREATE):
            made = self._send(made.connection_id, connection_api.to_api(news, None), workspace_id)
        self.session.inventory.remember_connection(workspace_id, made)
        return made.connection_id, self._outputs(news, workspace_id, _found(made, news, namespaces))

    def read(self, id_: str, olds: Properties) -> Live | None:
        """What the server has, in the words the program used where they mean the same."""
        connection = self.session.inventory.connections(olds["workspace_id"]).get(id_)
        if connection is None:
            return None
        self._guard(olds)
        twins.warn_of_second(self.session, olds["workspace_id"], connection)
        namespaces = olds.get("stream_namespaces") or {}
        live = connection_api.from_api(connection, olds, namespaces, olds.get("stream_files") or ())
        live |= events.status_reason(self.session, connection, olds)
        live |= stale.output(stale.remaining(self.session, connection, olds))
        read_anew = (*connection_api.MANAGED, "status_reason", "stale_streams")
        outputs = {**{key: value for key, value in olds.items() if key not in read_anew}, **live}
        return Live(present({key: outputs[key] for key in _INPUTS if key in outputs}), outputs)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Send what differs; the catalog only where streams do, after the rules."""
        workspace_id = str(olds.get("workspace_id") or self._workspace(news))
        connection = self.session.inventory.connections(workspace_id).get(id_)
        if connection is None:
            raise AlreadyExistsError(
                f"Connection {id_} was deleted outside this program",
                fix="Run `pulumi refresh`, then `pulumi up` makes a new one.",
            )
        return self._change(connection, olds, news, workspace_id)

    def delete(self, id_: str, olds: Properties) -> None:
        """Delete it; what it loaded stays in the destination."""
        self.session.client.post("connections/delete", {"connectionId": id_})
        self.session.inventory.forget_connection(str(olds.get("workspace_id")), id_)

    # -- what is there already ------------------------------------------------------------------------------------

    def _existing(self, news: Properties, workspace_id: str) -> Connection | None:
        ends = (news["source_id"], news["destination_id"], news["connection_name"])
        every = self.session.inventory.connections(workspace_id)
        of_pair = {id_: c for id_, c in every.items() if (c.source_id, c.destination_id) == ends[:2]}
        what = f"connection {news['connection_name']}"
        chosen = takeover.named(what, news.get("adopt"), of_pair, self._origin(news))
        if chosen is not None:
            return chosen
        found = [
            connection
            for connection in of_pair.values()
            if (connection.source_id, connection.destination_id, connection.name) == ends
        ]
        takeover.only_one(what, [c.connection_id for c in found], self._origin(news))
        return found[0] if found else None

    def _take_over(self, connection: Connection, news: Properties, workspace_id: str) -> tuple[str, Properties]:
        comparison = takeover.compare(connection, news)
        live, differing = comparison.live, comparison.differing
        found = _found(connection, news, comparison.namespaces)
        # A create that was interrupted leaves unset what only an update sets.
        unset = {key for key in connection_api.IGNORED_BY_CREATE if news.get(key) and not live.get(key)}
        foreign = [key for key in differing if key not in unset]
        if foreign and not news.get("adopt"):
            raise AlreadyExistsError(
                f"Connection {news['connection_name']} exists as {connection.connection_id}, with another "
                f"{', '.join(foreign)}, and is not known to this stack; nothing was written",
                origin=self._origin(news),
                fix="Set adopt: true to manage it from here on, or use another name.",
            )
        if differing:
            before = {**live, **{key: news[key] for key in _ENDPOINTS}, **found}
            losses = state_loss.losses(before, news)
            if losses and not news.get("allow_state_loss"):
                raise StateLossError(losses[0], origin=self._origin(news))
            return connection.connection_id, self._change(connection, before, news, workspace_id)
        return connection.connection_id, self._outputs(news, workspace_id, found)

    # -- writing --------------------------------------------------------------------------------------------------

    def _change(self, connection: Connection, olds: Properties, news: Properties, workspace_id: str) -> Properties:
        """Update the connection, then refresh or clear what no longer fits, if that is asked for; gives outputs."""
        choice = news.get("after_change")
        found = {key: olds.get(key) for key in _FOUND}
        unfit = stale.remaining(self.session, connection, olds)
        unfit |= stale.found(self.session, connection, olds, news)
        unfit = {key: job for key, job in unfit.items() if key in news["streams"]}
        since = None
        if unfit and choice:
            live = connection_api.from_api(connection, news, found["stream_namespaces"] or {})
            live |= {key: news[key] for key in _ENDPOINTS}
            if not after_change.affected(live, news):
                # It was changed before, so a job that puts it right may have been started too.
                since = after_change.changed_at(self.session, connection.connection_id)
        found = self._write(connection, olds, news, workspace_id) or found
        if unfit and choice:
            written = self.session.inventory.connections(workspace_id)[connection.connection_id]
            entries = streams.by_key(written.streams, news["streams"], found["stream_namespaces"] or {})
            pending = {key: entries[key] for key in sorted(unfit) if key in entries}
            left = after_change.settle(self.session, written, pending, choice, since)
            unfit = {key: unfit[key] for key in left}
        return self._outputs(news, workspace_id, found) | stale.output(unfit)

    def _write(
        self, connection: Connection, olds: Properties, news: Properties, workspace_id: str
    ) -> Properties | None:
        """Update the connection; gives what was found out about its streams if these were written."""
        differing = changed_keys(comparable(olds), comparable(news), connection_api.MANAGED)
        if not differing:
            return None
        body = connection_api.to_api(news, self._tags(news, workspace_id) if "tags" in differing else None)
        if "status" not in differing and connection.status == "inactive" != news["status"]:
            # Since the last refresh, so no preview has shown that it would be switched on again.
            del body["status"]
            events.warn_left_inactive(self.session, connection)
        plan = None
        # Active again as it was, the next sync would switch it off again: the streams have to fit the new schema.
        broken = connection.breaking_change and body.get("status") == "active"
        if "streams" in differing or broken:
            plan, catalog_id = self._plan(news, workspace_id, connection, olds.get("stream_files") or ())
            body |= {"syncCatalog": plan.sync_catalog, "sourceCatalogId": catalog_id}
            body |= {"breakingChange": False} if connection.breaking_change else {}
        written = self._send(connection.connection_id, body, workspace_id)
        return _found(written, news, plan.namespaces) if plan else None

    def _send(self, connection_id: str, body: dict[str, Any], workspace_id: str) -> Connection:
        # Not web_backend/connections/update: that one may clear what was loaded.
        written = self.session.client.post("connections/update", {"connectionId": connection_id, **body})
        connection = Connection.model_validate(written)
        self.session.inventory.remember_connection(workspace_id, connection)
        return connection

    def _plan(
        self, news: Properties, workspace_id: str, live: Connection | None, files: Collection[str] = ()
    ) -> tuple[catalog.Plan, str | None]:
        for kind, end in ((SOURCE, "source_id"), (DESTINATION, "destination_id")):
            actor = self.session.inventory.actors(kind, workspace_id).get(news[end])
            if actor is not None:
                gates.supported(self.session, actor, kind, news.get("allow_unsupported"), self._origin(news))
        target = catalog.Target(
            tuple(self._destination_modes(news["destination_id"], workspace_id)),
            one_schema=news["namespace_definition"] == "destination",
        )
        origin = self._origin(news)

        def planned(*, fresh: bool) -> tuple[catalog.Plan, str | None]:
            discovery = gates.discover(self.session, news["source_id"], origin, fresh=fresh)
            keep = news["schema_changes"] == "propagate_fully"
            entries = live.streams if live else ()
            return (
                catalog.plan(news["streams"], discovery.streams, target, entries, files=files, keep_undeclared=keep),
                discovery.catalog_id,
            )

        try:
            try:
                return planned(fresh=False)
            except catalog.StaleCatalogError:
                return planned(fresh=True)
        except InvalidStreamsError as error:
            raise InvalidStreamsError(
                f"Connection {news['connection_name']} can't sync its streams, so nothing was written: {error}",
                origin=origin,
            ) from None

    def _destination_modes(self, destination_id: str, workspace_id: str) -> list[str]:
        actor = self.session.inventory.actors(DESTINATION, workspace_id).get(destination_id)
        if actor is None:
            return []
        specification = self.session.inventory.specification(
            DESTINATION, actor.definition_id, workspace_id, destination_id
        )
        return specification.supported_destination_sync_modes

    def _tags(self, news: Properties, workspace_id: str) -> list[dict[str, Any]]:
        return connection_api.tags(self.session, news.get("tags") or [], workspace_id)

    def _workspace(self, news: Properties) -> str:
        """The workspace of the connection's source; the stack's, as a rule."""
        workspace_id = self.session.workspace()
        if news["source_id"] in self.session.inventory.actors(SOURCE, workspace_id):
            return workspace_id
        try:
            source = self.session.client.post("sources/get", {"sourceId": news["source_id"]})
        except NotFoundError:
            raise InvalidStreamsError(
                f"Connection {news['connection_name']}: there is no source {news['source_id']}",
                origin=self._origin(news),
            ) from None
        return str(source["workspaceId"])

    def _outputs(self, news: Properties, workspace_id: str, found: Properties) -> Properties:
        return {**news, "workspace_id": workspace_id, **{key: value for key, value in found.items() if value}}

    def _guard(self, properties: Properties) -> None:
        for key in mappers.keys(properties.get("streams")):
            self.session.redactor.add(key)

    def _origin(self, news: Properties) -> str | None:
        return self.session.origins.get((_TYPE, news["connection_name"]))

    def _tell(self, olds: Properties, news: Properties, name: str) -> None:
        """Say in the preview what a change leaves behind."""
        found = after_change.affected(olds, news)
        told = state_loss.notes(olds, news) + ([after_change.offer(found, news.get("after_change"))] if found else [])
        for text in told:
            notices.warn(self.session, self._message(name, text))

    def _message(self, name: str, text: str) -> str:
        origin = self.session.origins.get((_TYPE, name))
        return f"{origin + ': ' if origin else ''}Connection {name}: {text}"


def comparable(properties: Properties) -> Properties:
    """The properties with streams less the reasons in them, which do not count as differences."""
    return {**properties, "streams": streams.comparable(properties.get("streams"))}


def _found(connection: Connection, news: Properties, namespaces: dict[str, str]) -> Properties:
    """What a write, or taking over, has found out about the streams and a later read wants to know."""
    files = streams.including_files(connection.streams, news["streams"], namespaces)
    return dict(zip(_FOUND, (namespaces, files), strict=True))

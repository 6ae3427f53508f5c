"""Connection: which streams go from a source to a destination, how and when."""

from dataclasses import dataclass
from typing import Any, Final

from dynamic_providers.airbyte import catalog, connection_api, gates, streams, takeover
from dynamic_providers.airbyte import schedule as schedules
from dynamic_providers.airbyte.crud import Checked, Difference, Live, changed_keys, present
from dynamic_providers.airbyte.errors import (
    AirbyteError,
    AlreadyExistsError,
    InvalidStreamsError,
    NotFoundError,
    OutcomeUnknownError,
)
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE
from dynamic_providers.airbyte.models import Connection
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.values import Properties, contains_unknown, is_unknown, known

_TYPE: Final = "connection"
_ENDPOINTS: Final = ("source_id", "destination_id")
_COMPARED: Final = (*connection_api.MANAGED, *_ENDPOINTS)
_INPUTS: Final = (*_COMPARED, "adopt", "allow_state_loss")


@dataclass(frozen=True)
class ConnectionResource:
    """A connection. Its id is the server's; inputs are those of the resource class of the same name.

    Outputs: also ``workspace_id`` and ``stream_namespaces``, where in the source each stream was found.
    """

    session: Session

    def check(self, olds: Properties, news: Properties) -> Checked:
        """Put streams and schedule into canonical form, and refuse what would lose the sync's state unasked."""
        inputs = dict(news)
        name = str(known(inputs.get("connection_name"), ""))
        origin = inputs.pop("origin", None)
        if origin:
            self.session.origins[_TYPE, name] = origin
        inputs["tags"] = sorted(set(inputs.get("tags") or []))
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
            failures += [self._message(name, loss) for loss in state_losses(olds, inputs)]
        return Checked(present(inputs), tuple(failures))

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """Everything changes in place but the endpoints: another source or destination is another connection.

        An endpoint that is not known yet is one that is about to be made, so another one too.
        """
        changed = changed_keys(comparable(olds), comparable(news), _COMPARED)
        # Two connections of one name and schedule would load the same tables, so the old one goes first.
        return Difference(changed, tuple(key for key in changed if key in _ENDPOINTS), delete_before_replace=True)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Discover, apply the rules, and make it; or take over what is there already."""
        workspace_id = self._workspace(news)
        existing = self._existing(news, workspace_id)
        if existing is not None:
            return self._take_over(existing, news, workspace_id)
        plan, catalog_id = self._plan(news, workspace_id, None)
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
        self.session.inventory.remember_connection(workspace_id, made)
        return made.connection_id, self._outputs(news, workspace_id, plan.namespaces)

    def read(self, id_: str, olds: Properties) -> Live | None:
        """What the server has, in the words the program used where they mean the same."""
        connection = self.session.inventory.connections(olds["workspace_id"]).get(id_)
        if connection is None:
            return None
        live = connection_api.from_api(connection, olds, olds.get("stream_namespaces") or {})
        outputs = {**{key: value for key, value in olds.items() if key not in connection_api.MANAGED}, **live}
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
        namespaces = self._write(connection, olds, news, workspace_id)
        return self._outputs(news, workspace_id, namespaces or olds.get("stream_namespaces") or {})

    def delete(self, id_: str, olds: Properties) -> None:
        """Delete it; what it loaded stays in the destination."""
        self.session.client.post("connections/delete", {"connectionId": id_})
        self.session.inventory.forget_connection(str(olds.get("workspace_id")), id_)

    # -- what is there already ------------------------------------------------------------------------------------

    def _existing(self, news: Properties, workspace_id: str) -> Connection | None:
        ends = (news["source_id"], news["destination_id"], news["connection_name"])
        found = [
            connection
            for connection in self.session.inventory.connections(workspace_id).values()
            if (connection.source_id, connection.destination_id, connection.name) == ends
        ]
        takeover.only_one(f"connection {news['connection_name']}", [c.connection_id for c in found], self._origin(news))
        return found[0] if found else None

    def _take_over(self, connection: Connection, news: Properties, workspace_id: str) -> tuple[str, Properties]:
        namespaces = {
            key: entry.namespace
            for entry in connection.streams
            for key in [streams.key_of(entry, connection.streams, news["streams"], {})]
        }
        live = connection_api.from_api(connection, news, namespaces)
        differing = changed_keys(comparable(live), comparable(news), connection_api.MANAGED)
        if differing and not news.get("adopt"):
            raise AlreadyExistsError(
                f"Connection {news['connection_name']} exists as {connection.connection_id}, with another "
                f"{', '.join(differing)}, and is not known to this stack; nothing was written",
                origin=self._origin(news),
                fix="Set adopt: true to manage it from here on, or use another name.",
            )
        if differing:
            if not news.get("allow_state_loss"):
                losses = state_losses({**live, **{key: news[key] for key in _ENDPOINTS}}, news)
                if losses:
                    raise InvalidStreamsError(losses[0], origin=self._origin(news))
            namespaces = self._write(connection, live, news, workspace_id) or namespaces
        return connection.connection_id, self._outputs(news, workspace_id, namespaces)

    # -- writing --------------------------------------------------------------------------------------------------

    def _write(
        self, connection: Connection, olds: Properties, news: Properties, workspace_id: str
    ) -> dict[str, str] | None:
        """Update the connection; gives the streams' namespaces if these were written."""
        differing = changed_keys(comparable(olds), comparable(news), connection_api.MANAGED)
        if not differing:
            return None
        body = connection_api.to_api(news, self._tags(news, workspace_id) if "tags" in differing else None)
        plan = None
        if "streams" in differing:
            plan, catalog_id = self._plan(news, workspace_id, connection)
            body |= {"syncCatalog": plan.sync_catalog, "sourceCatalogId": catalog_id}
        # Not web_backend/connections/update: that one may clear what was loaded.
        written = self.session.client.post("connections/update", {"connectionId": connection.connection_id, **body})
        self.session.inventory.remember_connection(workspace_id, Connection.model_validate(written))
        return plan.namespaces if plan else None

    def _plan(self, news: Properties, workspace_id: str, live: Connection | None) -> tuple[catalog.Plan, str | None]:
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
                catalog.plan(news["streams"], discovery.streams, target, entries, keep_undeclared=keep),
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
        specification = self.session.inventory.specification(DESTINATION, actor.definition_id, workspace_id)
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

    def _outputs(self, news: Properties, workspace_id: str, namespaces: dict[str, str]) -> Properties:
        return {**news, "workspace_id": workspace_id, "stream_namespaces": namespaces}

    def _origin(self, news: Properties) -> str | None:
        return self.session.origins.get((_TYPE, news["connection_name"]))

    def _message(self, name: str, text: str) -> str:
        origin = self.session.origins.get((_TYPE, name))
        return f"{origin + ': ' if origin else ''}Connection {name}: {text}"


def comparable(properties: Properties) -> Properties:
    """The properties with streams less the reasons in them, which do not count as differences."""
    return {**properties, "streams": streams.comparable(properties.get("streams"))}


def state_losses(olds: Properties, news: Properties) -> list[str]:
    """Why a change makes Airbyte forget how far it has synced, a paragraph each; empty for a new connection."""
    reason = 'To accept that, give a reason: allow_state_loss: "<reason>".'
    found = [
        f"Another {key.removesuffix('_id')} means another connection: this one is deleted with its sync state, and "
        f"the new one loads everything from the start. {reason}"
        for key in _ENDPOINTS
        if key in olds and olds[key] != news.get(key)
    ]
    before, after = olds.get("streams") or {}, news.get("streams") or {}
    if is_unknown(before) or is_unknown(after):
        return found
    for key in sorted(set(before) & set(after)):
        old, new = before[key].get("sync_mode"), after[key].get("sync_mode")
        if old == "incremental" and new != old:
            found.append(
                f"Stream {key} changes from {old} to {new}: Airbyte deletes the stream's state, and going back later "
                f"loads it from the start. {reason}"
            )
    return found

"""What one can do to a connection: sync, refresh, clear; and its status and state."""

from __future__ import annotations

from sandbox.airbyte.catalog import key_of, split_key, stream_key
from sandbox.airbyte.entities import Connection, ConnectionState
from sandbox.airbyte.errors import MissingFieldError, RefusedError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.job_reads import connection_status, job_info
from sandbox.airbyte.wire import Body, Endpoints, Json, present

api = Endpoints()


def _connection(instance: Instance, body: Body) -> Connection:
    return instance.store.connections.get(body.id("connectionId"))


@api.post("/v1/connections/sync")
def sync(instance: Instance, body: Body) -> Json:
    """Start a sync; 409 while a job runs, 500 for an inactive connection."""
    return job_info(instance.jobs.start(_connection(instance, body), "sync"))


@api.post("/v1/connections/refresh")
def refresh(instance: Instance, body: Body) -> Json:
    """Read streams again from the start, keeping (Merge) or replacing (Truncate) what is there."""
    connection = _connection(instance, body)
    mode = body.choice("refreshMode", ("Truncate", "Merge"))
    streams = _streams(connection, body.array("streams"))
    return job_info(instance.jobs.start(connection, "refresh", streams, mode))


@api.post("/v1/connections/reset")
def reset(instance: Instance, body: Body) -> Json:
    """Remove the data of all streams (the old name of clear)."""
    connection = _connection(instance, body)
    return job_info(instance.jobs.start(connection, "reset_connection", _streams(connection, [])))


@api.post("/v1/connections/clear")
def clear(instance: Instance, body: Body) -> Json:
    """Remove the data of all streams."""
    connection = _connection(instance, body)
    return job_info(instance.jobs.start(connection, "clear", _streams(connection, [])))


@api.post("/v1/connections/reset/stream")
def reset_streams(instance: Instance, body: Body) -> Json:
    """Remove the data of some streams (the old name of clear)."""
    connection = _connection(instance, body)
    return job_info(instance.jobs.start(connection, "reset_connection", _given(connection, body)))


@api.post("/v1/connections/clear/stream")
def clear_streams(instance: Instance, body: Body) -> Json:
    """Remove the data of some streams."""
    connection = _connection(instance, body)
    return job_info(instance.jobs.start(connection, "clear", _given(connection, body)))


def _given(connection: Connection, body: Body) -> list[Json]:
    if not body.has("streams"):
        raise MissingFieldError("streams")
    return _streams(connection, body.array("streams"))


def _streams(connection: Connection, sent: list[Json]) -> list[Json]:
    """The entries of the named streams; of all when none is named."""
    wanted = {stream_key(stream.get("streamNamespace"), str(stream.get("streamName"))) for stream in sent}
    return [entry for entry in connection.streams if not wanted or key_of(entry) in wanted]


@api.post("/v1/connections/status")
def status(instance: Instance, body: Body) -> list[Json]:
    """The sync status of connections."""
    return [
        connection_status(instance, instance.store.connections.get(connection_id))
        for connection_id in body.ids("connectionIds")
    ]


@api.post("/v1/state/get")
def get_state(instance: Instance, body: Body) -> Json:
    """What a connection has synced so far."""
    connection = _connection(instance, body)
    return state_read(instance.store.states.find(connection.id) or ConnectionState(connection.id))


@api.post("/v1/state/create_or_update")
@api.post("/v1/state/create_or_update_safe")
def write_state(instance: Instance, body: Body) -> Json:
    """Replace the state; 423 while a job runs."""
    connection = _connection(instance, body)
    if instance.jobs.running(connection.id):
        raise RefusedError(423, "State cannot be updated while a sync is running")
    sent = body.body("connectionState")
    kind = sent.choice("stateType", ("global", "stream", "legacy", "not_set"))
    outer = sent.optional_object("globalState") or {}
    streams = outer.get("streamStates") if kind == "global" else sent.array("streamState")
    state = instance.store.states.find(connection.id) or ConnectionState(connection.id)
    state.kind, state.shared = kind, outer.get("shared_state")
    state.streams = {
        stream_key(item["streamDescriptor"].get("namespace"), item["streamDescriptor"]["name"]): item["streamState"]
        for item in streams or []
    }
    return state_read(instance.store.states.save(state))


def state_read(state: ConnectionState) -> Json:
    """``ConnectionState``."""
    streams = [_stream_state(key, value) for key, value in state.streams.items()]
    is_global = state.kind == "global"
    return present(
        {
            "stateType": state.kind,
            "connectionId": state.id,
            "streamState": streams if state.kind == "stream" else [],
            "globalState": {"shared_state": state.shared, "streamStates": streams} if is_global else None,
        }
    )


def _stream_state(key: str, value: Json) -> Json:
    namespace, name = split_key(key)
    return {"streamDescriptor": present({"name": name, "namespace": namespace}), "streamState": value}

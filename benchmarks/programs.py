"""The programs that are measured: N sources and N connections of ten streams, and as many that do nothing."""

from __future__ import annotations

import uuid
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider

from components import registrations
from dynamic_providers.airbyte import Connection, ConnectorVersion, Destination, FingerprintKey, Source

STREAMS = 10
WAREHOUSES = 2
BESIDES = WAREHOUSES + 3
"""Resources beyond sources and connections: destinations, two pins and a key."""


def airbyte(connections: int, schedule_of_first: str, database: dict[str, Any]) -> None:
    """Declare sources on a database, destinations and connections, as a pipeline file would."""
    key = FingerprintKey("fingerprints").key
    source_pin = ConnectorVersion("source-postgres", connector="source-postgres", version="3.7.0")
    destination_pin = ConnectorVersion("destination-postgres", connector="destination-postgres", version="2.4.7")
    password = pulumi.Output.secret(database["password"])
    warehouses = [
        Destination(
            f"warehouse-{number}",
            destination_name=f"warehouse-{number}",
            connector="destination-postgres",
            definition_id=destination_pin.definition_id,
            connector_version=destination_pin.version,
            config={**database, "schema": f"w{number}", "password": password},
            secret_paths=["password"],
            fingerprint_key=key,
        )
        for number in range(WAREHOUSES)
    ]
    for number in range(connections):
        source = Source(
            definition_id=source_pin.definition_id,
            connector_version=source_pin.version,
            fingerprint_key=key,
            **source_inputs(number, {**database, "password": password}),
        )
        Connection(
            source_id=source.source_id,
            destination_id=warehouses[number % WAREHOUSES].destination_id,
            **connection_inputs(number, "24h" if number else schedule_of_first),
        )
    pulumi.run(registrations.begin)  # as the project's own program does


def nothing(connections: int, change: str, database: dict[str, Any]) -> None:
    """Declare as many resources that do nothing, with inputs as large as the real ones'."""
    ids = {"source_id": str(uuid.UUID(int=1)), "destination_id": str(uuid.UUID(int=2))}
    pinned = {"definition_id": str(uuid.UUID(int=3)), "connector_version": "3.7.0", "fingerprint_key": "0" * 64}
    for number in range(connections):
        Nothing(source_inputs(number, database) | pinned)
        Nothing(connection_inputs(number, "24h" if number else change) | ids)
    for number in range(BESIDES):
        Nothing({"name": f"nothing-{number}", "value": "unchanged"})


def nothing_with_one_input(connections: int, change: str, _database: dict[str, Any]) -> None:
    """Declare as many resources that do nothing, and have nothing."""
    for number in range(2 * connections + BESIDES):
        Nothing({"name": f"nothing-{number}", "value": "unchanged" if number else change})


def source_inputs(number: int, database: dict[str, Any]) -> dict[str, Any]:
    """The plain inputs of a source."""
    config = {"schemas": ["public"], "ssl_mode": {"mode": "prefer"}, "replication_method": {"method": "Standard"}}
    return {
        "name": f"source-{number}",
        "source_name": f"source-{number}",
        "connector": "source-postgres",
        "config": {**database, **config},
        "secret_paths": ["password"],
    }


def connection_inputs(number: int, every: str) -> dict[str, Any]:
    """The plain inputs of a connection."""
    return {
        "name": f"connection-{number}",
        "connection_name": f"connection-{number}",
        "streams": streams(),
        "schedule": {"type": "interval", "every": every},
        "prefix": f"p{number}_",
    }


def streams() -> dict[str, dict[str, Any]]:
    """The streams of each connection."""
    stream = {"sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
    return {
        f"table_{number}": {**stream, "primary_key": [["id"]], "cursor_field": ["updated_at"]}
        for number in range(STREAMS)
    }


class NothingProvider(ResourceProvider):
    """The least that a dynamic resource can do."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Nothing."""
        return CreateResult("nothing", props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare the inputs."""
        return DiffResult(changes=_olds != _news)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What state says."""
        return ReadResult(id_, props, {key: value for key, value in props.items() if key != "__provider"})


class Nothing(Resource, module="benchmarks", name="Nothing"):
    """A resource that only state knows; its name is one of its inputs."""

    def __init__(self, inputs: dict[str, Any]) -> None:
        super().__init__(NothingProvider(), inputs["name"], inputs)

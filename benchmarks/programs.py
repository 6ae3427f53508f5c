"""The programs that are measured: N sources and N connections of ten streams, and as many that do nothing."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider

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
            f"source-{number}",
            source_name=f"source-{number}",
            connector="source-postgres",
            definition_id=source_pin.definition_id,
            connector_version=source_pin.version,
            config={
                **database,
                "password": password,
                "schemas": ["public"],
                "ssl_mode": {"mode": "prefer"},
                "replication_method": {"method": "Standard"},
            },
            secret_paths=["password"],
            fingerprint_key=key,
        )
        Connection(
            f"connection-{number}",
            connection_name=f"connection-{number}",
            source_id=source.source_id,
            destination_id=warehouses[number % WAREHOUSES].destination_id,
            streams=streams(),
            schedule={"type": "interval", "every": "24h" if number else schedule_of_first},
            prefix=f"p{number}_",
        )


def nothing(connections: int, change: str, *, same_inputs: bool = False) -> None:
    """Declare as many resources that do nothing, with one input or with inputs as large as the real ones'."""
    for number in range(2 * connections + BESIDES):
        inputs = streams() if same_inputs and number % 2 else {}
        Nothing(f"nothing-{number}", change if number == 0 else "unchanged", inputs)


def nothing_with_the_same_inputs(connections: int, change: str) -> None:
    """See nothing."""
    nothing(connections, change, same_inputs=True)


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
        """Compare the one input."""
        return DiffResult(changes=any(_olds[key] != _news[key] for key in ("value", "inputs")))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What state says."""
        return ReadResult(id_, props, {key: props[key] for key in ("value", "inputs")})


class Nothing(Resource, module="benchmarks", name="Nothing"):
    """A resource that only state knows."""

    def __init__(self, name: str, value: str, inputs: dict[str, Any]) -> None:
        super().__init__(NothingProvider(), name, {"value": value, "inputs": inputs})

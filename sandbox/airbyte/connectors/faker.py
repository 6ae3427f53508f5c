"""``source-faker``: users, products and purchases, the same ones for the same seed and count."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sandbox.airbyte.connectors.base import (
    Batch,
    ConfiguredStream,
    Json,
    Reader,
    Record,
    RefusalError,
    State,
    StreamKey,
)

_BATCH = 1000
_START = datetime(2024, 1, 1, tzinfo=UTC)
_FIRST = ("Ada", "Alan", "Barbara", "Dennis", "Donald", "Edsger", "Grace", "Ken", "Margaret", "Radia")
_LAST = ("Hopper", "Knuth", "Lamarr", "Liskov", "Lovelace", "Perlman", "Ritchie", "Thompson", "Turing")
_MAKERS = ("Aurora", "Borealis", "Cascade", "Drift", "Ember", "Fjord")
_PRODUCTS = 100

_INTEGER: Json = {"type": "number", "airbyte_type": "integer"}
_NUMBER: Json = {"type": "number"}
_TEXT: Json = {"type": "string"}
_MOMENT: Json = {"type": "string", "format": "date-time", "airbyte_type": "timestamp_with_timezone"}

_SCHEMAS: dict[str, Json] = {
    "users": {"id": _INTEGER, "name": _TEXT, "email": _TEXT, "age": _INTEGER},
    "products": {"id": _INTEGER, "make": _TEXT, "model": _TEXT, "year": _INTEGER, "price": _NUMBER},
    "purchases": {"id": _INTEGER, "user_id": _INTEGER, "product_id": _INTEGER, "returned_at": _MOMENT},
}
_TIMES = {"created_at": _MOMENT, "updated_at": _MOMENT}


class Faker:
    """The sample data source; it needs no server."""

    def check(self, config: Json) -> None:
        """Any count from 1 on works."""
        _count(config)

    def discover(self, _: Json) -> list[Json]:
        """The three streams; their cursor and key are defined by the source."""
        return [
            {
                "name": name,
                "jsonSchema": {"type": "object", "properties": {**columns, **_TIMES}},
                "supportedSyncModes": ["full_refresh", "incremental"],
                "sourceDefinedCursor": True,
                "defaultCursorField": ["updated_at"],
                "sourceDefinedPrimaryKey": [["id"]],
            }
            for name, columns in _SCHEMAS.items()
        ]

    def read(self, config: Json, streams: list[ConfiguredStream], state: State) -> Reader:
        """Begin a sync."""
        return _FakerReader(config, streams, state)


class _FakerReader:
    def __init__(self, config: Json, streams: list[ConfiguredStream], state: State) -> None:
        self._config = config
        self._streams = streams
        self._state: dict[StreamKey, Json] = dict(state.streams)

    def batches(self) -> Iterator[Batch]:
        """All records at first; later, of incremental streams, those beyond the count seen last."""
        for stream in self._streams:
            if stream.name not in _SCHEMAS:
                raise RefusalError(f"source-faker has no stream '{stream.name}'")
            total = min(_count(self._config), _PRODUCTS) if stream.name == "products" else _count(self._config)
            seen = int(self._state.get(stream.key, {}).get("seen", 0)) if stream.sync_mode == "incremental" else 0
            for start in range(seen, total, _BATCH):
                rows = [_row(stream.name, number, self._config) for number in range(start, min(start + _BATCH, total))]
                yield Batch(stream, [{k: v for k, v in row.items() if k in stream.columns} for row in rows])
            self._state[stream.key] = {"seen": max(seen, total)}

    def state(self) -> State:
        """How many records of each stream were seen."""
        return State(streams=self._state)

    def acknowledge(self) -> None:
        """Nothing to forget."""

    def close(self) -> None:
        """Nothing to close."""


def _count(config: Json) -> int:
    count = int(config.get("count", 1000))
    if count < 1:
        raise RefusalError("count must be at least 1")
    return count


def _row(stream: str, number: int, config: Json) -> Record:
    # S311: sample data wants a repeatable generator, not a secure one
    rng = random.Random(f"{config.get('seed', -1)}/{stream}/{number}")  # noqa: S311
    moment = (_START + timedelta(minutes=number)).isoformat()
    row: Record = {"id": number + 1, "created_at": moment, "updated_at": moment}
    if stream == "users":
        first, last = rng.choice(_FIRST), rng.choice(_LAST)
        email = f"{first}.{last}.{number + 1}@example.com".lower()
        return row | {"name": f"{first} {last}", "email": email, "age": rng.randint(18, 90)}
    if stream == "products":
        price = rng.randint(100_000, 9_900_000) / 100
        return (
            row
            | {"make": rng.choice(_MAKERS), "model": f"M{rng.randint(1, 99)}", "year": rng.randint(1990, 2024)}
            | {"price": price}
        )
    return row | {
        "user_id": rng.randint(1, _count(config)),
        "product_id": rng.randint(1, _PRODUCTS),
        "returned_at": None,
    }

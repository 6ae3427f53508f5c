"""One call of the public API, and the declaration of its operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sandbox.airbyte.errors import InvalidBodyError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.wire import Body, Json


class Query:
    """Query parameters; lists may be repeated or comma-separated."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def text(self, name: str) -> str | None:
        """The last value of a parameter."""
        return next((value for key, value in reversed(self._pairs) if key == name), None)

    def integer(self, name: str, default: int) -> int:
        """An integer parameter."""
        value = self.text(name)
        try:
            return default if value is None else int(value)
        except ValueError as error:
            raise InvalidBodyError(f"{name} is not an integer.") from error

    def flag(self, name: str) -> bool:
        """A boolean parameter."""
        return (self.text(name) or "").lower() == "true"

    def all(self, name: str) -> list[str]:
        """All values of a list parameter."""
        return [part for key, value in self._pairs if key == name for part in value.split(",") if part]


@dataclass
class Call:
    """A call with everything a handler needs."""

    instance: Instance
    body: Body
    path: Mapping[str, Any]
    query_params: Any

    @property
    def query(self) -> Query:
        """The query parameters."""
        return Query(list(self.query_params.multi_items()))

    def id(self, name: str) -> str:
        """A UUID in the path."""
        return Body({name: self.path[name]}).id(name)

    def page(self, items: list[Json]) -> Json:
        """A page of a list: ``limit`` (20) and ``offset``, with addresses of the neighbouring pages."""
        limit, offset = self.query.integer("limit", 20), self.query.integer("offset", 0)
        return {
            "data": items[offset : offset + limit],
            "next": f"?limit={limit}&offset={offset + limit}" if offset + limit < len(items) else "",
            "previous": f"?limit={limit}&offset={max(0, offset - limit)}" if offset else "",
        }

    def workspaces(self) -> list[str]:
        """The workspaces asked for; all without a filter."""
        wanted = self.query.all("workspaceIds")
        return wanted or [w.id for w in self.instance.store.workspaces if not w.tombstone]


Handler = Callable[[Call], "Json | list[Any] | None"]
_H = TypeVar("_H", bound=Handler)


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    handler: Handler
    status: int = 200
    slow: bool = False
    open: bool = False


class Operations:
    """The operations of one module, collected by its decorator."""

    def __init__(self) -> None:
        self.all: list[Operation] = []

    def on(
        self,
        method: str,
        path: str,
        *,
        status: int = 200,
        slow: bool = False,
        open: bool = False,  # noqa: A002
    ) -> Callable[[_H], _H]:
        """Declare an operation."""

        def register(handler: _H) -> _H:
            self.all.append(Operation(method, path, handler, status, slow, open))
            return handler

        return register


def iso(seconds: int) -> str:
    """A moment as the public API writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

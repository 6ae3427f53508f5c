"""The shape of requests and answers: reading bodies, declaring endpoints, leaving nulls out."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

from sandbox.airbyte.errors import InvalidBodyError, MissingFieldError
from sandbox.airbyte.versions import MinorVersion

if TYPE_CHECKING:
    from sandbox.airbyte.instance import Instance

Json = dict[str, Any]
Answer = Json | list[Any] | None
Handler = Callable[["Instance", "Body"], Answer]

_H = TypeVar("_H", bound=Handler)

NIL_UUID = "00000000-0000-0000-0000-000000000000"


def present(members: Json) -> Json:
    """Drop the null members: Airbyte leaves them out of every model it answers."""
    return {key: value for key, value in members.items() if value is not None}


class Body:
    """A request body with typed access.

    A required field that is missing or null answers 400, one of the wrong type 422; unknown fields are ignored. Omitted
    arrays read as empty, as Airbyte's generated models have it.
    """

    def __init__(self, members: Json) -> None:
        self.members = members

    @classmethod
    def parse(cls, raw: bytes) -> Body:
        """Read a JSON object; an empty body is an empty object.

        Raises:
            InvalidBodyError: not JSON, or not an object.
        """
        if not raw.strip():
            return cls({})
        try:
            members = json.loads(raw)
        except ValueError as error:
            raise InvalidBodyError("The body is not JSON.") from error
        if not isinstance(members, dict):
            raise InvalidBodyError("The body is not a JSON object.")
        return cls(members)

    @classmethod
    def parse_form(cls, raw: bytes) -> Body:
        """Read a URL-encoded form."""
        return cls(dict(parse_qsl(raw.decode("utf-8", "replace"))))

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.members.get(name) is not None

    def value(self, name: str) -> Any:
        """A required field of any type."""
        if not self.has(name):
            raise MissingFieldError(name)
        return self.members[name]

    def id(self, name: str) -> str:
        """A required UUID, in canonical form."""
        return _uuid(name, self.value(name))

    def optional_id(self, name: str) -> str | None:
        """A UUID, or None."""
        return self.id(name) if self.has(name) else None

    def ids(self, name: str) -> list[str]:
        """A required array of UUIDs."""
        return [_uuid(name, item) for item in _typed(name, self.value(name), list)]

    def text(self, name: str) -> str:
        """A required string."""
        return str(_typed(name, self.value(name), str))

    def optional_text(self, name: str) -> str | None:
        """A string, or None."""
        return self.text(name) if self.has(name) else None

    def integer(self, name: str, default: int | None = None) -> int:
        """An integer; required without a default."""
        if default is not None and not self.has(name):
            return default
        found = self.value(name)
        if isinstance(found, bool) or not isinstance(found, int):
            raise InvalidBodyError(f"{name} is not an integer.")
        return found

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean."""
        return bool(_typed(name, self.members[name], bool)) if self.has(name) else default

    def object(self, name: str) -> Json:
        """A required object."""
        found: Json = _typed(name, self.value(name), dict)
        return found

    def optional_object(self, name: str) -> Json | None:
        """An object, or None."""
        return self.object(name) if self.has(name) else None

    def body(self, name: str) -> Body:
        """A required object, as a body of its own."""
        return Body(self.object(name))

    def array(self, name: str) -> list[Any]:
        """An array; omitted is empty."""
        found: list[Any] = _typed(name, self.members[name], list) if self.has(name) else []
        return found

    def nullable_array(self, name: str) -> list[Any] | None:
        """An array, or None for the few that tell omitted from empty."""
        return self.array(name) if self.has(name) else None

    def choice(self, name: str, allowed: Iterable[str]) -> str:
        """A required enum value; case does not matter, the declared form is returned."""
        text = self.text(name)
        for candidate in allowed:
            if candidate.lower() == text.lower():
                return candidate
        raise InvalidBodyError(f"Unexpected value '{text}' of {name}.")

    def optional_choice(self, name: str, allowed: Iterable[str]) -> str | None:
        """An enum value, or None."""
        return self.choice(name, allowed) if self.has(name) else None


def _typed(name: str, found: Any, kind: type) -> Any:
    if not isinstance(found, kind):
        raise InvalidBodyError(f"{name} is not of type {kind.__name__}.")
    return found


def _uuid(name: str, found: Any) -> str:
    try:
        return str(uuid.UUID(str(found)))
    except ValueError as error:
        raise InvalidBodyError(f"{name} is not a UUID.") from error


@dataclass(frozen=True)
class Endpoint:
    """One path of the API.

    Attributes:
        slow: The handler waits for a connector, so it runs in a thread and takes the store's lock by itself.
        status: The status of success; 204 answers have no body.
        since, until: The releases that have the endpoint, inclusive.
    """

    method: str
    path: str
    handler: Handler
    slow: bool = False
    status: int = 200
    open: bool = False
    since: MinorVersion | None = None
    until: MinorVersion | None = None


class Endpoints:
    """The endpoints of one module, collected by its decorators."""

    def __init__(self) -> None:
        self.all: list[Endpoint] = []

    def post(
        self,
        path: str,
        *,
        slow: bool = False,
        status: int = 200,
        since: MinorVersion | None = None,
        until: MinorVersion | None = None,
    ) -> Callable[[_H], _H]:
        """Declare a POST endpoint of the Config API that needs a token."""

        def register(handler: _H) -> _H:
            self.all.append(Endpoint("POST", path, handler, slow, status, since=since, until=until))
            return handler

        return register

    def open(self, method: str, path: str) -> Callable[[_H], _H]:
        """Declare an endpoint that needs no token."""

        def register(handler: _H) -> _H:
            self.all.append(Endpoint(method, path, handler, open=True))
            return handler

        return register

"""What a kind of resource is: its properties, and how declared and live values compare.

A kind is one class with a table of :class:`Field` and a few methods of SQL. Everything the engine asks beyond
that SQL (checks, detailed diffs, previews, what a refresh or an import shows) follows from the table, here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

from sandbox.plugins.values import UNKNOWN, Properties, Value, is_known

Session = TypeVar("Session")
FieldType = Literal["string", "integer", "boolean", "strings", "integers", "object"]


class PluginError(Exception):
    """What a user is told: one paragraph that says why in the server's words, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One property of a resource or of a provider's configuration.

    :param default: what an undeclared property means; None when it means "not set".
    :param replace: a change makes a new resource.
    :param server_set: undeclared means whatever the server has, so only a declared value is compared.
    :param unordered: a list whose order says nothing.
    :param readable: the server tells the value; otherwise what state holds is believed.
    :param compared: a change alone is a reason to update; otherwise it only matters at creation.
    :param output: told by the server alone; a program can't declare it.
    :param canonical: turns spellings of one value into the same value.
    """

    name: str
    type: FieldType = "string"
    default: Value = None
    required: bool = False
    replace: bool = False
    server_set: bool = False
    unordered: bool = False
    secret: bool = False
    readable: bool = True
    compared: bool = True
    output: bool = False
    canonical: Callable[[Value], Value] = lambda value: value

    def coerce(self, value: Value) -> Value:
        """`value` in this field's type, as the bridged providers convert; raises ValueError when it can't be."""
        if not is_known(value) or value is None:
            return value
        if self.type in ("strings", "integers"):
            if not isinstance(value, list):
                raise ValueError(f"must be a list, not {_kind_of(value)}")
            item = "string" if self.type == "strings" else "integer"
            return [_SCALARS[item](element) for element in value]
        if self.type == "object":
            if not isinstance(value, dict):
                raise ValueError(f"must be an object, not {_kind_of(value)}")
            return value
        return _SCALARS[self.type](value)

    def same(self, one: Value, other: Value) -> bool:
        """Whether two values, either of which may be undeclared, mean the same."""
        return bool(self._key(one) == self._key(other))

    def _key(self, value: Value) -> Value:
        value = self.default if value is None else value
        if value is None or value in ("", [], {}):
            return None
        value = self.canonical(value)
        return sorted(value, key=str) if self.unordered else value


def _kind_of(value: Value) -> str:
    return {dict: "an object", list: "a list", bool: "a boolean", str: "a string"}.get(type(value), "a number")


def _string(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"must be a string, not {_kind_of(value)}")


def _integer(value: Value) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return int(value) if isinstance(value, str) else int("")
    except ValueError:
        raise ValueError(f"must be a whole number, not {_kind_of(value)}") from None


def _boolean(value: Value) -> bool:
    known = {True: True, False: False, "true": True, "false": False}
    if isinstance(value, bool | str) and value in known:
        return known[value]
    raise ValueError(f"must be true or false, not {_kind_of(value)}")


_SCALARS: Mapping[str, Callable[[Value], Value]] = {
    "string": _string,
    "integer": _integer,
    "boolean": _boolean,
}


@dataclass(frozen=True)
class Change:
    """One property in which the program and the state differ."""

    field: Field
    was: Value
    will_be: Value


class Resource(ABC, Generic[Session]):
    """A kind of resource on a server that is reached through a `Session`.

    ``state`` below is what the engine holds of the resource (its outputs), ``inputs`` what the program declares.
    """

    token: ClassVar[str]
    noun: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    importable: ClassVar[bool] = True

    # -- what a kind says of itself

    @abstractmethod
    def identity(self, properties: Properties) -> str:
        """The id of the resource that has these properties."""

    @abstractmethod
    def locate(self, identifier: str) -> Properties:
        """The properties that an id tells (for an import); raises ValueError with the form it should have."""

    def complete(self, session: Session, inputs: Properties) -> Properties:  # noqa: ARG002 - for kinds that need it
        """`inputs` with what the session tells of the resource's place, such as its database."""
        return inputs

    @abstractmethod
    def create(self, session: Session, inputs: Properties) -> None:
        """Make it. Nothing is left behind when this raises."""

    @abstractmethod
    def read(self, session: Session, state: Properties) -> Properties | None:
        """The live values of every readable field, or None when it is gone."""

    def update(
        self,
        session: Session,
        state: Properties,
        inputs: Properties,
        changed: Collection[str],
    ) -> None:
        """Bring the fields named in `changed` to what `inputs` declare.

        Never called for a kind of which every change replaces, which need not have this.
        """
        raise NotImplementedError(self.token)

    @abstractmethod
    def delete(self, session: Session, state: Properties) -> None:
        """Remove it; fine when it is gone already."""

    def replaces(self, change: Change, inputs: Properties) -> bool:  # noqa: ARG002 - for kinds with rules
        """Whether this change makes a new resource."""
        return change.field.replace

    def complaints(self, inputs: Properties) -> Iterator[tuple[str, str]]:  # noqa: ARG002 - for kinds with rules
        """Pairs of property and reason for what the table of fields can't say. Values may be unknown."""
        yield from ()

    # -- what follows from the table

    @property
    def inputs(self) -> dict[str, Field]:
        """The fields that a program may declare, by name."""
        return {field.name: field for field in self.fields if not field.output}

    def check(self, declared: Properties) -> tuple[Properties, list[tuple[str, str]]]:
        """`declared` in the types of the table, and what is wrong with it as pairs of property and reason."""
        failures: list[tuple[str, str]] = []
        inputs: Properties = {}
        for name, value in declared.items():
            if name not in self.inputs:
                covered = ", ".join(self.inputs)
                failures.append((name, f"not covered by this stand-in provider. It covers: {covered}"))
                continue
            try:
                coerced = self.inputs[name].coerce(value)
            except ValueError as error:
                failures.append((name, str(error)))
                continue
            if coerced is not None:
                inputs[name] = coerced
        failures += [
            (field.name, "is required") for field in self.fields if field.required and declared.get(field.name) is None
        ]
        return inputs, failures or list(self.complaints(inputs))

    def diff(self, state: Properties, inputs: Properties, ignored: Collection[str] = ()) -> list[Change]:
        """The properties that an update has to change. What is not known yet counts as a change."""
        return [
            Change(field, state.get(field.name), inputs.get(field.name))
            for field in self.fields
            if field.compared and field.name not in ignored and self._differs(field, state, inputs)
        ]

    @staticmethod
    def _differs(field: Field, state: Properties, inputs: Properties) -> bool:
        declared = inputs.get(field.name)
        if declared is None and field.server_set:
            return False
        return not is_known(declared) or not field.same(state.get(field.name), declared)

    def predict(self, inputs: Properties, state: Properties | None = None) -> Properties:
        """The outputs that a preview can tell; what only the server knows is unknown, or as it was in `state`."""
        before = state or {}
        return {
            field.name: inputs.get(field.name, before.get(field.name, UNKNOWN) if _told(field) else field.default)
            for field in self.fields
        }

    def outputs(self, live: Properties, known: Properties) -> Properties:
        """What state will hold: the live values, in the spelling of `known` where they mean the same."""
        known = {name: value for name, value in known.items() if is_known(value)}
        return {
            field.name: _spelled(field, live, known) if field.readable else known.get(field.name, field.default)
            for field in self.fields
        }

    def live_inputs(self, live: Properties, declared: Properties | None) -> Properties:
        """What a program would have to declare to get `live`.

        `declared` is what it declares now, or None for an import, which names all that is not at its default.
        """
        known = declared or {}
        return {
            field.name: _spelled(field, live, known) if field.readable else known.get(field.name)
            for field in self.inputs.values()
            if field.name in known or _tells(field, live, importing=declared is None)
        }


def _told(field: Field) -> bool:
    return field.server_set or field.output


def _tells(field: Field, live: Properties, *, importing: bool) -> bool:
    """Whether a field that is not declared has something to say."""
    if not field.readable or live.get(field.name) in (None, "", [], {}):
        return False
    if field.server_set:
        return importing
    return field.required or not field.same(live[field.name], None)


def _spelled(field: Field, live: Properties, known: Mapping[str, Value]) -> Value:
    told, wanted = live.get(field.name), known.get(field.name)
    return wanted if wanted is not None and field.same(told, wanted) else told

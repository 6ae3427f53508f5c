"""Objects that are made of options: a table of options is nearly all there is to such a kind.

Statements, columns and parameters are those of https://docs.snowflake.com/en/sql-reference/sql-ddl-summary.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from sandbox.plugins.resource import Field, Resource
from sandbox.plugins.snowflake import names
from sandbox.plugins.snowflake.session import Row, SnowflakeSession
from sandbox.plugins.values import Properties, Value

Style = Literal["text", "name", "plain", "texts", "names"]
Source = Literal["show", "describe", "parameter", "none"]


@dataclass(frozen=True, kw_only=True)
class Option(Field):
    """A property that is one option of CREATE and ALTER.

    :param sql: the option's keyword.
    :param style: how its value is written: a text, a quoted name, as it is, or a list of texts or names.
    :param source: where its live value is found.
    :param column: the column of SHOW or the property of DESCRIBE, when it is not the keyword in lower case.
    :param parse: turns the server's text into a value.
    """

    sql: str
    style: Style = "text"
    source: Source = "show"
    column: str = ""
    parse: Callable[[str], Value] = lambda told: told

    def assignment(self, value: Value) -> str:
        """``KEYWORD = value`` for CREATE and SET."""
        return f"{self.sql} = {_WRITTEN[self.style](self.canonical(value))}"

    def live(self, found: Mapping[str, object]) -> Value:
        """The value in what a SHOW, DESCRIBE or SHOW PARAMETERS told, or None when there is none."""
        told = found.get(self.column or self.sql.lower())
        if told is None or told in ("", "null"):
            return None
        value = self.parse(str(told))
        return None if value is None else self.coerce(value)


_WRITTEN: Mapping[Style, Callable[[Value], str]] = {
    "text": names.text,
    "name": names.quoted,
    "plain": lambda value: names.words(str(value)).lower() if isinstance(value, bool | str) else str(value),
    "texts": names.texts,
    "names": lambda values: f"({', '.join(map(names.quoted, values))})",
}


def parameter(name: str, **more: Value) -> Option:
    """A parameter that may be set on the object itself; undeclared means that the level above decides."""
    keyword = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name)
    style: Style = "text" if more.get("type", "string") == "string" else "plain"
    return Option(name=name, sql=keyword, style=style, source="parameter", **more)


FULLY_QUALIFIED_NAME = Field(name="fullyQualifiedName", output=True, server_set=True)
COMMENT = Option(name="comment", sql="COMMENT")


class SnowflakeObject(Resource[SnowflakeSession]):
    """An object of an account; its id is its name.

    `kind` and `plural` are its keywords; `separator` stands between the assignments of ALTER ... SET.
    """

    kind: ClassVar[str]
    plural: ClassVar[str]
    separator: ClassVar[str] = " "

    @property
    def options(self) -> dict[str, Option]:
        """The fields that are options, by name."""
        return {field.name: field for field in self.fields if isinstance(field, Option)}

    def path(self, properties: Properties) -> tuple[str, ...]:
        """The parts of its full name."""
        return (names.plain(properties["name"]),)

    def address(self, properties: Properties) -> str:
        """Its full name, quoted."""
        return names.quote(*self.path(properties))

    def identity(self, properties: Properties) -> str:
        """The name as it is."""
        return names.plain(properties["name"])

    def locate(self, identifier: str) -> Properties:
        """An id is the name."""
        return {"name": names.plain(identifier)}

    # -- statements

    def opening(self, inputs: Properties) -> str:
        """The beginning of CREATE, up to the options."""
        return f"CREATE {self.kind} {self.address(inputs)}"

    def create(self, session: SnowflakeSession, inputs: Properties) -> None:
        """CREATE with the declared options."""
        declared = [
            option.assignment(inputs[name]) for name, option in self.options.items() if inputs.get(name) is not None
        ]
        session.run(" ".join([self.opening(inputs), *declared]))

    def read(self, session: SnowflakeSession, state: Properties) -> Properties | None:
        """SHOW, and where an option asks for it SHOW PARAMETERS and DESCRIBE."""
        shown = self.show(session, state)
        if shown is None:
            return None
        found: dict[Source, Mapping[str, object]] = {"show": shown, "none": {}}
        sources = {option.source for option in self.options.values()}
        if "parameter" in sources:
            found["parameter"] = self._parameters(session, state)
        if "describe" in sources:
            found["describe"] = self._described(session, state)
        live = {name: option.live(found[option.source]) for name, option in self.options.items()}
        return {**live, **self.told(shown), "name": state["name"], "fullyQualifiedName": self.address(state)}

    def told(self, shown: Row) -> Properties:  # noqa: ARG002 - for kinds with more than options
        """What the row of SHOW tells beyond the options."""
        return {}

    def show(self, session: SnowflakeSession, state: Properties) -> Row | None:
        """Its row of SHOW: LIKE ignores case and takes ``_`` for any letter, hence the second look at the name."""
        name = self.path(state)[-1]
        rows = session.find(f"SHOW {self.plural} LIKE {names.text(name)}{self.within(state)}")
        return next((row for row in rows or [] if row["name"] == name), None)

    def within(self, state: Properties) -> str:  # noqa: ARG002 - for kinds that live in a database
        """Where SHOW looks, when it is not the account."""
        return ""

    def update(
        self,
        session: SnowflakeSession,
        state: Properties,
        inputs: Properties,
        changed: Collection[str],
    ) -> None:
        """RENAME, SET and UNSET for what changed; an undeclared option goes back to its default."""
        if "name" in changed:
            session.run(f"ALTER {self.kind} {self.address(state)} RENAME TO {self.address(inputs)}")
        wanted = {name: inputs.get(name, self.options[name].default) for name in self.options if name in changed}
        assignments = [self.options[name].assignment(value) for name, value in wanted.items() if value is not None]
        unset = [self.options[name].sql for name, value in wanted.items() if value is None]
        if assignments:
            session.run(f"ALTER {self.kind} {self.address(inputs)} SET {self.separator.join(assignments)}")
        if unset:
            session.run(f"ALTER {self.kind} {self.address(inputs)} UNSET {', '.join(unset)}")

    def delete(self, session: SnowflakeSession, state: Properties) -> None:
        """DROP; fine when what it lives in is gone."""
        session.find(f"DROP {self.kind} IF EXISTS {self.address(state)}")

    def _parameters(self, session: SnowflakeSession, state: Properties) -> dict[str, object]:
        rows = session.find(f"SHOW PARAMETERS IN {self.kind} {self.address(state)}") or []
        return {str(row["key"]).lower(): row["value"] for row in rows if row["level"] == self.kind}

    def _described(self, session: SnowflakeSession, state: Properties) -> dict[str, object]:
        rows = session.find(f"DESCRIBE {self.kind} {self.address(state)}") or []
        return {str(row.get("property") or row["name"]).lower(): row["value"] for row in rows}

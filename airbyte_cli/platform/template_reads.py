"""Which value keys a chart's templates read, told from their text alone.

The templates are walked with every branch taken, following values through variables, ``with``, ``range``, ``include``,
``dict``, ``list``, ``index``, ``dig`` and ``default`` to where they are printed, tested, or given to a function. So a
key counts as read on any path, whatever the other values are. A rendering can't tell that: one shows one path.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from airbyte_cli.platform.template_syntax import (
    Action,
    Block,
    Call,
    Definition,
    Dot,
    Expression,
    Field,
    Inclusion,
    Literal,
    Node,
    TemplateSyntaxError,
    Variable,
    parse,
)

Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Reads:
    """What templates read of the values."""

    whole: frozenset[Path]
    """Printed or given to a function: all that is below is read as well."""
    exact: frozenset[Path]
    """Only tested; what is below is another matter."""

    @cached_property
    def _above(self) -> frozenset[Path]:
        """Every key that is read, and every group with one below it."""
        return frozenset(path[:length] for path in self.whole | self.exact for length in range(1, len(path) + 1))

    def read(self, path: Path) -> bool:
        """Whether a key is read, by itself, as part of a map, or something below it is."""
        return path in self._above or self.open(path)

    def open(self, path: Path) -> bool:
        """Whether whatever stands below a key is read."""
        return any(path[:length] in self.whole for length in range(1, len(path) + 1))

    def undeclared(self, declared: Mapping[str, Any]) -> set[Path]:
        """Keys that are read and that the chart's values.yaml does not have."""
        return {path for path in self.whole | self.exact if path and not _declared(path, declared)}


def _declared(path: Path, values: Any) -> bool:
    for key in path:
        if not isinstance(values, Mapping):
            return True  # a field of a list's element, or of a text: below a key that is declared
        if key not in values:
            return False
        values = values[key]
    return True


@dataclass(frozen=True)
class _Root:
    """The top-level dot."""


@dataclass(frozen=True)
class _Place:
    """A place in the values."""

    path: Path


@dataclass(frozen=True)
class _Text:
    text: str


@dataclass(frozen=True)
class _Items:
    items: tuple["_Value", ...]


@dataclass(frozen=True)
class _Fields:
    fields: tuple[tuple[str, "_Value"], ...]


@dataclass(frozen=True)
class _Any:
    """One of several."""

    values: frozenset["_Value"]


@dataclass(frozen=True)
class _Unknown:
    """Nothing of the values, as far as can be told."""


_Value: TypeAlias = _Root | _Place | _Text | _Items | _Fields | _Any | _Unknown
_UNKNOWN = _Unknown()


@dataclass(frozen=True)
class _Scope:
    """Variables: what a block declares stays in it, and what it assigns goes to where the variable was declared."""

    own: dict[str, _Value]
    outer: "_Scope | None" = None

    def get(self, name: str) -> _Value:
        if name in self.own:
            return self.own[name]
        return self.outer.get(name) if self.outer else _UNKNOWN

    def assign(self, name: str, value: _Value) -> None:
        """The value, or the one before it: an assignment may stand in a branch."""
        if name in self.own:
            self.own[name] = _one_of(self.own[name], value)
        elif self.outer:
            self.outer.assign(name, value)


_TESTS = frozenset({"and", "eq", "empty", "ge", "gt", "hasPrefix", "kindIs", "kindOf", "le", "len", "lt", "ne", "not"})
"""Functions that look at a value and not into it."""
_CHOICES = frozenset({"and", "coalesce", "default", "or", "required", "ternary", "deepCopy", "mustDeepCopy"})
"""Functions whose result is one of their arguments."""
_MERGES = frozenset({"merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite"})
_LISTS = frozenset({"append", "concat", "mustAppend", "mustPrepend", "prepend"})


def reads(templates: Mapping[str, str], defaults: Mapping[str, Any]) -> Reads:
    """What the templates of a chart read; `defaults` are its values.yaml, which may hold templates for ``tpl``.

    Raises TemplateSyntaxError naming the file.
    """
    walk = _Walk(defaults)
    parsed = {}
    for name, text in templates.items():
        try:
            parsed[name] = parse(text)
        except TemplateSyntaxError as error:
            raise TemplateSyntaxError(f"{name}: {error}") from None
        walk.define(parsed[name])
    for nodes in parsed.values():
        walk.run(nodes, _Root())
    return Reads(frozenset(walk.whole), frozenset(walk.exact))


@dataclass
class _Walk:
    defaults: Mapping[str, Any]
    whole: set[Path] = field(default_factory=set)
    exact: set[Path] = field(default_factory=set)
    definitions: dict[str, tuple[Node, ...]] = field(default_factory=dict)
    seen: set[tuple[str, _Value]] = field(default_factory=set)

    def define(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            if isinstance(node, Definition):
                self.definitions[node.name] = node.body
                self.define(node.body)
            elif isinstance(node, Block):
                self.define((*node.body, *node.otherwise))

    def run(self, nodes: Iterable[Node], argument: _Value) -> None:
        """A template with the data it is given."""
        self._nodes(nodes, argument, _Scope({"": argument}))

    def _nodes(self, nodes: Iterable[Node], dot: _Value, variables: _Scope) -> None:
        for node in nodes:
            match node:
                case Action(expression, None):
                    self._whole(self._value(expression, dot, variables))
                case Action(expression, str(name), True):
                    variables.own[name] = self._value(expression, dot, variables)
                case Action(expression, str(name), False):
                    variables.assign(name, self._value(expression, dot, variables))
                case Block():
                    self._block(node, dot, variables)
                case Inclusion(name, expression):
                    self._include(name, self._value(expression, dot, variables))
                case Definition(name, _, expression) if expression is not None:
                    self._include(name, self._value(expression, dot, variables))

    def _block(self, block: Block, dot: _Value, variables: _Scope) -> None:
        value = self._value(block.action.expression, dot, variables)
        if block.keyword == "range":
            self._whole(value)
            for key, element in _elements(value):
                names = dict(zip(reversed(block.variables), (element, key), strict=False))
                self._nodes(block.body, element, _Scope(names, variables))
        else:
            self._exact(value)
            inner = value if block.keyword == "with" else dot
            self._nodes(block.body, inner, _Scope(dict.fromkeys(block.variables, value), variables))
        self._nodes(block.otherwise, dot, _Scope({}, variables))

    def _include(self, name: str, argument: _Value) -> None:
        if name in self.definitions and (name, argument) not in self.seen:
            self.seen.add((name, argument))
            self.run(self.definitions[name], argument)

    def _value(self, expression: Expression, dot: _Value, variables: _Scope) -> _Value:
        match expression:
            case Literal(text):
                return _Text(text)
            case Dot():
                return dot
            case Variable(name):
                return variables.get(name)
            case Field(base, names):
                value = self._value(base, dot, variables)
                for name in names:
                    value = self._field(value, name)
                return value
            case Call(function, arguments):
                return self._call(function, [self._value(each, dot, variables) for each in arguments])

    def _field(self, value: _Value, name: str) -> _Value:
        match value:
            case _Root():
                return _Place(()) if name == "Values" else _UNKNOWN
            case _Place(path):
                return _Place((*path, name))
            case _Fields(fields):
                return dict(fields).get(name, _UNKNOWN)
            case _Items(items) if name.isdigit() and int(name) < len(items):
                return items[int(name)]
            case _Any(values):
                return _one_of(*(self._field(each, name) for each in values))
        return _UNKNOWN

    def _call(self, function: str, arguments: list[_Value]) -> _Value:
        match function, arguments:
            case "include", [_Text(name), argument]:
                self._include(name, argument)
                return _UNKNOWN
            case "tpl", [text, context]:
                self._whole(text)
                self._nested(text, context)
                return _UNKNOWN
            case "dict", _:
                pairs = zip(arguments[::2], arguments[1::2], strict=False)
                return _Fields(tuple((key.text, value) for key, value in pairs if isinstance(key, _Text)))
            case "set", [_Fields(fields), _Text(key), value]:
                return _Fields((*(pair for pair in fields if pair[0] != key), (key, value)))
            case (("list" | "tuple"), _):
                return _Items(tuple(arguments))
            case (("index" | "get" | "pluck"), [base, *keys]) if all(isinstance(key, _Text) for key in keys):
                for part in keys:
                    base = self._field(base, part.text) if isinstance(part, _Text) else _UNKNOWN
                return base
            case "dig", [*keys, default, base] if keys and all(isinstance(key, _Text) for key in keys):
                found = self._call("index", [base, *keys])
                self._exact(found)
                return _one_of(found, default)
            case "hasKey", [base, _Text(key)]:
                self._exact(self._field(base, key))
                return _UNKNOWN
            case "printf", [_Text(pattern), *rest] if all(isinstance(each, _Text) for each in rest):
                for each in rest:
                    pattern = pattern.replace("%s", each.text if isinstance(each, _Text) else "", 1)
                return _Text(pattern)
        if function in _LISTS:
            return _Items(tuple(item for each in arguments for item in _items(each)))
        if function in _CHOICES:
            for each in arguments:
                self._exact(each)
            return _one_of(*arguments)
        if function in _MERGES:
            return _one_of(*arguments)
        for each in arguments:
            (self._exact if function in _TESTS else self._whole)(each)
        return _UNKNOWN

    def _nested(self, text: _Value, context: _Value) -> None:
        """A value that is itself a template: its default shows what it reads."""
        for path in _paths(text):
            value: Any = self.defaults
            for key in path:
                value = value.get(key) if isinstance(value, Mapping) else None
            place = ".".join(path)
            if isinstance(value, str) and (place, context) not in self.seen:
                self.seen.add((place, context))
                self.run(parse(value), context)

    def _whole(self, value: _Value) -> None:
        self.whole.update(path for path in _paths(value) if path)

    def _exact(self, value: _Value) -> None:
        if isinstance(value, _Place | _Any):
            self.exact.update(path for path in _paths(value) if path)


def _elements(value: _Value) -> list[tuple[_Value, _Value]]:
    """Keys and elements that a range goes through."""
    match value:
        case _Items(items):
            return [(_UNKNOWN, each) for each in items]
        case _Fields(fields):
            return [(_Text(key), each) for key, each in fields]
        case _Place(path):
            return [(_UNKNOWN, _Place((*path, "*")))]
        case _Any(values):
            return [pair for each in values for pair in _elements(each)]
    return [(_UNKNOWN, _UNKNOWN)]


def _items(value: _Value) -> tuple[_Value, ...]:
    return value.items if isinstance(value, _Items) else (value,)


def _one_of(*values: _Value) -> _Value:
    flat = frozenset(each for value in values for each in (value.values if isinstance(value, _Any) else (value,)))
    return next(iter(flat)) if len(flat) == 1 else _Any(flat)


def _paths(value: _Value) -> set[Path]:
    match value:
        case _Place(path):
            return {path}
        case _Items(items):
            return set().union(*(_paths(each) for each in items))
        case _Fields(fields):
            return set().union(*(_paths(each) for _, each in fields))
        case _Any(values):
            return set().union(*(_paths(each) for each in values))
    return set()

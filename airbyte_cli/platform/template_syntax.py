"""The syntax of Go templates, as Helm charts are written in (https://pkg.go.dev/text/template).

Only the structure is kept: text between the actions, comments and the whitespace markers are dropped.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias


class TemplateSyntaxError(ValueError):
    """A template that can't be read; says where."""


@dataclass(frozen=True)
class Literal:
    """A string, number, boolean or nil."""

    text: str


@dataclass(frozen=True)
class Variable:
    """``$name``; the empty name is ``$``, the data that the template was given."""

    name: str


@dataclass(frozen=True)
class Dot:
    """``.``"""


@dataclass(frozen=True)
class Field:
    """``<base>.name.name``"""

    base: "Expression"
    names: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """A function or method and its arguments; what is piped into it is the last one."""

    function: str
    arguments: tuple["Expression", ...]


Expression: TypeAlias = Literal | Variable | Dot | Field | Call


@dataclass(frozen=True)
class Action:
    """An expression that is printed, or kept in a variable."""

    expression: Expression
    variable: str | None = None
    declares: bool = False
    """``:=`` rather than ``=``."""


@dataclass(frozen=True)
class Block:
    """``if``, ``with`` or ``range`` with its body, and what follows ``else``."""

    keyword: str
    action: Action
    variables: tuple[str, ...]
    """``$key, $value`` or ``$value`` of a range; ``$value`` of a with or an if."""
    body: tuple["Node", ...]
    otherwise: tuple["Node", ...]


@dataclass(frozen=True)
class Definition:
    """``define`` or ``block``; a block is also printed where it stands."""

    name: str
    body: tuple["Node", ...]
    argument: Expression | None = None


@dataclass(frozen=True)
class Inclusion:
    """``template``"""

    name: str
    argument: Expression


Node: TypeAlias = Action | Block | Definition | Inclusion

_ACTION = re.compile(
    r"\{\{-?\s*(?P<comment>/\*.*?\*/)?(?P<code>(?:\"(?:\\.|[^\"\\])*\"|`[^`]*`|'(?:\\.|[^'\\])*'|[^\"`'}]|\}(?!\}))*)\}\}",
    re.DOTALL,
)
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>"(?:\\.|[^"\\])*"|`[^`]*`|'(?:\\.|[^'\\])*')
      | (?P<number>[+-]?\d[\w.+-]*)
      | (?P<variable>\$\w*)
      | (?P<field>\.\w+)
      | (?P<word>\w+)
      | (?P<sign>:=|[.()|,=])""",
    re.VERBOSE,
)
_BLOCKS = ("if", "with", "range")


def parse(text: str) -> tuple[Node, ...]:
    """The actions of a template; raises TemplateSyntaxError."""
    actions = list(_actions(text))
    nodes, rest = _Nodes(actions).until_end(0)
    if rest != len(actions):
        raise TemplateSyntaxError(f"`{actions[rest]}` has no beginning")
    return nodes


def _actions(text: str) -> Iterator[str]:
    for match in _ACTION.finditer(text):
        code = match["code"].strip().removesuffix("-").strip()
        if code:
            yield code


@dataclass
class _Nodes:
    actions: list[str]

    def until_end(self, position: int) -> tuple[tuple[Node, ...], int]:
        """The nodes up to an `end` or `else` without a beginning here, and where that stands."""
        nodes: list[Node] = []
        while position < len(self.actions):
            code = self.actions[position]
            keyword, _, rest = code.partition(" ")
            if keyword in ("end", "else"):
                break
            if keyword in _BLOCKS:
                node, position = self._block(keyword, rest, position + 1)
                nodes.append(node)
            elif keyword in ("define", "block"):
                body, position = self.until_end(position + 1)
                self._expect_end(position, code)
                nodes.append(_definition(keyword, rest, body))
                position += 1
            elif keyword == "template":
                nodes.append(_inclusion(rest))
                position += 1
            elif keyword in ("break", "continue"):
                position += 1
            else:
                nodes.append(_Parser(code).action())
                position += 1
        return tuple(nodes), position

    def _block(self, keyword: str, header: str, position: int) -> tuple[Block, int]:
        variables, action = _Parser(header).header()
        body, position = self.until_end(position)
        otherwise: tuple[Node, ...] = ()
        self._expect_end(position, f"{keyword} {header}", "end", "else")
        following = self.actions[position].split(None, 2)
        if following[0] == "else" and len(following) > 1:
            nested, position = self._block(following[1], following[2], position + 1)
            return Block(keyword, action, variables, body, (nested,)), position
        if following[0] == "else":
            otherwise, position = self.until_end(position + 1)
            self._expect_end(position, f"{keyword} {header}")
        return Block(keyword, action, variables, body, otherwise), position + 1

    def _expect_end(self, position: int, opened: str, *keywords: str) -> None:
        if position >= len(self.actions) or self.actions[position].split()[0] not in (keywords or ("end",)):
            raise TemplateSyntaxError(f"`{opened}` has no end")


def _definition(keyword: str, rest: str, body: tuple[Node, ...]) -> Definition:
    parser = _Parser(rest)
    name = parser.operand()
    if not isinstance(name, Literal):
        raise TemplateSyntaxError(f"`{keyword} {rest}` has no name")
    return Definition(name.text, body, parser.pipeline() if keyword == "block" else None)


def _inclusion(rest: str) -> Inclusion:
    parser = _Parser(rest)
    name = parser.operand()
    if not isinstance(name, Literal):
        raise TemplateSyntaxError(f"`template {rest}` has no name")
    return Inclusion(name.text, parser.pipeline() if parser.more() else Literal("nil"))


@dataclass
class _Parser:
    """A parser of one action."""

    code: str
    tokens: list[tuple[str, str, bool]] = field(init=False)
    """Kind, text, and whether it follows the one before without a space."""
    position: int = 0

    def __post_init__(self) -> None:
        self.tokens = []
        spaced, start = True, 0
        while start < len(self.code):
            match = _TOKEN.match(self.code, start)
            if match is None or match.lastgroup is None:
                raise TemplateSyntaxError(f"`{self.code}` can't be read at `{self.code[start:]}`")
            start = match.end()
            if match.lastgroup == "space":
                spaced = True
                continue
            self.tokens.append((match.lastgroup, match.group(), not spaced))
            spaced = False

    def more(self) -> bool:
        """Whether there is more to read."""
        return self.position < len(self.tokens)

    def action(self) -> Action:
        """``pipeline``, ``$x := pipeline`` or ``$x = pipeline``."""
        if len(self.tokens) > 2 and self.tokens[0][0] == "variable" and self.tokens[1][1] in (":=", "="):
            self.position = 2
            return Action(self.pipeline(), self.tokens[0][1][1:], self.tokens[1][1] == ":=")
        return Action(self.pipeline())

    def header(self) -> tuple[tuple[str, ...], Action]:
        """What follows ``if``, ``with`` or ``range``."""
        texts = [text for _, text, _ in self.tokens]
        if ":=" not in texts[:4]:
            return (), self.action()
        self.position = texts.index(":=") + 1
        names = tuple(text[1:] for kind, text, _ in self.tokens[: self.position] if kind == "variable")
        return names, Action(self.pipeline())

    def pipeline(self) -> Expression:
        """``command | command``"""
        expression = self._command(None)
        while self._take("|"):
            expression = self._command(expression)
        return expression

    def _command(self, piped: Expression | None) -> Expression:
        after = () if piped is None else (piped,)
        kind, text, _ = self._peek()
        if kind == "word" and text not in ("true", "false", "nil"):
            self.position += 1
            fields = self._fields()  # of a function's result, as in `fromYaml … .x`; only without arguments
            call = Call(text, (*self._arguments(), *after))
            return Field(call, fields) if fields else call
        first = self.operand()
        arguments = self._arguments()
        return Call("call", (first, *arguments, *after)) if arguments or after else first

    def _arguments(self) -> tuple[Expression, ...]:
        arguments = []
        while self.more() and self._peek()[1] not in ("|", ")", ","):
            arguments.append(self.operand())
        return tuple(arguments)

    def operand(self) -> Expression:
        """A literal, a variable, a field, a function without arguments, or a pipeline in parentheses."""
        kind, text, _ = self._peek()
        self.position += 1
        base: Expression
        match kind:
            case "string":
                return Literal(_unquoted(text))
            case "number":
                return Literal(text)
            case "variable":
                base = Variable(text[1:])
            case "field":
                self.position -= 1
                self.tokens[self.position] = (kind, text, True)
                base = Dot()
            case "word":
                base = Literal(text) if text in ("true", "false", "nil") else Call(text, ())
            case _ if text == "(":
                base = self.pipeline()
                if not self._take(")"):
                    raise TemplateSyntaxError(f"`{self.code}` lacks a closing parenthesis")
            case _ if text == ".":
                base = Dot()
            case _:
                raise TemplateSyntaxError(f"`{self.code}` has a `{text}` out of place")
        fields = self._fields()
        return Field(base, fields) if fields else base

    def _fields(self) -> tuple[str, ...]:
        names = []
        while self.more() and self._peek()[0] == "field" and self._peek()[2]:
            names.append(self._peek()[1][1:])
            self.position += 1
        return tuple(names)

    def _peek(self) -> tuple[str, str, bool]:
        if not self.more():
            raise TemplateSyntaxError(f"`{self.code}` ends too early")
        return self.tokens[self.position]

    def _take(self, text: str) -> bool:
        if self.more() and self._peek()[1] == text:
            self.position += 1
            return True
        return False


def _unquoted(text: str) -> str:
    return text[1:-1] if text[0] == "`" else re.sub(r"\\(.)", r"\1", text[1:-1])

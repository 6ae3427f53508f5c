"""A reader over sqlglot's Snowflake tokens.

The tokenizer gets quoting, escapes and comments exactly right; the parser does not know most account-level
statements. So `statements` reads them by recursive descent, through this.
"""

from collections.abc import Iterable, Sequence

import sqlglot
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token as Token
from sqlglot.tokenizer_core import TokenType

from sandbox.snowflake import names
from sandbox.snowflake.errors import SnowflakeError, syntax_error
from sandbox.snowflake.names import Name

Value = str | list[str] | None
"""A property's value: text, a list of texts, or None for NULL."""

_STRINGS = (TokenType.STRING, TokenType.RAW_STRING)


def tokenize(sql: str) -> list[Token]:
    """Tokens of one or more statements, comments dropped.

    Raises:
        SnowflakeError: a quote is not closed.
    """
    try:
        return sqlglot.tokenize(sql, read="snowflake")
    except TokenError:
        raise SnowflakeError(
            "SQL compilation error:\nparse error line 1: unterminated quote or comment.", 1003, "42000"
        ) from None


def is_string(token: Token) -> bool:
    """Whether the token is a string literal, so possibly a secret or a row's value."""
    return token.token_type in _STRINGS


class Reader:
    """Reads tokens from left to right; the `take_*` methods consume, or raise a syntax error."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self, ahead: int = 0) -> str:
        """The keyword or symbol there in upper case; empty for a quoted token or the end."""
        at = self._at + ahead
        if at >= len(self._tokens):
            return ""
        token = self._tokens[at]
        return "" if is_string(token) or token.token_type is TokenType.IDENTIFIER else token.text.upper()

    def accept(self, phrase: str) -> bool:
        """Consume these keywords if they are next."""
        words = phrase.split()
        if any(self.peek(ahead) != word for ahead, word in enumerate(words)):
            return False
        self._at += len(words)
        return True

    def accept_any(self, phrases: Iterable[str]) -> str:
        """Consume the longest of these phrases that is next, and say which; else ''."""
        return next((phrase for phrase in sorted(phrases, key=len, reverse=True) if self.accept(phrase)), "")

    def take(self, phrase: str) -> None:
        """Consume these keywords, or fail."""
        if not self.accept(phrase):
            raise self.error()

    def take_any(self, phrases: Iterable[str]) -> str:
        """Consume one of these phrases, or fail."""
        if found := self.accept_any(phrases):
            return found
        raise self.error()

    def at_end(self) -> bool:
        """Whether nothing but a closing semicolon is left (which is consumed)."""
        self.accept(";")
        return self._at >= len(self._tokens)

    def error(self) -> SnowflakeError:
        """A syntax error about the token that is next."""
        if self._at >= len(self._tokens):
            return syntax_error(0, "<EOF>")
        token = self._tokens[self._at]
        return syntax_error(token.start, "<string>" if is_string(token) else token.text)

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            raise self.error()
        self._at += 1
        return self._tokens[self._at - 1]

    def take_word(self) -> str:
        """A bare word, in upper case."""
        if not (self.peek()[:1].isalpha() or self.peek()[:1] == "_"):
            raise self.error()
        return self._next().text.upper()

    def take_identifier(self) -> str:
        """One identifier, as Snowflake stores it."""
        if self._at < len(self._tokens) and self._tokens[self._at].token_type is TokenType.IDENTIFIER:
            return self._next().text
        return self.take_word()

    def take_name(self) -> Name:
        """A dotted name, or `IDENTIFIER('a.b')`."""
        if self.accept("IDENTIFIER ("):
            text = self.take_string()
            self.take(")")
            return names.parse(text)
        parts = [self.take_identifier()]
        while self.accept("."):
            parts.append(self.take_identifier())
        return tuple(parts)

    def take_string(self) -> str:
        """A string literal, unescaped."""
        if self._at < len(self._tokens) and is_string(self._tokens[self._at]):
            return self._next().text
        raise self.error()

    def take_number(self) -> int:
        """A whole number."""
        if not self.peek().isdigit():
            raise self.error()
        return int(self._next().text)

    def _take_scalar(self) -> str:
        sign = "-" if self.accept("-") else ""
        if self._at < len(self._tokens) and self._tokens[self._at].token_type is TokenType.NUMBER:
            return sign + self._next().text
        if not sign and self._at < len(self._tokens) and is_string(self._tokens[self._at]):
            return self._next().text
        name = self.take_name()
        return name[0] if len(name) == 1 else names.quote(name)

    def take_value(self) -> Value:
        """A property's value: literal, name, parenthesised list, or NULL."""
        if self.accept("NULL"):
            return None
        if not self.accept("("):
            return self._take_scalar()
        items: list[str] = []
        while not self.accept(")"):
            items.append(self._take_scalar())
            if self.peek() != ")":
                self.take(",")
        return items

    def take_properties(self) -> dict[str, Value]:
        """`KEY = value` pairs, separated by blanks or commas, up to the end or another clause."""
        properties: dict[str, Value] = {}
        while self.peek(1) == "=":
            key = self.take_word()
            self.take("=")
            properties[key] = self.take_value()
            self.accept(",")
        return properties

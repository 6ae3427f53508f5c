"""The log: one JSON object a line, for every statement and every refused login.

String literals are left out, except patterns of LIKE and STARTS WITH: they may be passwords, keys or rows. So
are comments, and messages of errors that quote data.
"""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlglot.tokenizer_core import Token, TokenType

from sandbox.snowflake.errors import SnowflakeError
from sandbox.snowflake.session import Session
from sandbox.snowflake.tokens import is_string

_LONGEST = 200  # tokens of a statement
_SHOWN_AFTER = ("LIKE", "WITH")
_QUOTING_DATA = (603, 100035, 100038, 100072, 1003, 2043)


class Journal:
    """Appends to `file`; with None it keeps nothing."""

    def __init__(self, file: Path | None) -> None:
        self._stream = file.open("a", encoding="utf-8") if file else None
        self._lock = threading.Lock()

    def done(self, session: Session, tokens: Sequence[Token]) -> None:
        """A statement that succeeded."""
        self._write(user=session.user, role=session.role, statement=redacted(tokens))

    def failed(self, session: Session, tokens: Sequence[Token], error: SnowflakeError) -> None:
        """A statement that was refused or failed."""
        self._write(user=session.user, role=session.role, statement=redacted(tokens), error=_summary(error))

    def refused(self, login_name: str, error: SnowflakeError) -> None:
        """A login that was refused."""
        self._write(login=login_name, error=_summary(error))

    def _write(self, **record: str) -> None:
        if self._stream:
            line = json.dumps({"time": round(time.time(), 3)} | record)
            with self._lock:
                print(line, file=self._stream, flush=True)


def redacted(tokens: Sequence[Token]) -> str:
    """The statement without string literals and comments, cut to a readable length."""
    shown = " ".join(_shown(tokens[:_LONGEST]))
    return f"{shown} ..." if len(tokens) > _LONGEST else shown


def _shown(tokens: Sequence[Token]) -> Iterator[str]:
    previous = ""
    for token in tokens:
        if token.token_type is TokenType.IDENTIFIER:
            yield f'"{token.text}"'
        elif is_string(token):
            yield f"'{token.text}'" if previous in _SHOWN_AFTER else "'...'"
        else:
            yield token.text
        previous = token.text.upper()


def _summary(error: SnowflakeError) -> str:
    code = f"{error.code:06d} ({error.sqlstate})"
    return code if error.code in _QUOTING_DATA else f"{code}: {error.message}"

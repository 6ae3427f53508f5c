"""Session variables, `SET name = value` and `$name` (docs.snowflake.com/en/sql-reference/session-variables)."""

from collections.abc import Iterator
from itertools import pairwise

import snowflake.connector.errors
from fakesnow.variables import Variables
from sqlglot.tokenizer_core import TokenType

from sandbox.snowflake.tokens import tokenize


class SessionVariables(Variables):
    """fakesnow's variables, put in where the tokens say so: a `$` in a string or an identifier is left alone."""

    def inline_variables(self, sql: str) -> str:
        """The statement with every `$name` replaced by the variable's value.

        Raises:
            ProgrammingError: there is no such variable.
        """
        return "".join(self._pieces(sql)) if "$" in sql else sql

    def _pieces(self, sql: str) -> Iterator[str]:
        values = {str(name).upper(): str(value) for name, value in self._variables.items()}
        done = 0
        tokens = tokenize(sql)
        for dollar, name in pairwise(tokens):
            if dollar.token_type is not TokenType.PARAMETER or name.token_type is TokenType.NUMBER:
                continue
            if name.text.upper() not in values:
                raise snowflake.connector.errors.ProgrammingError(
                    msg=f"SQL compilation error: error line 1 at position {dollar.start}\n"
                    f"Session variable '${name.text.upper()}' does not exist",
                    errno=2211,
                    sqlstate="02000",
                )
            yield sql[done : dollar.start] + values[name.text.upper()]
            done = name.end + 1
        yield sql[done:]

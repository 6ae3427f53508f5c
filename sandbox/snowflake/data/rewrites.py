"""Snowflake syntax that fakesnow does not take, rewritten into what it does."""

from collections.abc import Mapping, Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from sandbox.snowflake import names


def copy_format_by_name(sql: str, tokens: Sequence[Token]) -> str:
    """`COPY INTO ... FILE_FORMAT = <name>` to `FILE_FORMAT = (FORMAT_NAME = '<name>')`."""
    words = [token.text.upper() for token in tokens]
    if words[:2] != ["COPY", "INTO"]:
        return sql
    for at in range(len(tokens) - 2):
        if words[at : at + 2] == ["FILE_FORMAT", "="] and words[at + 2] != "(":
            last = at + 2
            while last + 2 < len(tokens) and words[last + 1] == ".":
                last += 2
            start, end = tokens[at + 2].start, tokens[last].end + 1
            name = tokens[last].text if tokens[last].token_type is TokenType.STRING else sql[start:end]
            return f"{sql[:start]}(FORMAT_NAME = '{name}'){sql[end:]}"
    return sql


def qualify_stages(tree: exp.Expr, database: str, schema: str) -> bool:
    """Give `@stage` references their database and schema, in place: fakesnow folds those of the session."""
    found = False
    for node in tree.find_all(exp.Var):
        reference, slash, path = node.name.partition("/")
        name = names.parse(reference[1:])
        is_named_stage = reference.startswith("@") and name and name[-1][:1] not in ("%", "~")
        if is_named_stage and len(name) < 3:
            found = True
            full = names.path((database, schema)[: 3 - len(name)] + name)
            node.set("this", f"@{full}{slash}{path}")
    return found


def copy_one_file(tree: exp.Expr) -> bool:
    """`COPY INTO t FROM @stage FILES = ('f')` to `FROM @stage/f`, in place: fakesnow takes FILES of URLs only."""
    if not isinstance(tree, exp.Copy):
        return False
    source = tree.args["files"][0].find(exp.Var)
    for parameter in tree.args.get("params") or []:
        files = list(parameter.find_all(exp.Literal))
        if parameter.name.upper() == "FILES" and len(files) == 1 and source is not None:
            source.set("this", f"{source.name.rstrip('/')}/{files[0].name}")
            parameter.pop()
            return True
    return False


def quote_reserved(tree: exp.Expr, reserved: frozenset[str]) -> bool:
    """Quote, in place, identifiers that are words of DuckDB's grammar only, such as a column AT."""
    found = False
    for node in tree.find_all(exp.Identifier):
        if not node.args.get("quoted") and node.name.upper() in reserved:
            found = True
            node.replace(exp.to_identifier(node.name.upper(), quoted=True))
    return found


def with_context(tree: exp.Expr, values: Mapping[str, str | None]) -> bool:
    """Replace CURRENT_ROLE() and the like, in place, by `values`; says whether there was any.

    docs.snowflake.com/en/sql-reference/functions-context
    """
    found = False
    for node in list(tree.find_all(exp.Func)):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        if name.upper() in values:
            found = True
            literal = exp.convert(values[name.upper()])
            in_select_list = isinstance(node.parent, exp.Select) and node.arg_key == "expressions"
            # without an alias the column keeps the name it has in Snowflake
            node.replace(exp.alias_(literal, f"{name.upper()}()", quoted=True) if in_select_list else literal)
    return found

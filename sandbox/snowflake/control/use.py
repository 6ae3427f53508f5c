"""USE and ALTER SESSION: what a session works with (docs.snowflake.com/en/sql-reference/sql/use)."""

from sandbox.snowflake.access import Access
from sandbox.snowflake.errors import SnowflakeError, invalid_property, unsupported
from sandbox.snowflake.parameters import PARAMETERS
from sandbox.snowflake.privileges import PUBLIC
from sandbox.snowflake.results import Table, status
from sandbox.snowflake.session import Session
from sandbox.snowflake.statements import AlterSession, Use


def use(statement: Use, session: Session, access: Access) -> Table:
    """Change the session's role, warehouse, database or schema.

    Raises:
        SnowflakeError: the role is not granted to the user, or the object is missing or not usable.
    """
    name = statement.name
    match statement.kind:
        case "ROLE":
            if name[0] not in access.assignable(session.user):
                raise SnowflakeError(
                    f"SQL access control error:\nRequested role '{name[0]}' is not assigned to the executing "
                    "user. Specify another role to activate.",
                    3002,
                    "57014",
                )
            session.role = name[0]
        case "SECONDARY ROLES":
            if name not in (("ALL",), ("NONE",)):
                raise unsupported("USE SECONDARY ROLES <role>")
            session.secondary_roles = name == ("ALL",)
        case "WAREHOUSE":
            access.require_visible(session, "WAREHOUSE", name)
            access.require(session, "USAGE", "WAREHOUSE", name)
            session.warehouse = name[0]
        case "DATABASE":
            access.require_visible(session, "DATABASE", name)
            access.require(session, "USAGE", "DATABASE", name)
            session.database = name[0]
            public = access.sees(access.roles(session), "SCHEMA", (name[0], PUBLIC))
            session.schema = PUBLIC if public else ""
        case _:
            schema = session.qualify("SCHEMA", name)
            access.require_visible(session, "SCHEMA", schema)
            access.require(session, "USAGE", "SCHEMA", schema)
            session.database, session.schema = schema
    return status()


def alter_session(statement: AlterSession, session: Session) -> Table:
    """Set or unset session parameters; of these only AUTOCOMMIT changes what the sandbox does.

    Raises:
        SnowflakeError: there is no such parameter.
    """
    for key, value in statement.parameters.items():
        if key not in PARAMETERS["SESSION"]:
            raise invalid_property(key, "SESSION")
        if value is None:
            session.parameters.pop(key, None)
        else:
            session.parameters[key] = ",".join(value) if isinstance(value, list) else value
    return status()

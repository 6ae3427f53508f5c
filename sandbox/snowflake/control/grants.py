"""GRANT and REVOKE of roles, privileges and ownership.

docs.snowflake.com/en/sql-reference/sql/grant-privilege, .../grant-role, .../grant-ownership
"""

from sandbox.snowflake.access import Access
from sandbox.snowflake.catalog import Catalog
from sandbox.snowflake.errors import SnowflakeError
from sandbox.snowflake.names import Name, quote
from sandbox.snowflake.privileges import MANAGE_GRANTS, OWNERSHIP, PRIVILEGES, PUBLIC
from sandbox.snowflake.results import Table, status
from sandbox.snowflake.session import Session
from sandbox.snowflake.statements import GrantPrivileges, GrantRole


class Grants:
    """Carries out GRANT and REVOKE on the catalog."""

    def __init__(self, catalog: Catalog, access: Access) -> None:
        self._catalog = catalog
        self._access = access

    def role(self, statement: GrantRole, session: Session) -> Table:
        """Grant a role to a user or role, or take it away."""
        self._catalog.require(statement.grantee_kind, (statement.grantee,))
        self._catalog.require("ROLE", (statement.role,))
        self._access.require_grant(session, set(), "ROLE", (statement.role,))
        if statement.revoke:
            self._catalog.remove_member(statement.role, statement.grantee_kind, statement.grantee)
            return status()
        below = self._catalog.inherited({statement.role}) - {PUBLIC}
        if statement.grantee_kind == "ROLE" and statement.grantee in below:
            raise SnowflakeError(
                f"SQL execution error: Role '{statement.role}' cannot be granted to role "
                f"'{statement.grantee}': the grant would create a cycle in the role hierarchy.",
                3013,
                "42601",
            )
        self._catalog.add_member(statement.role, statement.grantee_kind, statement.grantee, session.role)
        return status()

    def privileges(self, statement: GrantPrivileges, session: Session) -> Table:
        """Grant privileges on one object or many, or take them away."""
        self._catalog.require("ROLE", (statement.role,))
        privileges = self._privileges(statement)
        future = statement.bulk == "FUTURE"
        for name in self._targets(statement):
            if future:
                self._require_future_grant(session, statement.container_kind, name)
            else:
                self._access.require_grant(session, set(privileges), statement.kind, name)
            for privilege in privileges:
                self._change(statement, privilege, name, session.role, future)
        return status()

    def _privileges(self, statement: GrantPrivileges) -> tuple[str, ...]:
        known = PRIVILEGES[statement.kind]
        if statement.privileges == ("ALL",):
            return known
        for privilege in statement.privileges:
            if privilege not in known and (privilege != OWNERSHIP or statement.kind == "ACCOUNT"):
                raise SnowflakeError(
                    f"SQL compilation error:\nInvalid privilege '{privilege}' for object type {statement.kind}.",
                    3008,
                    "42601",
                )
        return statement.privileges

    def _targets(self, statement: GrantPrivileges) -> list[Name]:
        """Names the statement is about; of a future grant, the container's."""
        if statement.bulk:
            self._catalog.require(statement.container_kind, statement.name)
        elif statement.kind != "ACCOUNT":
            self._catalog.require(statement.kind, statement.name)
        if statement.bulk == "ALL":
            return [entry.name for entry in self._catalog.entries(statement.kind, statement.name)]
        return [statement.name]

    def _require_future_grant(self, session: Session, kind: str, container: Name) -> None:
        """MANAGE GRANTS, or ownership of a schema with managed access, gives future grants."""
        roles = self._access.roles(session)
        owner_of_managed = OWNERSHIP in self._access.privileges(roles, kind, container) and self._catalog.require(
            kind, container
        ).flag("MANAGED ACCESS")
        if not owner_of_managed:
            self._access.require(session, MANAGE_GRANTS, "ACCOUNT", ())

    def _change(self, statement: GrantPrivileges, privilege: str, name: Name, by: str, future: bool) -> None:
        kind, role = statement.kind, statement.role
        if privilege == OWNERSHIP and not future:
            self._transfer(statement, name)
        elif statement.grant_option_only:
            self._catalog.revoke_option(kind, name, privilege, role, future=future)
        elif statement.revoke:
            self._catalog.revoke(kind, name, privilege, role, future=future)
        else:
            # a future grant is listed without a grantor
            self._catalog.grant(
                kind, name, privilege, role, statement.grant_option, "" if future else by, future=future
            )

    def _transfer(self, statement: GrantPrivileges, name: Name) -> None:
        """GRANT OWNERSHIP: privileges that others hold must be copied or revoked explicitly."""
        if statement.revoke:
            raise SnowflakeError(
                f"SQL compilation error:\nInvalid privilege '{OWNERSHIP}': ownership is granted to another "
                "role, never revoked.",
                3008,
                "42601",
            )
        outstanding = self._catalog.grants_on(statement.kind, name)
        if statement.current_grants == "REVOKE CURRENT GRANTS":
            self._catalog.revoke_all(statement.kind, name)
        elif outstanding and not statement.current_grants:
            raise SnowflakeError(
                f"SQL execution error: Dependent grant of a privilege on securable '{quote(name)}' to role "
                f"'{outstanding[0].role}' exists.  It must be revoked first.  More than one dependent grant "
                "may exist: use 'SHOW GRANTS' command to view them.  To revoke all dependent grants while "
                "transferring object ownership, use convenience command 'GRANT OWNERSHIP ON <target_objects> "
                "TO <target_role> REVOKE CURRENT GRANTS'.",
                3036,
                "23001",
            )
        self._catalog.set_owner(statement.kind, name, statement.role)

"""Whether a session's roles may do something (docs.snowflake.com/en/user-guide/security-access-control-overview)."""

from sandbox.snowflake.catalog import Catalog
from sandbox.snowflake.errors import denied, not_found
from sandbox.snowflake.names import Name
from sandbox.snowflake.privileges import MANAGE_GRANTS, OWNERSHIP, SCHEMA_OBJECT_KINDS
from sandbox.snowflake.session import Session


class Access:
    """Answers from the catalog, each time anew: a grant works at once."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def roles(self, session: Session) -> frozenset[str]:
        """The primary role, the secondary ones if active, and all that they inherit."""
        active = {session.role}
        if session.secondary_roles:
            active |= {member.role for member in self._catalog.roles_of("USER", session.user)}
        return self._catalog.inherited(active)

    def _primary_roles(self, session: Session) -> frozenset[str]:
        return self._catalog.inherited({session.role})

    def assignable(self, user: str) -> frozenset[str]:
        """Roles that a user may take on."""
        return self._catalog.inherited({member.role for member in self._catalog.roles_of("USER", user)})

    def privileges(self, roles: frozenset[str], kind: str, name: Name) -> set[str]:
        """What these roles hold on an object, OWNERSHIP included."""
        held = {grant.privilege for grant in self._catalog.grants_on(kind, name) if grant.role in roles}
        entry = self._catalog.find(kind, name)
        return held | {OWNERSHIP} if entry and entry.owner in roles else held

    def manages_grants(self, roles: frozenset[str]) -> bool:
        """Whether the roles hold MANAGE GRANTS, whose holder also sees every object of the account."""
        return MANAGE_GRANTS in self.privileges(roles, "ACCOUNT", ())

    def sees(self, roles: frozenset[str], kind: str, name: Name) -> bool:
        """Whether SHOW lists the object: any privilege on it is enough; roles are no secret."""
        return kind == "ROLE" or bool(self.privileges(roles, kind, name)) or self.manages_grants(roles)

    def require_visible(self, session: Session, kind: str, name: Name) -> None:
        """Check that the object exists and that the session's roles see it.

        Raises:
            SnowflakeError: 2003.
        """
        if not self._catalog.find(kind, name) or not self.sees(self.roles(session), kind, name):
            raise not_found(kind, name)

    def require(self, session: Session, privilege: str, kind: str, name: Name) -> None:
        """Check a privilege on an account object, database or schema; its owner has them all.

        Raises:
            SnowflakeError: 2003 if the roles do not see the object, 3001 if they lack the privilege.
        """
        roles = self.roles(session)
        held = self.privileges(roles, kind, name)
        if not held & {privilege, OWNERSHIP}:
            if kind == "ACCOUNT" or self.sees(roles, kind, name):
                raise denied(kind, name)
            raise not_found(kind, name)

    def require_create(self, session: Session, kind: str, container_kind: str, container: Name) -> None:
        """Check CREATE <kind> in a container: only the primary role counts.

        docs.snowflake.com/en/sql-reference/sql/use-secondary-roles

        Raises:
            SnowflakeError: as `require`.
        """
        held = self.privileges(self._primary_roles(session), container_kind, container)
        if held & {f"CREATE {kind}", OWNERSHIP}:
            return
        if container_kind == "ACCOUNT" or self.sees(self.roles(session), container_kind, container):
            raise denied(container_kind, container)
        raise not_found(container_kind, container)

    def require_grant(self, session: Session, privileges: set[str], kind: str, name: Name) -> None:
        """Check that the session may grant or revoke: as owner, by MANAGE GRANTS, or by grant option.

        Raises:
            SnowflakeError: as `require`.
        """
        roles = self.roles(session)
        if self.manages_grants(roles):
            return
        schema = self._catalog.find("SCHEMA", name[:2]) if kind in SCHEMA_OBJECT_KINDS else None
        if schema and schema.flag("MANAGED ACCESS"):
            # there, the schema's owner decides on grants, not the object's
            if OWNERSHIP not in self.privileges(roles, "SCHEMA", name[:2]):
                raise denied("SCHEMA", name[:2])
            return
        if OWNERSHIP in self.privileges(roles, kind, name):
            return
        grantable = {
            grant.privilege
            for grant in self._catalog.grants_on(kind, name)
            if grant.role in roles and grant.grant_option
        }
        if not privileges <= grantable or not privileges:
            raise denied(kind, name) if self.sees(roles, kind, name) else not_found(kind, name)

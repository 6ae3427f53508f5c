"""Login: who is it, from where, with which role (docs.snowflake.com/en/user-guide/key-pair-auth)."""

import ipaddress
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.snowflake import credentials, names
from sandbox.snowflake.access import Access
from sandbox.snowflake.catalog import Catalog, Entry
from sandbox.snowflake.control.listings import secondary_roles
from sandbox.snowflake.errors import SnowflakeError
from sandbox.snowflake.privileges import OWNERSHIP, PUBLIC
from sandbox.snowflake.session import Session

ORGANIZATION, ACCOUNT, REGION = "OFFLINE", "SANDBOX", "LOCAL"
_ACCOUNT_NAMES = (ACCOUNT, f"{ORGANIZATION}-{ACCOUNT}")
_SQLSTATE = "08001"
_PASSWORDLESS = "SERVICE"


@dataclass(frozen=True)
class Wish:
    """What a connection asks for; '' where it does not say, identifiers as the driver wrote them."""

    role: str = ""
    warehouse: str = ""
    database: str = ""
    schema: str = ""


class Login:
    """Checks credentials and opens sessions."""

    def __init__(self, catalog: Catalog, access: Access) -> None:
        self._catalog = catalog
        self._access = access

    def open(self, data: Mapping[str, str], wish: Wish, address: str) -> Session:
        """A session for the `data` of a login request from an IP address.

        Raises:
            SnowflakeError: 390100 wrong password, 390144 wrong key, 390101 disabled, 390420 not from this
                address, 390189 not this role.
        """
        if (data.get("AUTHENTICATOR") or "").upper() == "SNOWFLAKE_JWT":
            user = self._by_token(data.get("TOKEN") or "")
        else:
            user = self._by_password(data.get("LOGIN_NAME") or "", data.get("PASSWORD") or "")
        if user.flag("DISABLED"):
            raise SnowflakeError(
                "User temporarily locked. Try again later, or contact your local system administrator.",
                390101,
                _SQLSTATE,
            )
        self._check_network(user, address)
        session = Session(user.name[0], self._role(user, wish), secondary_roles(user) == ["ALL"])
        self._place(session, user, wish)
        return session

    def _find(self, login_name: str) -> Entry | None:
        users = self._catalog.entries("USER")
        wanted = login_name.upper()
        return next((user for user in users if user.text("LOGIN_NAME", user.name[0]).upper() == wanted), None)

    def _by_password(self, login_name: str, password: str) -> Entry:
        user = self._find(login_name)
        stored = user.text("PASSWORD") if user and user.text("TYPE") != _PASSWORDLESS else ""
        if user and stored and credentials.password_matches(password, stored):
            return user
        raise SnowflakeError("Incorrect username or password was specified.", 390100, _SQLSTATE)

    def _by_token(self, token: str) -> Entry:
        refused = SnowflakeError(f"JWT token is invalid. [{uuid.uuid4()}]", 390144, _SQLSTATE)
        try:
            account, login_name, fingerprint = credentials.jwt_issuer(token)
        except ValueError:
            raise refused from None
        user = self._find(login_name)
        if user is None or account.upper() not in _ACCOUNT_NAMES:
            raise refused
        for key in (user.text("RSA_PUBLIC_KEY"), user.text("RSA_PUBLIC_KEY_2")):
            if key and credentials.fingerprint(key) == fingerprint and credentials.jwt_is_valid(token, key):
                return user
        raise refused

    def _check_network(self, user: Entry, address: str) -> None:
        """The user's network policy, else the account's (there is none): blocked wins over allowed."""
        policy = self._catalog.find("NETWORK POLICY", (user.text("NETWORK_POLICY"),))
        if policy is None:
            return
        ip = ipaddress.ip_address(address)

        def listed(key: str) -> bool:
            return any(ip in ipaddress.ip_network(item, strict=False) for item in policy.items(key))

        allowed = not policy.items("ALLOWED_IP_LIST") or listed("ALLOWED_IP_LIST")
        if listed("BLOCKED_IP_LIST") or not allowed:
            raise SnowflakeError(
                f"Incoming request with IP/Token {address} is not allowed to access Snowflake. Contact your "
                "account administrator. For more information about this error, go to "
                "https://community.snowflake.com/s/ip-xxxxxxxxxxxx-is-not-allowed-to-access.",
                390420,
                _SQLSTATE,
            )

    def _role(self, user: Entry, wish: Wish) -> str:
        granted = self._access.assignable(user.name[0])
        if wish.role:
            role = names.identifier(wish.role)
            if role not in granted:
                raise SnowflakeError(
                    f"Role '{role}' specified in the connect string is not granted to this user. Contact your "
                    "local system administrator, or attempt to login with another role, e.g. PUBLIC.",
                    390189,
                    _SQLSTATE,
                )
            return role
        default = user.text("DEFAULT_ROLE")
        return default if default in granted else PUBLIC

    def _place(self, session: Session, user: Entry, wish: Wish) -> None:
        """Warehouse, database and schema: the wish, else the user's default, if the role may use them."""
        namespace = names.parse(user.text("DEFAULT_NAMESPACE"))
        database = names.identifier(wish.database) if wish.database else "".join(namespace[:1])
        default_schema = "" if wish.database else "".join(namespace[1:2])
        schema = names.identifier(wish.schema) if wish.schema else default_schema
        warehouse = names.identifier(wish.warehouse) if wish.warehouse else user.text("DEFAULT_WAREHOUSE")
        if self._usable(session, "WAREHOUSE", (warehouse,)):
            session.warehouse = warehouse
        if self._usable(session, "DATABASE", (database,)):
            session.database = database
            for candidate in (schema, PUBLIC):
                if self._usable(session, "SCHEMA", (database, candidate)):
                    session.schema = candidate
                    break

    def _usable(self, session: Session, kind: str, name: names.Name) -> bool:
        held = self._access.privileges(self._access.roles(session), kind, name)
        return bool(held & {"USAGE", OWNERSHIP})

"""Airbyte's own database: an external PostgreSQL, or in development the chart's."""

from typing import Any, Literal

from pydantic import SecretStr, model_validator

from components.airbyte_platform.model import Credential, Generated, Group, ObjectName, Port, Quantity
from components.airbyte_platform.workloads import DATABASE_SECRET

BUNDLED_USER = "airbyte"
BUNDLED_NAME = "db-airbyte"


class ExternalDatabase(Group):
    """A PostgreSQL (13 to 17) that somebody else runs.

    Its user must be able to create the databases `temporal` and `temporal_visibility`, or find them there.
    """

    type: Literal["external"]
    host: str
    port: Port = 5432
    name: str = "airbyte"
    ssl_mode: Literal["disable", "prefer", "require"] = "require"
    """Airbyte's driver gets no CA certificate from the chart, so that it can't verify one."""
    user: str = ""
    password: SecretStr = SecretStr("")
    existing_secret: ObjectName | None = None
    """A Secret of the namespace with the keys `username` and `password`, instead of the two."""

    @model_validator(mode="after")
    def _has_credentials(self) -> "ExternalDatabase":
        given = bool(self.user) and bool(self.password.get_secret_value())
        if given == bool(self.existing_secret):
            raise ValueError("needs `user` and `password`, or `existingSecret`, and not both.")
        return self

    def credentials(self) -> dict[str, Credential]:
        """What the Secret holds; empty where it is somebody else's."""
        if self.existing_secret:
            return {}
        return {"username": SecretStr(self.user), "password": self.password}

    def values(self) -> dict[str, Any]:
        """Chart values. The replica keys name the same two: the chart reads both pairs, and waits for both."""
        return {
            "global": {
                "database": {
                    **_keys(self.existing_secret or DATABASE_SECRET),
                    "type": "external",
                    "host": self.host,
                    "port": self.port,
                    # The only way to the driver's parameters: the name goes into the JDBC address and nowhere else.
                    "name": f"{self.name}?sslmode={self.ssl_mode}",
                }
            },
            "postgresql": {"enabled": False},
        }


class BundledDatabase(Group):
    """The chart's PostgreSQL: one pod, one volume, no backup. For development."""

    type: Literal["bundled"]
    password: SecretStr | None = None
    """Made by the stack where it is not given."""
    storage: Quantity | None = None
    """Size of its volume; the chart's default where it is not given."""

    def credentials(self) -> dict[str, Credential]:
        """What the Secret holds."""
        return {"username": SecretStr(BUNDLED_USER), "password": self._password()}

    def values(self) -> dict[str, Any]:
        """Chart values; the database itself is told its password here, and everybody else reads the Secret."""
        return {
            "global": {"database": {**_keys(DATABASE_SECRET), "type": "internal", "name": BUNDLED_NAME}},
            "postgresql": {
                "enabled": True,
                "postgresqlUsername": BUNDLED_USER,
                "postgresqlPassword": self._password(),
                "postgresqlDatabase": BUNDLED_NAME,
                **({"storage": {"volumeClaimValue": self.storage}} if self.storage else {}),
            },
        }

    def _password(self) -> Credential:
        return self.password or Generated("database-password")


def _keys(secret: str) -> dict[str, Any]:
    pair = {"userSecretKey": "username", "passwordSecretKey": "password"}
    return {"secretName": secret, **pair, "replica": pair}

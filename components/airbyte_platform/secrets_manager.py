"""Where Airbyte keeps the connectors' credentials: without one of these, in plain text in its own database.

The credentials of the manager reach the job pods' init containers by references that the launcher is told. The
chart (2.2) tells them for Vault and Google only. For AWS it renders none, for Azure under names that nobody reads, so
for these two they are given as environment variables of the launcher.
"""

from typing import Any, Literal

from pydantic import Field, SecretStr, model_validator

from components.airbyte_platform.model import Credential, Group, ObjectName
from components.airbyte_platform.workloads import SECRETS_MANAGER_SECRET

_TOKEN = "token"  # noqa: S105 - keys' names
_ACCESS_KEY = "access-key-id"
_SECRET_KEY = "secret-access-key"  # noqa: S105
_CLIENT_ID = "client-id"
_CLIENT_SECRET = "client-secret"  # noqa: S105
_CREDENTIALS_JSON = "credentials.json"


class _Manager(Group):
    existing_secret: ObjectName | None = None

    @property
    def secret_name(self) -> str:
        """The Secret that the chart reads."""
        return self.existing_secret or SECRETS_MANAGER_SECRET

    def _values(self, type_: str, key: str, settings: dict[str, Any], secret: bool = True) -> dict[str, Any]:
        named = {"secretName": self.secret_name} if secret else {}
        return {"global": {"secretsManager": {"type": type_, **named, key: settings}}}

    def launcher_env(self) -> dict[str, str]:
        """Environment variables that the launcher needs for the job pods; none where the chart gives them."""
        return {}

    def _either(self, what: str, *given: str) -> None:
        if all(given) == bool(self.existing_secret):
            raise ValueError(f"needs {what}, or `existingSecret`, and not both.")


class VaultSecretsManager(_Manager):
    """HashiCorp Vault, KV version 2."""

    type: Literal["vault"]
    address: str
    prefix: str = "secret/"
    token: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _has_what_it_logs_in_with(self) -> "VaultSecretsManager":
        self._either("`token`", self.token.get_secret_value())
        return self

    def credentials(self) -> dict[str, Credential]:
        """What the Secret holds."""
        return {} if self.existing_secret else {_TOKEN: self.token}

    def values(self) -> dict[str, Any]:
        """Chart values."""
        settings = {"address": self.address, "prefix": self.prefix, "authTokenSecretKey": _TOKEN}
        return self._values("VAULT", "vault", settings)


class AwsSecretsManager(_Manager):
    """AWS Secrets Manager."""

    type: Literal["aws"]
    region: str
    kms_key_arn: str = ""
    tags: dict[str, str] = Field(default={})
    authentication: Literal["keys", "workloadIdentity"] = "workloadIdentity"
    access_key_id: str = ""
    secret_access_key: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _has_what_it_logs_in_with(self) -> "AwsSecretsManager":
        if self.authentication == "keys":
            self._either(
                "`accessKeyId` and `secretAccessKey`", self.access_key_id, self.secret_access_key.get_secret_value()
            )
        elif self.access_key_id or self.secret_access_key.get_secret_value() or self.existing_secret:
            raise ValueError("has keys beside `authentication: workloadIdentity`. Remove them, or use `keys`.")
        return self

    def credentials(self) -> dict[str, Credential]:
        """What the Secret holds; empty where the pods have an identity."""
        if self.authentication != "keys" or self.existing_secret:
            return {}
        return {_ACCESS_KEY: SecretStr(self.access_key_id), _SECRET_KEY: self.secret_access_key}

    def values(self) -> dict[str, Any]:
        """Chart values. `kmsArn` is the key that is read; the documented `kms` is not."""
        settings: dict[str, Any] = {"region": self.region}
        if self.kms_key_arn:
            settings["kmsArn"] = self.kms_key_arn
        if self.tags:
            settings["tags"] = [{"key": key, "value": value} for key, value in sorted(self.tags.items())]
        keys = self.authentication == "keys"
        if keys:
            settings |= {"accessKeyIdSecretKey": _ACCESS_KEY, "secretAccessKeySecretKey": _SECRET_KEY}
        return self._values("AWS_SECRET_MANAGER", "awsSecretManager", settings, secret=keys)

    def launcher_env(self) -> dict[str, str]:
        """References to the keys; the pods' own identity needs none."""
        if self.authentication != "keys":
            return {}
        return {
            "AWS_SECRET_MANAGER_ACCESS_KEY_ID_REF_NAME": self.secret_name,
            "AWS_SECRET_MANAGER_ACCESS_KEY_ID_REF_KEY": _ACCESS_KEY,
            "AWS_SECRET_MANAGER_SECRET_ACCESS_KEY_REF_NAME": self.secret_name,
            "AWS_SECRET_MANAGER_SECRET_ACCESS_KEY_REF_KEY": _SECRET_KEY,
        }


class GoogleSecretsManager(_Manager):
    """Google Secret Manager."""

    type: Literal["gcp"]
    project_id: str
    region: str = ""
    credentials_json: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _has_what_it_logs_in_with(self) -> "GoogleSecretsManager":
        self._either("`credentialsJson`", self.credentials_json.get_secret_value())
        return self

    def credentials(self) -> dict[str, Credential]:
        """What the Secret holds."""
        return {} if self.existing_secret else {_CREDENTIALS_JSON: self.credentials_json}

    def values(self) -> dict[str, Any]:
        """Chart values."""
        settings = {"projectId": self.project_id, "credentialsSecretKey": _CREDENTIALS_JSON}
        if self.region:
            settings["region"] = self.region
        return self._values("GOOGLE_SECRET_MANAGER", "googleSecretManager", settings)


class AzureKeyVault(_Manager):
    """Azure Key Vault."""

    type: Literal["azure"]
    vault_url: str
    tenant_id: str
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _has_what_it_logs_in_with(self) -> "AzureKeyVault":
        self._either("`clientId` and `clientSecret`", self.client_id, self.client_secret.get_secret_value())
        return self

    def credentials(self) -> dict[str, Credential]:
        """What the Secret holds."""
        if self.existing_secret:
            return {}
        return {_CLIENT_ID: SecretStr(self.client_id), _CLIENT_SECRET: self.client_secret}

    def values(self) -> dict[str, Any]:
        """Chart values."""
        settings = {
            "vaultUrl": self.vault_url,
            "tenantId": self.tenant_id,
            "clientIdSecretKey": _CLIENT_ID,
            "clientSecretSecretKey": _CLIENT_SECRET,
        }
        return self._values("AZURE_KEY_VAULT", "azureKeyVault", settings)

    def launcher_env(self) -> dict[str, str]:
        """The names that the launcher reads, misspelt as they are there."""
        return {
            "AB_AZURE_KEY_VAULT_CLIENT_ID_REF_NAME": self.secret_name,
            "AB_AZURE_KEY_VAULT_CLIENT_ID_REF_REF_KEY": _CLIENT_ID,
            "AB_AZURE_KEY_VAULT_CLIENT_SECRET_REF_REF_NAME": self.secret_name,
            "AB_AZURE_KEY_VAULT_CLIENT_SECRET_REF_REF_KEY": _CLIENT_SECRET,
        }

"""Where Airbyte keeps logs, state and the payloads of jobs: an object store, or in development the chart's MinIO.

Only what the chart (2.2) wires is offered: S3 by keys or by the pods' own identity, GCS by a credentials file (which
may be one of workload identity federation), Azure by a connection string, and anything that speaks S3 at an address
of its own.
"""

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator, model_validator

from components.airbyte_platform.model import Credential, Generated, Group, ObjectName, Quantity
from components.airbyte_platform.workloads import STORAGE_SECRET

_ACCESS_KEY = "access-key-id"
_SECRET_KEY = "secret-access-key"  # noqa: S105 - a key's name
_CREDENTIALS_JSON = "credentials.json"
_CONNECTION_STRING = "connection-string"
_BUNDLED_BUCKET = "state-storage"


class Buckets(Group):
    """One bucket for everything, or one for each kind."""

    default: str = ""
    log: str = ""
    audit_logging: str = ""
    state: str = ""
    workload_output: str = ""
    activity_payload: str = ""

    @model_validator(mode="after")
    def _each_has_one(self) -> "Buckets":
        missing = [key for key, bucket in self.values().items() if not bucket]
        if missing:
            raise ValueError(f"names no bucket for {', '.join(missing)}. Name each, or a `default`.")
        return self

    def values(self) -> dict[str, str]:
        """As the chart wants them."""
        kinds = self.model_dump(by_alias=True, exclude={"default"})
        return {kind: bucket or self.default for kind, bucket in kinds.items()}


class _External(Group):
    buckets: Buckets
    existing_secret: ObjectName | None = None

    def _values(self, type_: str, secret: str | None, **settings: Any) -> dict[str, Any]:
        storage = {"type": type_, "bucket": self.buckets.values(), type_: settings}
        return {
            "global": {"storage": {**storage, **({"secretName": secret} if secret else {})}},
            "minio": {"enabled": False},
        }

    @field_validator("buckets", mode="before")
    @classmethod
    def _one_name_will_do(cls, value: Any) -> Any:
        return {"default": value} if isinstance(value, str) else value


class S3Storage(_External):
    """Amazon S3."""

    type: Literal["s3"]
    region: str
    authentication: Literal["keys", "workloadIdentity"] = "workloadIdentity"
    access_key_id: str = ""
    secret_access_key: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _has_what_it_logs_in_with(self) -> "S3Storage":
        _one_way(self.authentication == "keys", self.access_key_id, self.secret_access_key, self.existing_secret)
        return self

    def credentials(self) -> dict[str, Credential]:
        """What the Secret holds; empty where there is none of ours."""
        if self.authentication != "keys" or self.existing_secret:
            return {}
        return {_ACCESS_KEY: SecretStr(self.access_key_id), _SECRET_KEY: self.secret_access_key}

    def values(self) -> dict[str, Any]:
        """Chart values. Without a Secret of its own name the chart reads its own, in which the keys are empty."""
        if self.authentication == "workloadIdentity":
            return self._values("s3", None, region=self.region, authenticationType="instanceProfile")
        return self._values(
            "s3",
            self.existing_secret or STORAGE_SECRET,
            region=self.region,
            authenticationType="credentials",
            accessKeyIdSecretKey=_ACCESS_KEY,
            secretAccessKeySecretKey=_SECRET_KEY,
        )


class GcsStorage(_External):
    """Google Cloud Storage."""

    type: Literal["gcs"]
    credentials_json: SecretStr = SecretStr("")
    """A service account's key, or the configuration of workload identity federation."""

    @model_validator(mode="after")
    def _has_what_it_logs_in_with(self) -> "GcsStorage":
        if bool(self.credentials_json.get_secret_value()) == bool(self.existing_secret):
            raise ValueError("needs `credentialsJson`, or `existingSecret`, and not both.")
        return self

    def credentials(self) -> dict[str, Credential]:
        """What the Secret holds; the pods mount it as a file as well."""
        return {} if self.existing_secret else {_CREDENTIALS_JSON: self.credentials_json}

    def values(self) -> dict[str, Any]:
        """Chart values."""
        return self._values("gcs", self.existing_secret or STORAGE_SECRET, credentialsJsonSecretKey=_CREDENTIALS_JSON)


class AzureStorage(_External):
    """Azure Blob Storage."""

    type: Literal["azure"]
    connection_string: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _has_what_it_logs_in_with(self) -> "AzureStorage":
        if bool(self.connection_string.get_secret_value()) == bool(self.existing_secret):
            raise ValueError("needs `connectionString`, or `existingSecret`, and not both.")
        return self

    def credentials(self) -> dict[str, Credential]:
        """What the Secret holds."""
        return {} if self.existing_secret else {_CONNECTION_STRING: self.connection_string}

    def values(self) -> dict[str, Any]:
        """Chart values."""
        return self._values(
            "azure", self.existing_secret or STORAGE_SECRET, connectionStringSecretKey=_CONNECTION_STRING
        )


class MinioStorage(_External):
    """Anything that speaks S3 at an address of its own: MinIO, Ceph, Cloudflare R2."""

    type: Literal["minio"]
    endpoint: str
    access_key_id: str = ""
    secret_access_key: SecretStr = SecretStr("")

    @field_validator("endpoint")
    @classmethod
    def _is_an_address(cls, endpoint: str) -> str:
        if urlsplit(endpoint).scheme not in ("http", "https") or not urlsplit(endpoint).hostname:
            raise ValueError(f"`{endpoint}` is not an address, such as https://minio.example.com:9000.")
        return endpoint

    @model_validator(mode="after")
    def _has_what_it_logs_in_with(self) -> "MinioStorage":
        _one_way(True, self.access_key_id, self.secret_access_key, self.existing_secret)
        return self

    def credentials(self) -> dict[str, Credential]:
        """What the Secret holds."""
        if self.existing_secret:
            return {}
        return {_ACCESS_KEY: SecretStr(self.access_key_id), _SECRET_KEY: self.secret_access_key}

    def values(self) -> dict[str, Any]:
        """Chart values."""
        return self._values(
            "minio",
            self.existing_secret or STORAGE_SECRET,
            endpoint=self.endpoint,
            accessKeyIdSecretKey=_ACCESS_KEY,
            secretAccessKeySecretKey=_SECRET_KEY,
        )


class BundledStorage(Group):
    """The chart's MinIO: one pod, one volume. For development."""

    type: Literal["bundled"]
    password: SecretStr | None = None
    """Made by the stack where it is not given."""
    storage: Quantity | None = None
    """Size of its volume; the chart's default where it is not given."""

    def credentials(self) -> dict[str, Credential]:
        """What the Secret holds: MinIO's root user, and what everybody logs in with."""
        return {
            _ACCESS_KEY: SecretStr("airbyte"),
            _SECRET_KEY: self.password or Generated("storage-password"),
        }

    def values(self) -> dict[str, Any]:
        """Chart values; the bucket is the one that the chart's hook creates."""
        keys = {"accessKeyIdSecretKey": _ACCESS_KEY, "secretAccessKeySecretKey": _SECRET_KEY}
        storage = {
            "type": "minio",
            "secretName": STORAGE_SECRET,
            "bucket": Buckets(default=_BUNDLED_BUCKET).values(),
            "minio": keys,
        }
        return {
            "global": {"storage": storage},
            "minio": {
                "enabled": True,
                "rootUserSecretKey": _ACCESS_KEY,
                "rootPasswordSecretKey": _SECRET_KEY,
                **({"storage": {"volumeClaimValue": self.storage}} if self.storage else {}),
            },
        }


def _one_way(keys: bool, key_id: str, key: SecretStr, existing: str | None) -> None:
    given = bool(key_id) and bool(key.get_secret_value())
    if keys and given == bool(existing):
        raise ValueError("needs `accessKeyId` and `secretAccessKey`, or `existingSecret`, and not both.")
    if not keys and (key_id or key.get_secret_value() or existing):
        raise ValueError("has keys beside `authentication: workloadIdentity`. Remove them, or use `keys`.")

"""The stack's settings: what `Pulumi.<stack>.yaml` says, checked and typed."""

import difflib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pulumi
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from components.airbyte_platform import loading
from components.airbyte_platform.settings import PlatformSettings
from components.errors import ConfigurationError, Problem
from dynamic_providers.airbyte.errors import AirbyteError
from dynamic_providers.airbyte.settings import resolve_reference

SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class PostgresSettings(_Group):
    """The PostgreSQL server that CDC pipelines read."""

    managed: bool = True
    host: str = ""
    port: int = Field(default=5432, ge=1, le=65535)
    ssl_mode: SslMode = "require"
    schemas: list[str] = Field(default=["public"], min_length=1)
    user: str = "airbyte"
    password: str = Field(default="", repr=False)
    admin_host: str = ""
    admin_user: str = ""
    admin_password: str = Field(default="", repr=False)


class SnowflakeSettings(_Group):
    """The Snowflake account that pipelines load."""

    managed: bool = True
    host: str = ""
    organization: str = ""
    account: str = ""
    admin_user: str = ""
    admin_role: str = "ACCOUNTADMIN"
    admin_private_key: str = Field(default="", repr=False)
    admin_private_key_file: str = ""
    role: str = "AIRBYTE_ROLE"
    user: str = "AIRBYTE_USER"
    private_key: str = Field(default="", repr=False)
    private_key_file: str = ""
    warehouse_size: str = "XSMALL"
    auto_suspend_seconds: int = Field(default=60, ge=1)
    credit_quota: int = Field(default=50, ge=0)
    allowed_cidrs: list[str] = Field(default=[])
    api_host: str = ""
    api_port: int = Field(default=443, ge=1, le=65535)
    api_protocol: Literal["http", "https"] = "https"

    @property
    def account_host(self) -> str:
        """The account's host as Airbyte's connector wants it."""
        return self.host or f"{self.organization}-{self.account}.snowflakecomputing.com".lower()


class AirbyteSettings(_Group):
    """The Airbyte server. The dynamic provider reads the same keys; here they are checked early."""

    url: str
    client_id: str = ""
    client_secret: str = Field(default="", repr=False)
    workspace_id: str = ""
    watch_secrets: bool = False


class StackSettings(_Group):
    """Settings of the stack as a whole."""

    environment: Literal["sandbox", "dev", "production"] = "dev"
    pipelines_path: Path = Path("pipelines")
    connectors_path: Path = Path("connectors.yaml")
    timezone: str = "UTC"
    adopt: bool = False
    notifications_webhook: str = Field(default="", repr=False)

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"`{name}` is not an IANA time zone, such as UTC or Europe/Berlin.") from None
        return name


_GROUPS: Mapping[str, type[_Group]] = {
    "stack": StackSettings,
    "airbyte": AirbyteSettings,
    "postgres": PostgresSettings,
    "snowflake": SnowflakeSettings,
}
_KEYS = {
    to_camel(field if group == "stack" else f"{group}_{field}"): (group, field)
    for group, model in _GROUPS.items()
    for field in model.model_fields
}
"""Flat stack configuration key -> group and field: ``postgresAdminUser`` -> postgres, admin_user."""


@dataclass(frozen=True)
class Settings:
    """All settings of a stack."""

    stack: StackSettings
    airbyte: AirbyteSettings
    postgres: PostgresSettings
    snowflake: SnowflakeSettings
    platform: PlatformSettings | None
    """The Airbyte that the stack installs; None where it is installed elsewhere."""
    extra: frozenset[str]
    """Keys that are no settings; they may be variables of the pipeline files."""

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the stack's configuration.

        A value of the form ``${NAME}`` is taken from the environment. Raises ConfigurationError with every
        key that is missing, malformed or refers to a variable that is not set.
        """
        environ = os.environ if environ is None else environ
        problems: list[Problem] = []
        values: dict[str, dict[str, Any]] = {group: {} for group in _GROUPS}
        raw = stack_config()
        for key in raw.keys() & _KEYS.keys():
            group, field = _KEYS[key]
            try:
                values[group][field] = _expand(raw[key], environ)
            except AirbyteError as error:
                problems.append(Problem(place(group, field), str(error), ""))
        loaded: dict[str, Any] = {}
        for group, model in _GROUPS.items():
            try:
                loaded[group] = model.model_validate(values[group])
            except ValidationError as error:
                problems += [
                    Problem(
                        place(group, str(details["loc"][0])),
                        f"{details['msg'].removeprefix('Value error, ').rstrip('.')}.",
                        "Correct it with `pulumi config set`.",
                    )
                    for details in error.errors(include_url=False, include_input=False)
                    if not any(place(group, str(details["loc"][0])) == problem.where for problem in problems)
                ]
        platform = None
        if raw.get(loading.KEY, "{}") != "{}":  # empty is the project's default
            try:
                platform = loading.load_platform(raw[loading.KEY], stack_file(), environ)
            except ConfigurationError as error:
                problems += error.problems
        if problems:
            raise ConfigurationError(problems)
        return cls(**loaded, platform=platform, extra=frozenset(raw.keys() - _KEYS.keys() - {loading.KEY}))

    def refuse_unknown(self, used: Iterable[str]) -> None:
        """Raise ConfigurationError for configuration keys that neither the project nor a pipeline file knows."""
        problems = []
        for key in sorted(self.extra - set(used)):
            close = difflib.get_close_matches(key, [*_KEYS, loading.KEY], n=1)
            fix = f"Did you mean `{close[0]}`?" if close else f"Remove it with `pulumi config rm {key}`."
            problems.append(
                Problem(f"{stack_file()}: {key}", "is neither a setting nor a variable of a pipeline file.", fix)
            )
        if problems:
            raise ConfigurationError(problems)


def place(group: str, field: str) -> str:
    """Name a setting for an error message: its file and key."""
    return f"{stack_file()}: {key_of(group, field)}"


def key_of(group: str, field: str) -> str:
    """The flat configuration key of a field."""
    return next(key for key, at in _KEYS.items() if at == (group, field))


def require(group: str, settings: _Group, *fields: str, why: str) -> None:
    """Raise ConfigurationError for those of a group's settings that are needed and empty."""
    problems = [
        Problem(
            place(group, field),
            "is not set.",
            f"{why} Set it with `pulumi config set {key_of(group, field)} …`.",
        )
        for field in fields
        if not getattr(settings, field)
    ]
    if problems:
        raise ConfigurationError(problems)


def stack_file() -> str:
    """The file that a user writes the stack's settings into."""
    return f"Pulumi.{pulumi.get_stack()}.yaml"


def config_secrets() -> frozenset[str]:
    """The project's keys whose values are secret in the stack's configuration."""
    return frozenset(key for key in stack_config() if pulumi.runtime.is_config_secret(f"{pulumi.get_project()}:{key}"))


def stack_config() -> dict[str, str]:
    """The project's keys of the stack's configuration, without their namespace.

    ``pulumi.Config`` can look keys up but not list them, and a misspelt key is only found by listing.
    """
    prefix = f"{pulumi.get_project()}:"
    everything = {**pulumi.runtime.config.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    return {key.removeprefix(prefix): value for key, value in everything.items() if key.startswith(prefix)}


def _expand(raw: str, environ: Mapping[str, str]) -> Any:
    """Expand a reference to the environment; arrays arrive as JSON text."""
    return json.loads(raw) if raw.startswith("[") else resolve_reference(raw, environ)

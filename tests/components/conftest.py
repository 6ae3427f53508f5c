"""Pulumi's mocks, recording what a program declares."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One event loop for all of these tests: an output may outlive the test that made it."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def fresh_engine(loop: asyncio.AbstractEventLoop) -> None:
    """Outputs want a current event loop, which any other test of the process may have unset by its own.

    What earlier tests left unfinished is forgotten, since the SDK would wait for it in this one.
    """
    asyncio.set_event_loop(loop)
    pulumi.runtime.settings.SETTINGS.outputs.clear()
    pulumi.runtime.settings.SETTINGS.rpc_manager.clear()


@dataclass
class Declared(pulumi.runtime.Mocks):
    """Every resource that was registered, in order."""

    resources: list[pulumi.runtime.MockResourceArgs] = field(default_factory=list)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.resources.append(args)
        outputs = {key: value for key, value in args.inputs.items() if key != "__provider"}
        if args.typ == "snowflake:index/schema:Schema":
            outputs["fullyQualifiedName"] = f'"{args.inputs["database"]}"."{args.inputs["name"]}"'
        if args.typ == "kubernetes:helm.sh/v3:Release":
            outputs["status"] = {"name": args.inputs["name"], "namespace": args.inputs["namespace"], "revision": 1}
        if args.typ == "pulumi-python:dynamic/generated:GeneratedSecret":
            outputs["value"] = f"made-{args.name}"
        return f"{args.name}-id", outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None

    def of_type(self, token: str) -> dict[str, dict[str, Any]]:
        """Inputs of the resources of a type, by resource name."""
        return {each.name: dict(each.inputs) for each in self.resources if each.typ == token}


@pytest.fixture
def declared() -> Iterator[Declared]:
    """A fresh engine that records instead of doing."""
    mocks = Declared()
    pulumi.runtime.set_mocks(mocks, project="airbyte-as-code", stack="test", preview=False)
    pulumi.runtime.set_all_config({})
    yield mocks
    pulumi.runtime.set_all_config({})


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A freshly made RSA key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = tmp_path_factory.mktemp("keys") / "key.p8"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


StackConfig = Callable[..., None]


@pytest.fixture
def stack_config(
    declared: Declared, key_file: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> StackConfig:
    """Set the stack's configuration; None removes a key."""
    monkeypatch.chdir(project_root)

    def configure(**changes: str | None) -> None:
        config: dict[str, str | None] = {
            "airbyteUrl": "http://localhost:8000",
            "airbyteClientId": "id",
            "airbyteClientSecret": "secret",
            "postgresHost": "db.example.com",
            "postgresPassword": "postgres-password",
            "postgresAdminUser": "admin",
            "postgresAdminPassword": "admin-password",
            "snowflakeOrganization": "ORG",
            "snowflakeAccount": "ACCOUNT",
            "snowflakeAdminUser": "PULUMI",
            "snowflakeAdminPrivateKeyFile": str(key_file),
            "snowflakePrivateKeyFile": str(key_file),
            **changes,
        }
        pulumi.runtime.set_all_config(
            {f"airbyte-as-code:{key}": value for key, value in config.items() if value is not None}
        )

    configure()
    return configure

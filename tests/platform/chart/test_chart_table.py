"""The tables of value keys, and the stand-in chart, which are two tellings of the same facts."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from airbyte_cli.platform.helm import Chart
from airbyte_cli.platform.template_reads import Reads, reads
from components.airbyte_platform.chart import load_table, supported_minors
from components.errors import ConfigurationError

UNREAD = (
    "cron.livenessProbe.enabled",
    "global.secretsManager.enabled",
    "global.workloads.namespace",
    "manifestServer.ingress.enabled",
    "postgresql.existingSecret",
    "server.log.level",
    "temporal.host",
    "worker.hpa.enabled",
    "workloadApiServer.bearerToken",
)
"""Keys that are declared, look useful, and are read by nothing."""

UNDECLARED = (
    "airbyteBootloader.extraVolumeMount",
    "global.auth.managedSecretName",
    "global.auth.secretName",
    "global.auth.security.jwtSignatureSecretSecretKey",
    "global.database.replica.userSecretKey",
    "global.database.userSecretKey",
    "global.secretsManager.vault.address",
    "global.storage.s3.region",
    "global.workloads.resources.check.cpu.limit",
    "workloadLauncher.parallelism",
)
"""Keys that values.yaml does not have, and that a hardened installation needs."""


def path(key: str) -> tuple[str, ...]:
    return tuple(key.split("."))


def leaves(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*above, name))
        else:
            yield (*above, name)


@pytest.fixture(scope="module")
def found(stand_in: Chart) -> Reads:
    return reads(stand_in.templates, stand_in.values)


def test_the_stand_in_reads_every_key_that_the_table_calls_read(stand_in: Chart, found: Reads) -> None:
    table = load_table(stand_in.version)
    assert [".".join(key) for key in table.keys if not found.read(key)] == []


def test_the_stand_in_reads_no_key_that_the_table_calls_inert(stand_in: Chart, found: Reads) -> None:
    table = load_table(stand_in.version)
    inert = [key for key in leaves(stand_in.values) if table.why_inert(key) and key[0] not in table.unchecked]
    assert len(inert) > 70
    assert [".".join(key) for key in inert if found.read(key)] == []


def test_every_inert_key_of_the_table_is_declared_by_the_stand_in(stand_in: Chart) -> None:
    """An inert key that nobody declares would be a plain unknown one."""
    table = load_table(stand_in.version)
    declared = list(leaves(stand_in.values))

    def stands(pattern: str) -> bool:
        parts = path(pattern)
        return any(
            len(key) >= len(parts) and all(part in ("*", name) for part, name in zip(parts, key, strict=False))
            for key in declared
        )

    assert [pattern for pattern in table.inert if not stands(pattern)] == []


def test_declared_means_the_same_to_table_and_stand_in(stand_in: Chart) -> None:
    table = load_table(stand_in.version)

    def declared(key: tuple[str, ...]) -> bool:
        values: Any = stand_in.values
        for name in key:
            if not isinstance(values, Mapping) or name not in values:
                return False
            values = values[name]
        return True

    assert {".".join(key) for key, fact in table.keys.items() if fact.declared != declared(key)} == set()


@pytest.mark.parametrize("key", UNREAD)
def test_known_traps_are_inert(key: str, found: Reads) -> None:
    assert load_table("2.2.0").why_inert(path(key))
    assert not found.read(path(key))


@pytest.mark.parametrize("key", UNDECLARED)
def test_what_hardening_needs_is_read_though_undeclared(key: str, found: Reads, stand_in: Chart) -> None:
    assert not load_table("2.2.0").keys[path(key)].declared
    assert path(key) in found.undeclared(stand_in.values)


def test_a_minor_version_told_by_its_differences() -> None:
    """2.1 is 2.2 without what came with 2.2; a key that 2.2 began to read is inert in it."""
    older, newer = load_table("2.1.1"), load_table("2.2.0")
    assert path("namespaceOverride") in newer.keys
    assert path("namespaceOverride") not in older.keys
    assert newer.why_inert(path("global.jobs.resources.limits")) is None
    assert older.why_inert(path("global.jobs.resources.limits"))
    assert older.components == newer.components


def test_a_minor_version_that_nobody_looked_at_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"3\.0\.0.*Use one of 2\.1\.x, 2\.2\.x"):
        load_table("3.0.0")
    assert supported_minors() == ["2.1", "2.2"]

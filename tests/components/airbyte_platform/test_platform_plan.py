"""A stack with a platform is planned as a whole: what production may not do, and where the pipelines' hosts are."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.airbyte_platform.network import Opening
from components.errors import ConfigurationError
from components.plan import Plan

Written = dict[str, Any]
StackConfig = Callable[..., None]
URL = "https://airbyte.example.com"
NOWHERE = ""


def set_at(written: Written, path: str, value: Any) -> None:
    """Set a value at a dotted path; None takes it away."""
    *parents, last = path.split(".")
    for part in parents:
        written = written.setdefault(part, {})
    if value is None:
        del written[last]
    else:
        written[last] = value


@pytest.fixture
def plan(stack_config: StackConfig, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plan]:
    monkeypatch.setenv("AIRBYTE_DATABASE_USER", "airbyte")
    monkeypatch.setenv("AIRBYTE_DATABASE_PASSWORD", "hunter2-database")

    def load(platform: Written, **changes: str | None) -> Plan:
        config: dict[str, str | None] = {
            "environment": "production",
            "airbyteUrl": URL,
            "postgresHost": "orders-db.internal.example.com",
        }
        stack_config(**{**config, **changes}, platform=json.dumps(platform))
        return Plan.load()

    return load


def refusal(plan: Callable[..., Plan], written: Written, **changes: str | None) -> str:
    with pytest.raises(ConfigurationError) as refused:
        plan(written, **changes)
    assert "hunter2" not in str(refused.value)
    return str(refused.value)


def test_without_the_key_there_is_no_platform(stack_config: StackConfig) -> None:
    assert Plan.load().platform is None
    stack_config(platform="{}")
    assert Plan.load().platform is None


def test_the_pipelines_hosts_are_opened_to_the_job_pods(plan: Callable[..., Plan], production: Written) -> None:
    platform = plan(production).platform
    assert platform is not None
    assert platform.openings == (Opening(("10.0.40.0/24",), (5432,)), Opening(("198.51.100.0/24",), (443,)))
    assert platform.client.id == "id"
    assert platform.values["global"]["airbyteUrl"] == URL


def test_a_host_that_is_an_address_needs_no_entry(plan: Callable[..., Plan], production: Written) -> None:
    platform = plan(production, postgresHost="10.0.40.7").platform
    assert platform is not None
    assert Opening(("10.0.40.7/32",), (5432,)) in platform.openings


def test_an_entry_that_no_pipeline_needs_opens_nothing(plan: Callable[..., Plan], production: Written) -> None:
    production["network"]["egress"].append({"host": "unused.example.com", "cidrs": ["203.0.113.0/24"]})
    platform = plan(production).platform
    assert platform is not None
    assert "203.0.113.0/24" not in str(platform.openings)


def test_a_host_without_an_entry_is_refused_with_its_file_and_line(
    plan: Callable[..., Plan], production: Written
) -> None:
    message = refusal(plan, production, postgresHost="other-db.example.com")
    assert (
        "pipelines/production.yaml:5: source.config.host: job pods can't reach other-db.example.com: a network policy "
        "knows addresses and no names. Say where it is, in Pulumi.test.yaml: platform.network.egress: "
        "`- {host: other-db.example.com, cidrs: [<its addresses>], ports: [5432]}`."
    ) in message


def test_an_entry_for_other_ports_is_refused(plan: Callable[..., Plan], production: Written) -> None:
    production["network"]["egress"][0]["ports"] = [5433]
    message = refusal(plan, production)
    assert "orders-db.internal.example.com is listed in" in message
    assert "but its port 5432 is not." in message


def test_the_metadata_address_is_no_source(plan: Callable[..., Plan], production: Written) -> None:
    message = refusal(plan, production, postgresHost="169.254.169.254")
    assert "pipelines/production.yaml:5" in message
    assert "where clouds hand out credentials" in message


def test_in_development_a_name_is_opened_to_everywhere(plan: Callable[..., Plan], bundled: Written) -> None:
    platform = plan(bundled, environment="dev", postgresHost="other-db.example.com").platform
    assert platform is not None
    assert Opening(("0.0.0.0/0",), (5432,)) in platform.openings


REFUSED_IN_PRODUCTION: dict[str, tuple[str, Any, list[str]]] = {
    "the chart's database": ("database", {"type": "bundled"}, ["platform.database.type", "not for production"]),
    "the chart's MinIO": ("storage", {"type": "bundled"}, ["platform.storage.type", "not for production"]),
    "no API server": ("network.kubeApi", None, ["platform.network.kubeApi: is not set", "endpointslices"]),
    "no database addresses": ("network.database", None, ["platform.network.database: is not set"]),
    "no object store addresses": ("network.objectStore", None, ["platform.network.objectStore: is not set"]),
    "no secrets manager addresses": ("network.secretsManager", None, ["platform.network.secretsManager: is not set"]),
    "no identity addresses": ("network.identity", None, ["platform.network.identity: is not set"]),
    "everywhere": (
        "network.database",
        {"cidrs": ["0.0.0.0/0"]},
        ["platform.network.database: opens every address.", "reason"],
    ),
    "plain text to the database": ("database.sslMode", "prefer", ["platform.database.sslMode", "Use require."]),
    "no secrets manager": (
        "secretsManager",
        None,
        ["in plain text", "allowSecretsInDatabase"],
    ),
}


@pytest.mark.parametrize("case", REFUSED_IN_PRODUCTION)
def test_production_refuses(case: str, plan: Callable[..., Plan], production: Written) -> None:
    path, value, expected = REFUSED_IN_PRODUCTION[case]
    set_at(production, path, value)
    message = refusal(plan, production)
    for part in expected:
        assert part in message


def test_a_waiver_with_a_reason_is_taken(plan: Callable[..., Plan], production: Written) -> None:
    production["network"]["objectStore"] = {"cidrs": ["0.0.0.0/0"], "reason": "S3 has no fixed addresses here"}
    del production["secretsManager"]
    del production["network"]["secretsManager"]
    production["allowSecretsInDatabase"] = "the database is encrypted and nobody else reads it"
    assert plan(production).platform is not None


REFUSED_ANYWHERE: dict[str, tuple[str, Any, dict[str, str | None], list[str]]] = {
    "an ingress without TLS": (NOWHERE, None, {"airbyteUrl": "http://localhost:8000"}, ["platform.ingress", "TLS"]),
    "no client": (NOWHERE, None, {"airbyteClientSecret": None}, ["airbyteClientSecret: is not set."]),
    "the metadata address": (
        "network.database",
        {"cidrs": ["169.254.169.254/32"]},
        {},
        ["platform.network.database: opens 169.254.169.254/32", "network.identity"],
    ),
    "too few workers": (
        "scaling",
        {"concurrentSyncs": 100, "workerReplicas": 2, "maxSyncWorkers": 10},
        {},
        ["scaling.concurrentSyncs: asks for 100 syncs at once, but 2 worker(s) of 10 run 20."],
    ),
    "a container above the limit range": (
        "quota",
        {"containerMax": {"cpu": "4", "memory": "1Gi"}},
        {},
        ["quota.containerMax: is 1Gi memory, and `server` is given 4Gi"],
    ),
    "too small a quota": ("quota", {"pods": 20}, {}, ["quota: allows 20 pods, and 100 syncs beside the platform take"]),
    "an override of what is set": (
        "extraValues",
        {"global": {"serviceAccountName": "airbyte-admin"}},
        {},
        ["extraValues: sets global.serviceAccountName, which is set by the platform."],
    ),
    "an unknown value": (
        "extraValues",
        {"server": {"replicaCuont": 3}},
        {},
        ["platform.extraValues.server.replicaCuont: is no key of chart 2.2", "Did you mean `server.replicaCount`?"],
    ),
    "an inert value": (
        "extraValues",
        {"cron": {"livenessProbe": {"enabled": True}}},
        {},
        ["platform.extraValues.cron.livenessProbe", "read by none of its templates"],
    ),
    "a secret in plain sight": (
        "extraValues",
        {"server": {"env_vars": {"SMTP_PASSWORD": "hunter2"}}},
        {},
        ["extraValues: has a secret at server.env_vars.SMTP_PASSWORD"],
    ),
    "a chart that nothing is known of": ("chart", {"version": "9.0.0"}, {}, ["platform.chart.version: is 9.0.0"]),
}


@pytest.mark.parametrize("case", REFUSED_ANYWHERE)
def test_every_environment_refuses(case: str, plan: Callable[..., Plan], production: Written) -> None:
    path, value, changes, expected = REFUSED_ANYWHERE[case]
    if path:
        set_at(production, path, value)
    message = refusal(plan, production, environment="dev", **changes)
    for part in expected:
        assert part in message


def test_a_pipeline_that_asks_for_more_than_a_container_may_have_is_refused(
    plan: Callable[..., Plan], production: Written, project_root: Path, tmp_path: Path
) -> None:
    text = (project_root / "pipelines" / "production.yaml").read_text() + "  resources:\n    memory_limit: 16Gi\n"
    (tmp_path / "production.yaml").write_text(text)
    message = refusal(plan, production, pipelinesPath=str(tmp_path))
    line = text.splitlines().index("    memory_limit: 16Gi") + 1
    assert f"production.yaml:{line}: sync.resources.memory_limit: is 16Gi" in message
    assert "platform.quota.containerMax allows a container 8Gi." in message


@pytest.mark.parametrize("version", ["2.1.1", "2.2.0"])
def test_every_value_that_is_set_acts_in_the_chart(
    version: str, plan: Callable[..., Plan], production: Written, bundled: Written
) -> None:
    """The plan checks its own values too: a key that a version of the chart ignores would be refused."""
    image = {"registry": "mirror.example.com", "pullSecret": "pull"}
    for written, environment in ((production, "production"), (bundled, "dev")):
        written["chart"]["version"] = version
        assert plan({**written, "image": image}, environment=environment).platform is not None

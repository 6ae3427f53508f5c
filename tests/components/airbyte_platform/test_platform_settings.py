"""Settings say what is wrong with them by file and path, and never quote a value."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.airbyte_platform.loading import load_platform
from components.airbyte_platform.settings import PlatformSettings
from components.errors import ConfigurationError

Written = dict[str, Any]
Load = Callable[[Written], PlatformSettings]


def refusal(load: Load, written: Written) -> str:
    with pytest.raises(ConfigurationError) as refused:
        load(written)
    return str(refused.value)


def set_at(written: Written, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        written = written.setdefault(part, {})
    written[last] = value


UNKNOWN = {
    "databse": "platform.databse: is not a setting. Did you mean `database`?",
    "chart.verison": "platform.chart.verison: is not a setting. Did you mean `version`?",
    "database.hots": "platform.database.hots: is not a setting. Did you mean `host`?",
    "storage.bukets": "platform.storage.bukets: is not a setting. Did you mean `buckets`?",
    "secretsManager.regoin": "platform.secretsManager.regoin: is not a setting. Did you mean `region`?",
    "resources.jobs.conector": "platform.resources.jobs.conector: is not a setting. Did you mean `connector`?",
    "network.kubeAPI": "platform.network.kubeAPI: is not a setting. Did you mean `kubeApi`?",
}


@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_key_is_refused_with_the_nearest_name(path: str, load: Load, production: Written) -> None:
    set_at(production, path, "x")
    assert f"Pulumi.test.yaml: {UNKNOWN[path]}" in refusal(load, production)


WRONG: dict[str, tuple[str, Any, str]] = {
    "no such kind of storage": (
        "storage.type",
        "s4",
        "storage.type: is not set to one of its values. Use `s3`",
    ),
    "not a range": ("network.database", {"cidrs": ["10.0.0.1/8"]}, "network.database.cidrs[0]: `10.0.0.1/8` is not an"),
    "not an endpoint": (
        "network.kubeApi",
        ["kubernetes"],
        "kubeApi[0]: `kubernetes` is not an address and a",
    ),
    "not an amount": (
        "quota.containerMax",
        {"cpu": "lots", "memory": "8Gi"},
        "containerMax.cpu: `lots` is not an",
    ),
    "two places": ("chart.oci", "oci://registry.example.com/airbyte", ""),
    "a peer nowhere": ("network.objectStore", {}, "network.objectStore: needs `cidrs` or `pods`, and not both."),
    "too short a time-out": ("ingress.timeoutSeconds", 30, "ingress.timeoutSeconds: is not right"),
    "no host and no connector": ("network.egress", [{"cidrs": ["10.0.0.0/8"]}], "network.egress[0]: needs `host` or"),
    "a JVM without room": (
        "resources.components.server",
        {"requests": {"cpu": "1", "memory": "512Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}},
        "resources.components.server: limits memory to 512Mi. A JVM takes 75 %",
    ),
    "requests above limits": (
        "resources.jobs.check",
        {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
        "resources.jobs.check: requests 2 cpu and limits it to 1, which is less.",
    ),
    "not a Pod Security version": ("podSecurityVersion", "latest", "platform.podSecurityVersion: is not right"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_bad_value_is_refused_with_its_path(case: str, load: Load, production: Written) -> None:
    path, value, expected = WRONG[case]
    if case == "two places":
        production["chart"]["path"] = "charts/airbyte"
        expected = "platform.chart: comes from one place only: `repository`, `oci` or `path`."
    set_at(production, path, value)
    assert expected in refusal(load, production)


def test_all_mistakes_are_told_at_once(load: Load, production: Written) -> None:
    production["databse"] = 1
    production["chart"]["version"] = "2"
    production["database"]["user"] = "${NOT_SET_ANYWHERE}"
    message = refusal(load, production)
    for part in ("platform.databse", "platform.chart.version", "platform.database.user", "NOT_SET_ANYWHERE"):
        assert part in message


def test_a_reference_is_taken_from_the_environment_and_numbers_arrive_as_numbers(production: Written) -> None:
    production["database"]["port"] = "${DB_PORT}"
    environ = {"DB_PORT": "6432", "AIRBYTE_DATABASE_USER": "someone", "AIRBYTE_DATABASE_PASSWORD": "hunter2"}
    database = load_platform(json.dumps(production), "Pulumi.test.yaml", environ).database
    assert (database.port, database.user) == (6432, "someone")  # type: ignore[union-attr]


def test_a_secret_shows_in_no_message_and_no_repr(load: Load, production: Written) -> None:
    """Pulumi hands `secure:` values over decrypted, in one text with everything else."""
    production["database"]["password"] = {"nested": "hunter2"}
    production["auth"] = {"adminPassword": ["hunter2"], "jwtSignatureSecret": "hunter2-jwt"}
    assert "hunter2" not in refusal(load, production)

    production["database"]["password"] = "hunter2"
    production["auth"] = {"adminPassword": "hunter2-admin", "jwtSignatureSecret": "hunter2-jwt"}
    assert "hunter2" not in repr(load(production))


def test_what_is_no_object_is_refused_without_being_quoted() -> None:
    for text in ("hunter2", '"hunter2"', "[]", "{"):
        with pytest.raises(ConfigurationError) as refused:
            load_platform(text, "Pulumi.test.yaml", {})
        assert "Pulumi.test.yaml: platform: is not an object." in str(refused.value)
        assert "hunter2" not in str(refused.value)


def test_amounts_are_kept_as_the_api_server_writes_them(load: Load, production: Written) -> None:
    """`0.5` comes back as `500m`, which would be a change in every preview."""
    production["quota"] = {"containerMax": {"cpu": "4000m", "memory": "8192Mi"}}
    most = load(production).quota.container_max
    assert (most.cpu, most.memory) == ("4", "8Gi")


class TestChartDigest:
    def test_an_archive_with_the_pinned_digest_is_taken(self, load: Load, production: Written, tmp_path: Path) -> None:
        archive = tmp_path / "airbyte-2.2.0.tgz"
        archive.write_bytes(b"chart")
        digest = hashlib.sha256(b"chart").hexdigest()
        production["chart"] = {"version": "2.2.0", "path": str(archive), "sha256": digest}
        assert load(production).chart.path == str(archive)

    def test_another_archive_is_refused(self, load: Load, production: Written, tmp_path: Path) -> None:
        archive = tmp_path / "airbyte-2.2.0.tgz"
        archive.write_bytes(b"tampered")
        production["chart"] = {"version": "2.2.0", "path": str(archive), "sha256": "0" * 64}
        message = refusal(load, production)
        assert "platform.chart: `" in message
        assert "not the pinned one. Do not install it." in message

    def test_a_digest_of_what_is_not_there_to_be_checked_is_refused(self, load: Load, production: Written) -> None:
        production["chart"]["sha256"] = "0" * 64
        message = refusal(load, production)
        assert "can be checked on an archive only" in message
        assert "helm pull airbyte --repo https://airbytehq.github.io/charts --version 2.2.0" in message

"""The chart is given hardened values: each backend yields the keys that this chart reads, and no others."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from components.airbyte_platform.model import Generated
from components.airbyte_platform.secrets import secret_objects
from components.airbyte_platform.settings import PlatformSettings
from components.airbyte_platform.values import chart_values
from components.airbyte_platform.workloads import WORKLOADS

Written = dict[str, Any]
Load = Callable[[Written], PlatformSettings]
URL = "https://airbyte.example.com"
BUCKETS = dict.fromkeys(("log", "auditLogging", "state", "workloadOutput", "activityPayload"), "b")


def secret_keys(settings: PlatformSettings, name: str) -> set[str]:
    """Keys of a Secret that the stack makes; empty where it makes none."""
    return {key for each in secret_objects(settings, "id", "secret") if each.name == name for key in each.data}


def named_keys(node: Any) -> set[str]:
    """Every Secret's key that values name."""
    if not isinstance(node, dict):
        return set()
    own = {value for key, value in node.items() if key.endswith("SecretKey") and isinstance(value, str)}
    return own.union(*(named_keys(value) for value in node.values()))


STORAGE: dict[str, tuple[Written, Written, set[str]]] = {
    "s3 by identity": (
        {"type": "s3", "region": "eu-central-1", "buckets": "b"},
        {"type": "s3", "bucket": BUCKETS, "s3": {"region": "eu-central-1", "authenticationType": "instanceProfile"}},
        set(),
    ),
    "s3 by keys": (
        {
            "type": "s3",
            "region": "eu-central-1",
            "buckets": "b",
            "authentication": "keys",
            "accessKeyId": "AKIA",
            "secretAccessKey": "hunter2",
        },
        {
            "type": "s3",
            "secretName": "airbyte-storage",
            "bucket": BUCKETS,
            "s3": {
                "region": "eu-central-1",
                "authenticationType": "credentials",
                "accessKeyIdSecretKey": "access-key-id",
                "secretAccessKeySecretKey": "secret-access-key",
            },
        },
        {"access-key-id", "secret-access-key"},
    ),
    "gcs": (
        {"type": "gcs", "buckets": {"default": "b"}, "credentialsJson": "{}"},
        {
            "type": "gcs",
            "secretName": "airbyte-storage",
            "bucket": BUCKETS,
            "gcs": {"credentialsJsonSecretKey": "credentials.json"},
        },
        {"credentials.json"},
    ),
    "azure": (
        {"type": "azure", "buckets": BUCKETS, "connectionString": "hunter2"},
        {
            "type": "azure",
            "secretName": "airbyte-storage",
            "bucket": BUCKETS,
            "azure": {"connectionStringSecretKey": "connection-string"},
        },
        {"connection-string"},
    ),
    "minio": (
        {
            "type": "minio",
            "buckets": "b",
            "endpoint": "https://minio.example.com:9000",
            "accessKeyId": "airbyte",
            "secretAccessKey": "hunter2",
        },
        {
            "type": "minio",
            "secretName": "airbyte-storage",
            "bucket": BUCKETS,
            "minio": {
                "endpoint": "https://minio.example.com:9000",
                "accessKeyIdSecretKey": "access-key-id",
                "secretAccessKeySecretKey": "secret-access-key",
            },
        },
        {"access-key-id", "secret-access-key"},
    ),
    "somebody else's Secret": (
        {"type": "azure", "buckets": "b", "existingSecret": "theirs"},
        {
            "type": "azure",
            "secretName": "theirs",
            "bucket": BUCKETS,
            "azure": {"connectionStringSecretKey": "connection-string"},
        },
        set(),
    ),
}


@pytest.mark.parametrize("case", STORAGE)
def test_each_storage_gives_the_keys_that_the_chart_reads(case: str, load: Load, production: Written) -> None:
    written, expected, keys = STORAGE[case]
    settings = load({**production, "storage": written})
    values = chart_values(settings, URL)
    assert values["global"]["storage"] == expected
    assert values["minio"] == {"enabled": False}
    assert secret_keys(settings, "airbyte-storage") == keys


MANAGERS: dict[str, tuple[Written, Written, set[str], dict[str, str]]] = {
    "vault": (
        {"type": "vault", "address": "https://vault.example.com:8200", "prefix": "kv/airbyte/", "token": "hunter2"},
        {
            "type": "VAULT",
            "secretName": "airbyte-secrets-manager",
            "vault": {
                "address": "https://vault.example.com:8200",
                "prefix": "kv/airbyte/",
                "authTokenSecretKey": "token",
            },
        },
        {"token"},
        {},
    ),
    "gcp": (
        {"type": "gcp", "projectId": "p", "credentialsJson": "{}"},
        {
            "type": "GOOGLE_SECRET_MANAGER",
            "secretName": "airbyte-secrets-manager",
            "googleSecretManager": {"projectId": "p", "credentialsSecretKey": "credentials.json"},
        },
        {"credentials.json"},
        {},
    ),
    "aws by identity": (
        {"type": "aws", "region": "eu-central-1", "kmsKeyArn": "arn:aws:kms:1", "tags": {"team": "data"}},
        {
            "type": "AWS_SECRET_MANAGER",
            "awsSecretManager": {
                "region": "eu-central-1",
                "kmsArn": "arn:aws:kms:1",
                "tags": [{"key": "team", "value": "data"}],
            },
        },
        set(),
        {},
    ),
    "aws by keys": (
        {
            "type": "aws",
            "region": "eu-central-1",
            "authentication": "keys",
            "accessKeyId": "AKIA",
            "secretAccessKey": "hunter2",
        },
        {
            "type": "AWS_SECRET_MANAGER",
            "secretName": "airbyte-secrets-manager",
            "awsSecretManager": {
                "region": "eu-central-1",
                "accessKeyIdSecretKey": "access-key-id",
                "secretAccessKeySecretKey": "secret-access-key",
            },
        },
        {"access-key-id", "secret-access-key"},
        {
            "AWS_SECRET_MANAGER_ACCESS_KEY_ID_REF_NAME": "airbyte-secrets-manager",
            "AWS_SECRET_MANAGER_ACCESS_KEY_ID_REF_KEY": "access-key-id",
            "AWS_SECRET_MANAGER_SECRET_ACCESS_KEY_REF_NAME": "airbyte-secrets-manager",
            "AWS_SECRET_MANAGER_SECRET_ACCESS_KEY_REF_KEY": "secret-access-key",
        },
    ),
    "azure": (
        {
            "type": "azure",
            "vaultUrl": "https://v.vault.azure.net",
            "tenantId": "t",
            "clientId": "c",
            "clientSecret": "hunter2",
        },
        {
            "type": "AZURE_KEY_VAULT",
            "secretName": "airbyte-secrets-manager",
            "azureKeyVault": {
                "vaultUrl": "https://v.vault.azure.net",
                "tenantId": "t",
                "clientIdSecretKey": "client-id",
                "clientSecretSecretKey": "client-secret",
            },
        },
        {"client-id", "client-secret"},
        {
            "AB_AZURE_KEY_VAULT_CLIENT_ID_REF_NAME": "airbyte-secrets-manager",
            "AB_AZURE_KEY_VAULT_CLIENT_ID_REF_REF_KEY": "client-id",
            "AB_AZURE_KEY_VAULT_CLIENT_SECRET_REF_REF_NAME": "airbyte-secrets-manager",
            "AB_AZURE_KEY_VAULT_CLIENT_SECRET_REF_REF_KEY": "client-secret",
        },
    ),
}


@pytest.mark.parametrize("case", MANAGERS)
def test_each_secrets_manager_gives_its_keys_and_the_job_pods_references(
    case: str, load: Load, production: Written
) -> None:
    written, expected, keys, references = MANAGERS[case]
    settings = load({**production, "secretsManager": written})
    values = chart_values(settings, URL)
    assert values["global"]["secretsManager"] == expected
    assert secret_keys(settings, "airbyte-secrets-manager") == keys
    environment = values["workloadLauncher"]["env_vars"]
    assert {key: value for key, value in environment.items() if "_REF_" in key} == references


def test_the_database_secret_is_read_by_both_pairs_of_keys(load: Load, production: Written) -> None:
    """The chart reads a replica's credentials too; without these two, its keys would have to be in the Secret."""
    settings = load(production)
    database = chart_values(settings, URL)["global"]["database"]
    assert secret_keys(settings, "airbyte-database") == {"username", "password"} == named_keys(database)
    assert named_keys(database["replica"]) == {"username", "password"}
    assert database["name"] == "airbyte?sslmode=require"


def test_every_key_of_the_auth_secret_is_named_and_there(load: Load, production: Written) -> None:
    settings = load(production)
    auth = chart_values(settings, URL)["global"]["auth"]
    assert auth["secretName"] == "airbyte-auth-secrets"
    assert auth["secretCreationEnabled"] is False
    assert named_keys(auth) == secret_keys(settings, "airbyte-auth-secrets")
    assert auth["security"]["jwtSignatureSecretKey"] == auth["security"]["jwtSignatureSecretSecretKey"]


def test_the_server_gets_the_client_that_this_project_logs_in_with(load: Load, production: Written) -> None:
    (auth,) = [each for each in secret_objects(load(production), "the-id", "the-secret") if "auth" in each.name]
    given = {key: value.get_secret_value() for key, value in auth.data.items() if isinstance(value, SecretStr)}
    assert given == {"instance-admin-client-id": "the-id", "instance-admin-client-secret": "the-secret"}
    made = {value.name for value in auth.data.values() if isinstance(value, Generated)}
    assert made == {"admin-password", "jwt-signature"}


def test_job_pods_have_no_rights_and_every_component_its_account(load: Load, production: Written) -> None:
    values = chart_values(load(production), URL)
    assert values["serviceAccount"] == {"create": False, "name": "airbyte-jobs"}
    assert values["global"]["serviceAccountName"] == "airbyte-jobs"
    accounts = {workload.key: values[workload.key]["serviceAccountName"] for workload in WORKLOADS}
    assert accounts == {
        "server": "airbyte-server",
        "worker": "airbyte-norbac",
        "workloadLauncher": "airbyte-launcher",
        "workloadApiServer": "airbyte-norbac",
        "cron": "airbyte-norbac",
        "manifestServer": "airbyte-norbac",
        "temporal": "airbyte-norbac",
        "airbyteBootloader": "airbyte-bootloader",
    }


def test_every_pod_is_hardened_and_every_container_limited(load: Load, production: Written) -> None:
    values = chart_values(load(production), URL)
    assert values["workloadLauncher"]["env_vars"]["ROOTLESS_WORKLOAD"] == "true"
    for workload in WORKLOADS:
        pod, container = values[workload.key]["podSecurityContext"], values[workload.key]["containerSecurityContext"]
        assert pod["runAsNonRoot"] is container["runAsNonRoot"] is True
        assert pod["seccompProfile"] == container["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["allowPrivilegeEscalation"] is False
        assert container["capabilities"] == {"drop": ["ALL"]}
        resources = values[workload.key]["resources"]
        assert {*resources} == {"requests", "limits"}
        assert all({*amounts} == {"cpu", "memory"} for amounts in resources.values())
    jobs = values["global"]["workloads"]["resources"]
    for kind in ("mainContainer", "replication", "check", "discover", "sidecar"):
        assert all(jobs[kind][resource][side] for resource in ("cpu", "memory") for side in ("request", "limit"))
    spec = {key for key in values["workloadLauncher"]["env_vars"] if key.startswith("SPEC_JOB_MAIN_CONTAINER")}
    assert len(spec) == 4


def test_nothing_is_told_to_others(load: Load, production: Written) -> None:
    values = chart_values(load(production), URL)["global"]
    assert values["tracking"] == {"enabled": False, "strategy": "logging"}
    assert values["auth"]["security"]["cookieSecureSetting"] is True
    assert values["auth"]["security"]["cookieSameSiteSetting"] == "Strict"


def test_job_pods_of_every_kind_go_to_their_pool(load: Load, production: Written) -> None:
    values = chart_values(load(production), URL)
    pool = {"example.com/pool": "airbyte-jobs"}
    kube = values["global"]["jobs"]["kube"]
    assert kube["nodeSelector"] == pool
    assert {kind: each["nodeSelectors"] for kind, each in kube["scheduling"].items()} == dict.fromkeys(
        ("check", "discover", "sourceDeclarativeManifest"), pool
    )
    assert values["workloadLauncher"]["env_vars"]["SPEC_JOB_KUBE_NODE_SELECTORS"] == "example.com/pool=airbyte-jobs"
    assert all(isinstance(text, str) for toleration in kube["tolerations"] for text in toleration.values())


def test_the_ingress_waits_for_a_check(load: Load, production: Written) -> None:
    ingress = chart_values(load(production), URL)["ingress"]
    assert ingress["hosts"][0] == {
        "host": "airbyte.example.com",
        "paths": [{"path": "/", "pathType": "Prefix", "backend": "server"}],
    }
    assert ingress["tls"] == [{"secretName": "airbyte-tls", "hosts": ["airbyte.example.com"]}]
    assert ingress["annotations"]["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "600"
    assert ingress["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt"


def test_a_mirror_serves_platform_connectors_and_pull_secret(load: Load, production: Written) -> None:
    image = {"registry": "mirror.example.com", "pullSecret": "pull", "dockerConfig": "{}"}
    settings = load({**production, "image": image})
    values = chart_values(settings, URL)
    assert values["global"]["image"] == {"registry": "mirror.example.com"}
    assert values["workloadLauncher"]["connector"] == {"image": {"registry": "mirror.example.com"}}
    assert values["global"]["imagePullSecrets"] == [{"name": "pull"}]
    assert values["global"]["jobs"]["kube"]["mainContainerImagePullSecret"] == "pull"
    assert secret_keys(settings, "pull") == {".dockerconfigjson"}


def test_the_charts_own_database_and_store_get_no_default_credentials(load: Load, bundled: Written) -> None:
    settings = load(bundled)
    values = chart_values(settings, "")
    assert values["postgresql"]["postgresqlPassword"] == Generated("database-password")
    assert values["global"]["storage"]["secretName"] == "airbyte-storage"
    assert values["minio"]["rootPasswordSecretKey"] == "secret-access-key"
    made = {each.name: each.data for each in secret_objects(settings, "id", "secret")}
    assert made["airbyte-database"]["password"] == Generated("database-password")
    assert made["airbyte-storage"]["secret-access-key"] == Generated("storage-password")

    given = load({**bundled, "database": {"type": "bundled", "password": "hunter2"}})
    password = chart_values(given, "")["postgresql"]["postgresqlPassword"]
    assert password.get_secret_value() == "hunter2"


def test_values_are_the_same_every_time_and_hold_no_plain_secret(load: Load, production: Written) -> None:
    production["secretsManager"] = {"type": "vault", "address": "https://vault.example.com", "token": "hunter2-token"}
    first, second = (json.dumps(chart_values(load(production), URL), default=repr) for _ in range(2))
    assert first == second
    assert "hunter2" not in first


def environment_names(node: Any) -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        if isinstance(value, dict):
            for name in value.get("env_vars", {}):
                yield key, name


def test_only_the_launcher_gets_environment_variables_and_none_of_the_charts_own(
    load: Load, production: Written
) -> None:
    """A name that the chart renders too would be there twice, which server-side apply refuses."""
    values = chart_values(load({**production, "secretsManager": MANAGERS["azure"][0]}), URL)
    names = list(environment_names(values))
    assert {key for key, _ in names} == {"workloadLauncher"}
    prefixes = (
        "ROOTLESS_",
        "SPEC_JOB_",
        "RUNNING_TTL",
        "SUCCEEDED_TTL",
        "UNSUCCESSFUL_TTL",
        "AB_AZURE_KEY_VAULT_CLIENT_",
    )
    assert all(name.startswith(prefixes) for _, name in names)

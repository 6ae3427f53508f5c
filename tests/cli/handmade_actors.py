"""Sources and destinations as people make them: secrets in every place, names of every kind."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_PEM = "-----BEGIN PRIVATE KEY-----\nsecret-{n}-pem\n-----END PRIVATE KEY-----"
_NAMES = (
    "orders",  # a destination is called so too
    "CRM / sales (EU)",
    "shop → lake",
    "Ürsprung & co",
    "orders",  # and another source of another connector
)
_NUMBERED = (
    "{kind} no. {n}",
    "{kind}: weekly #{n}",
    "a.b.c {n} {kind}",
    "{kind}-{n}",
    "{kind}  {n}",
    "{kind}_{n}: 'quoted' \"twice\"",
)


def _secret(number: int, what: str) -> str:
    return f"secret-{number}-{what}"


_SECRET: tuple[Any, ...] = (
    lambda n: (
        "airbyte/source-mysql",
        {
            "host": f"db{n}.example.com",
            "port": 3306,
            "database": "shop",
            "username": "airbyte",
            "password": _secret(n, "password"),
            "ssl_mode": {
                "mode": "verify_ca",
                "ca_certificate": _secret(n, "ca"),
                "client_key": _secret(n, "client-key"),
            },
            "replication_method": {"method": "CDC", "server_timezone": "UTC"},
        },
    ),
    lambda n: (
        "airbyte/source-hubspot",
        {
            "start_date": "2024-01-01T00:00:00Z",
            "credentials": {
                "credentials_title": "OAuth Credentials",
                "client_id": f"client-{n}",
                "client_secret": _secret(n, "client"),
                "refresh_token": _secret(n, "refresh"),
            },
        },
    ),
    lambda n: (
        "airbyte/source-mssql",
        {
            "host": f"mssql{n}.example.com",
            "port": 1433,
            "database": "erp",
            "schemas": ["dbo", "sales"],
            "username": "airbyte",
            "password": _secret(n, "password"),
            "jdbc_url_params": "applicationName=${APP}",
            "tunnel_method": {
                "tunnel_method": "SSH_KEY_AUTH",
                "tunnel_host": "bastion",
                "tunnel_port": 22,
                "tunnel_user": "airbyte",
                "ssh_key": _PEM.format(n=n),
            },
        },
    ),
    lambda n: (
        "sandbox/source-nested-secrets",
        {
            "endpoint": f"https://api{n}.example.com",
            "api_keys": [_secret(n, "key-0"), _secret(n, "key-1")],
            "accounts": [{"name": "a", "token": _secret(n, "a")}, {"name": "b", "token": _secret(n, "b")}],
            "pin_code": 1000 + n,
            "service_account": {"key": _secret(n, "account")},
            "proxy": {
                "url": "http://proxy",
                "auth": {"mode": "basic", "user": _secret(n, "user"), "password": _secret(n, "proxy")},
            },
        },
    ),
    lambda n: (
        "airbyte/source-github",
        {
            "credentials": {"option_title": "PAT Credentials", "personal_access_token": _secret(n, "pat")},
            "repositories": ["acme/one", "acme/two"],
        },
    ),
    lambda n: (
        "airbyte/source-mongodb-v2",
        {
            "database_config": {
                "cluster_type": "ATLAS_REPLICA_SET",
                "connection_string": f"mongodb+srv://cluster{n}.example.com/",
                "databases": ["shop"],
                "username": "airbyte",
                "password": _secret(n, "password"),
                "auth_source": "admin",
            }
        },
    ),
    lambda n: (
        "airbyte/source-google-sheets",
        {
            "spreadsheet_id": f"https://docs.google.com/spreadsheets/d/{n}",
            "batch_size": 200,
            "credentials": {"auth_type": "Service", "service_account_info": f'{{"secret-{n}": "x"}}'},
        },
    ),
    lambda n: (
        "airbyte/source-s3",
        {
            "bucket": f"bucket-{n}",
            "aws_access_key_id": _secret(n, "id"),
            "aws_secret_access_key": _secret(n, "key"),
            "streams": [
                {
                    "name": "files",
                    "globs": ["**/*.csv"],
                    "format": {"filetype": "csv", "delimiter": "\t", "null_values": ["", "NULL"]},
                }
            ],
        },
    ),
)
_OPEN: tuple[Any, ...] = (
    lambda n: ("airbyte/source-faker", {"count": 100 + n, "seed": n}),
    lambda n: (
        "airbyte/source-file",
        {
            "dataset_name": f"set-{n}",
            "format": "csv",
            "url": f"https://example.com/{n}.csv",
            "provider": {"storage": "HTTPS", "user_agent": False},
            "reader_options": '{"sep": ";"}',
        },
    ),
    lambda n: (
        "airbyte/source-s3",
        {"bucket": f"open-{n}", "streams": [{"name": "f", "format": {"filetype": "parquet"}}]},
    ),
    lambda n: (
        "airbyte/source-mysql",
        {
            "host": f"open{n}.example.com",
            "port": 3307,
            "database": "0123",
            "username": "reader",
            "replication_method": {"method": "STANDARD"},
        },
    ),
)
DESTINATIONS: tuple[tuple[str, str, Json], ...] = (
    (
        "airbyte/destination-bigquery",
        "orders",
        {
            "project_id": "acme",
            "dataset_location": "EU",
            "dataset_id": "raw",
            "credentials_json": '{"secret-bigquery": 1}',
            "loading_method": {
                "method": "GCS Staging",
                "gcs_bucket_name": "staging",
                "gcs_bucket_path": "airbyte/${NAMESPACE}",
                "credential": {
                    "credential_type": "HMAC_KEY",
                    "hmac_key_access_id": "secret-hmac-id",
                    "hmac_key_secret": "secret-hmac",
                },
            },
        },
    ),
    (
        "airbyte/destination-redshift",
        "warehouse → EU / prod",
        {
            "host": "redshift.example.com",
            "port": 5439,
            "database": "dwh",
            "schema": "public",
            "username": "loader",
            "password": "secret-redshift",
            "disable_type_dedupe": True,
            "uploading_method": {
                "method": "S3 Staging",
                "s3_bucket_name": "staging",
                "s3_bucket_region": "eu-west-1",
                "access_key_id": "secret-staging-id",
                "secret_access_key": "secret-staging",
            },
        },
    ),
    (
        "airbyte/destination-s3",
        "Lake",
        {
            "s3_bucket_name": "lake",
            "s3_bucket_path": "raw",
            "s3_bucket_region": "eu-west-1",
            "s3_path_format": "${NAMESPACE}/${STREAM_NAME}/${YEAR}_",
            "format": {"format_type": "JSONL", "compression": {"compression_type": "GZIP"}},
            "access_key_id": "secret-lake-id",
            "secret_access_key": "secret-lake",
        },
    ),
    (
        "airbyte/destination-postgres",
        "Reporting",
        {
            "host": "reports.example.com",
            "port": 5432,
            "database": "reports",
            "schema": "raw",
            "username": "loader",
            "password": "secret-reports",
            "disable_type_dedupe": False,
        },
    ),
)


def source(number: int, *, with_secrets: bool, among: int) -> tuple[str, str, Json]:
    """Repository, name and configuration of a source; `among` is its number among those with or without secrets."""
    factories = _SECRET if with_secrets else _OPEN
    repository, config = factories[among % len(factories)](number)
    pattern = _NAMES[number] if number < len(_NAMES) else _NUMBERED[number % len(_NUMBERED)]
    return repository, pattern.format(n=number, kind=repository.rpartition("-")[2]), config

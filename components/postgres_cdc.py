"""PostgresCdcSource: what a PostgreSQL database needs so that Airbyte can read its changes.

A login role with REPLICATION and SELECT on the synced tables only, one publication and one logical
replication slot a pipeline. https://docs.airbyte.com/integrations/sources/postgres#advanced-configuration-using-cdc
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import pulumi
import pulumi_postgresql as postgresql
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from components.errors import ConfigurationError, Problem
from components.pipeline_file import Pipeline, SourceSpec
from components.settings import PostgresSettings, SslMode, require

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
"""A slot's name may hold lower-case letters, digits and underscores only (PostgreSQL, 26.2.6)."""


class Capture(BaseModel):
    """What one pipeline reads: a slot of its own, and a publication of exactly the synced tables."""

    model_config = ConfigDict(frozen=True)

    slot: Identifier
    publication: Identifier
    tables: tuple[str, ...] = Field(min_length=1)
    """``schema.table``, sorted: the provider wants the order stable."""


class PostgresAdmin(BaseModel):
    """How Pulumi reaches the server, as a role that may create roles, publications and slots."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    host: str
    port: int = 5432
    user: str
    password: pulumi.Output[str]
    ssl_mode: SslMode = "require"


class PostgresCdcArgs(BaseModel):
    """Arguments of PostgresCdcSource."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    database: str
    role: str
    password: pulumi.Output[str]
    admin: PostgresAdmin
    captures: tuple[Capture, ...] = Field(min_length=1)


class PostgresCdcSource(pulumi.ComponentResource):
    """Role, grants, publications and replication slots in one database."""

    names: pulumi.Output[dict[str, Any]]
    """``role``, ``publications`` and ``slots`` as created."""
    ready: list[pulumi.Resource]
    """What must exist before Airbyte can read."""

    def __init__(self, name: str, args: PostgresCdcArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airbyte-as-code:postgres:PostgresCdcSource", name, None, opts)
        admin = postgresql.Provider(
            f"{name}-admin",
            host=args.admin.host,
            port=args.admin.port,
            database=args.database,
            username=args.admin.user,
            password=args.admin.password,
            sslmode=args.admin.ssl_mode,
            connect_timeout=10,
            superuser=False,  # managed services give their administrator no superuser
            opts=pulumi.ResourceOptions(parent=self),
        )
        aliases = [pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]
        child = pulumi.ResourceOptions(parent=self, provider=admin, aliases=aliases)
        role = postgresql.Role(
            f"{name}-role",
            name=args.role,
            login=True,
            replication=True,
            password=args.password,
            opts=child,
        )
        grants = self._grants(name, args, role, child)
        slots, publications = [], []
        for capture in args.captures:
            publication = postgresql.Publication(
                f"{name}-{capture.publication}",
                name=capture.publication,
                database=args.database,
                tables=list(capture.tables),
                opts=child,
            )
            # The slot decodes with the catalog as of its creation: a publication made later is unknown to it.
            slot = postgresql.ReplicationSlot(
                f"{name}-{capture.slot}",
                name=capture.slot,
                database=args.database,
                plugin="pgoutput",
                opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[publication])),
            )
            publications.append(publication)
            slots.append(slot)

        self.ready = [role, *grants, *publications, *slots]
        self.names = pulumi.Output.all(
            role=role.name,
            publications=[publication.name for publication in publications],
            slots=[slot.name for slot in slots],
        )
        self.register_outputs({"names": self.names})

    @staticmethod
    def _grants(
        name: str, args: PostgresCdcArgs, role: postgresql.Role, opts: pulumi.ResourceOptions
    ) -> list[postgresql.Grant]:
        """CONNECT, then USAGE and SELECT on no more than what is synced."""
        by_schema: dict[str, set[str]] = {}
        for capture in args.captures:
            for table in capture.tables:
                schema, _, relation = table.partition(".")
                by_schema.setdefault(schema, set()).add(relation)
        grants = [
            postgresql.Grant(
                f"{name}-connect",
                database=args.database,
                role=role.name,
                object_type="database",
                privileges=["CONNECT"],
                opts=opts,
            )
        ]
        for schema, relations in sorted(by_schema.items()):
            grants += [
                postgresql.Grant(
                    f"{name}-{schema}-usage",
                    database=args.database,
                    role=role.name,
                    schema=schema,
                    object_type="schema",
                    privileges=["USAGE"],
                    opts=opts,
                ),
                postgresql.Grant(
                    f"{name}-{schema}-select",
                    database=args.database,
                    role=role.name,
                    schema=schema,
                    object_type="table",
                    objects=sorted(relations),
                    privileges=["SELECT"],
                    opts=opts,
                ),
            ]
        return grants


def reads_stack_database(source: SourceSpec, settings: PostgresSettings) -> bool:
    """Whether a source is the PostgreSQL server of the stack's settings."""
    host = source.config.get("host")
    return source.connector == "source-postgres" and host in ("${POSTGRES_HOST}", settings.host)


def complete_source_config(config: Mapping[str, Any], settings: PostgresSettings) -> dict[str, Any]:
    """Fill in what a source's config leaves out and the settings know."""
    known = {
        "port": settings.port,
        "schemas": list(settings.schemas),
        "ssl_mode": {"mode": settings.ssl_mode},
        "tunnel_method": {"tunnel_method": "NO_TUNNEL"},
        "username": settings.user,
        "password": "${POSTGRES_PASSWORD}",
    }
    return {**known, **config}


def plan_postgres(settings: PostgresSettings, pipelines: Iterable[Pipeline]) -> dict[str, PostgresCdcArgs]:
    """What each database that CDC pipelines read needs, by database; nothing where unmanaged.

    Raises ConfigurationError where a setting or a field that this needs is missing.
    """
    captures: dict[str, dict[str, Capture]] = {}
    problems: list[Problem] = []
    for pipeline in pipelines:
        if not (pipeline.captures_changes and reads_stack_database(pipeline.spec.source, settings)):
            continue
        try:
            database, capture = _capture(pipeline, settings)
        except ConfigurationError as error:
            problems += error.problems
            continue
        other = captures.setdefault(database, {}).setdefault(capture.slot, capture)
        if other != capture:
            problems.append(
                Problem(
                    pipeline.where("source", "config", "replication_method", "replication_slot"),
                    f"slot `{capture.slot}` is used by another pipeline too, and a slot serves one reader only.",
                    "Give each pipeline a slot and a publication of its own.",
                )
            )
    if problems:
        raise ConfigurationError(problems)
    if not settings.managed or not captures:
        return {}
    why = "The stack creates the replication role, publication and slot."
    require("postgres", settings, "host", "password", "admin_user", "admin_password", why=why)
    admin = PostgresAdmin(
        host=settings.admin_host or settings.host,
        port=settings.port,
        user=settings.admin_user,
        password=pulumi.Output.secret(settings.admin_password),
        ssl_mode=settings.ssl_mode,
    )
    return {
        database: PostgresCdcArgs(
            database=database,
            role=settings.user,
            password=pulumi.Output.secret(settings.password),
            admin=admin,
            captures=tuple(of_database.values()),
        )
        for database, of_database in captures.items()
    }


def _capture(pipeline: Pipeline, settings: PostgresSettings) -> tuple[str, Capture]:
    config = pipeline.spec.source.config
    method = config["replication_method"]
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for path in (
        ("database",),
        ("replication_method", "replication_slot"),
        ("replication_method", "publication"),
    ):
        value = config.get(path[0]) if len(path) == 1 else method.get(path[1]) if isinstance(method, dict) else None
        where = pipeline.where("source", "config", *path)
        if not isinstance(value, str) or not value:
            problems.append(Problem(where, f"`{path[-1]}` is missing.", "A CDC source needs it."))
        elif "${" in value:
            problems.append(Problem(where, "can't be a variable: the stack creates it.", "Write its name."))
        else:
            values[path[-1]] = value
    schemas = config.get("schemas") or settings.schemas
    tables = set()
    for index, stream in enumerate(pipeline.spec.sync.streams):
        if stream.namespace is None and len(schemas) > 1:
            problems.append(
                Problem(
                    pipeline.where("sync", "streams", index, "name"),
                    f"stream `{stream.name}` could be in any of the schemas {', '.join(schemas)}.",
                    "Add `namespace:` to the stream.",
                )
            )
        tables.add(f"{stream.namespace or schemas[0]}.{stream.name}")
    if problems:
        raise ConfigurationError(problems)
    try:
        capture = Capture(
            slot=values["replication_slot"], publication=values["publication"], tables=tuple(sorted(tables))
        )
    except ValueError:
        where = pipeline.where("source", "config", "replication_method")
        fix = "Use up to 63 lower-case letters, digits and underscores."
        raise ConfigurationError([Problem(where, "names a slot or publication PostgreSQL refuses.", fix)]) from None
    return values["database"], capture

"""`airbyte-cli import`: what it writes, what it says it can't, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from airbyte_cli.__main__ import app
from airbyte_cli.importing import definitions
from components.pipeline_file import load_pins, load_pipelines
from dynamic_providers.airbyte.kinds import SOURCE
from dynamic_providers.airbyte.models import Definition
from tests.cli import handmade
from tests.cli.handmade_api import CLIENT_ID, CLIENT_SECRET, Api, serve

MYSQL, FAKER, S3 = "airbyte/source-mysql", "airbyte/source-faker", "airbyte/destination-s3"
NESTED = "sandbox/source-nested-secrets"
CONFIG = {
    "host": "db",
    "port": 3306,
    "database": "shop",
    "username": "airbyte",
    "password": "secret-mysql",
    "replication_method": {"method": "STANDARD"},
}
LAKE = {
    "s3_bucket_name": "lake",
    "s3_bucket_path": "raw",
    "s3_bucket_region": "eu-west-1",
    "format": {"format_type": "JSONL", "flattening": "Root level flattening"},
}


def stream(name: str = "orders", **config: Any) -> dict[str, Any]:
    columns = {column: {"type": "string"} for column in ("id", "updated_at", "email")}
    return {
        "stream": {
            "name": name,
            "jsonSchema": {"type": "object", "properties": columns},
            "supportedSyncModes": ["full_refresh", "incremental"],
        },
        "config": {
            "selected": True,
            "syncMode": "incremental",
            "destinationSyncMode": "append",
            "cursorField": ["updated_at"],
            **config,
        },
    }


def catalog(*streams: dict[str, Any]) -> dict[str, Any]:
    return {"syncCatalog": {"streams": list(streams)}}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Api]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AIRBYTE_WORKSPACE_ID", raising=False)
    with serve() as server:
        monkeypatch.setenv("AIRBYTE_URL", server.url)
        monkeypatch.setenv("AIRBYTE_CLIENT_ID", CLIENT_ID)
        monkeypatch.setenv("AIRBYTE_CLIENT_SECRET", CLIENT_SECRET)
        yield Api(server.url)


@pytest.fixture
def source(api: Api) -> str:
    return api.actor(MYSQL, "shop", CONFIG)


@pytest.fixture
def lake(api: Api) -> str:
    return api.actor(S3, "lake", LAKE)


def run(*arguments: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(app, ["import", *arguments])
    assert result.exit_code == expect, result.output
    return result


def texts(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_the_files_are_the_workspace_and_hold_no_secret(api: Api, source: str, lake: str, tmp_path: Path) -> None:
    api.connection(source, lake, name="shop → lake", **catalog(stream()))
    before = api.stored()

    run()

    assert sorted(texts(tmp_path / "imported")) == ["connectors.yaml", "import.env.example", "pipelines/shop-lake.yaml"]
    [pipeline] = load_pipelines(tmp_path / "imported" / "pipelines").pipelines
    assert pipeline.spec.source.config == {**CONFIG, "password": "${SOURCE_SHOP_PASSWORD}"}
    assert pipeline.spec.sync.name is None, "the connection is called what it would be called anyway"
    pins = load_pins(tmp_path / "imported" / "connectors.yaml")
    assert pins.versions == {"source-mysql": "3.6.1", "destination-s3": "1.7.0"}
    assert "\nSOURCE_SHOP_PASSWORD=\n" in texts(tmp_path / "imported")["import.env.example"]
    assert "secret-mysql" not in "".join(texts(tmp_path / "imported").values())
    assert api.stored() == before


def test_the_same_workspace_gives_the_same_files(api: Api, tmp_path: Path) -> None:
    handmade.make(api, sources=5, with_secrets=3, destinations=2, connections=6, streams=20)
    run("--out", "one")
    run("--out", "two")
    assert texts(tmp_path / "one") == texts(tmp_path / "two")
    assert len(texts(tmp_path / "one")) == 6 + 2


def test_what_the_source_defines_is_left_out(api: Api, source: str, lake: str, tmp_path: Path) -> None:
    defined = stream("defined", destinationSyncMode="append", primaryKey=[["id"]])
    defined["stream"] |= {
        "sourceDefinedCursor": True,
        "defaultCursorField": ["updated_at"],
        "sourceDefinedPrimaryKey": [["id"]],
    }
    api.connection(source, lake, name="c", **catalog(defined, stream("chosen", primaryKey=[["id"], ["email"]])))
    run()
    [pipeline] = load_pipelines(tmp_path / "imported" / "pipelines").pipelines
    first, second = pipeline.spec.sync.streams
    assert (first.cursor_field, first.primary_key) == (None, [])
    assert (second.cursor_field, second.primary_key) == ("updated_at", ["email", "id"])


Break = Callable[[Api, str, str], Any]


def _clashing(api: Api, source: str, lake: str) -> None:
    api.connection(source, lake, name="broken", **catalog(stream()))
    api.connection(source, lake, name="another", **catalog(stream()))


INEXPRESSIBLE: list[tuple[str, Break, str]] = [
    ("no stream", lambda api, s, d: api.connection(s, d, name="broken", **catalog()), "no stream of it is selected"),
    (
        "modes that do not go together",
        lambda api, s, d: api.connection(s, d, name="broken", **catalog(stream(destinationSyncMode="overwrite"))),
        "sync_mode incremental can't be combined with overwrite",
    ),
    (
        "a mode of data activation",
        lambda api, s, d: api.connection(s, d, name="broken", **catalog(stream(destinationSyncMode="update"))),
        "`update` is not one of the values allowed",
    ),
    ("two that load one table", _clashing, "would land in a table that"),
    (
        "a name with a space at its end",
        lambda api, s, d: api.connection(s, d, name="broken ", **catalog(stream())),
        "can't give its connection_name back as it is",
    ),
    (
        "a deleted end",
        lambda api, s, d: api.connection(_deleted(api), d, name="broken", **catalog(stream())),
        "its source or destination is deleted",
    ),
]


def _deleted(api: Api) -> str:
    source = api.actor(FAKER, "gone", {"count": 1})
    api.call("sources/delete", sourceId=source)
    return source


@pytest.mark.parametrize(
    ("make", "told"), [case[1:] for case in INEXPRESSIBLE], ids=[case[0] for case in INEXPRESSIBLE]
)
def test_what_no_file_can_express_is_told_and_has_no_file(
    api: Api, source: str, lake: str, tmp_path: Path, make: Break, told: str
) -> None:
    api.connection(source, lake, name="fine", **catalog(stream("fine")))
    make(api, source, lake)

    result = run(expect=3)

    [line] = [line for line in result.stderr.splitlines() if line.startswith("- connection broken")]
    assert told in line
    names = {pipeline.connection_name for pipeline in load_pipelines(tmp_path / "imported" / "pipelines").pipelines}
    assert names in ({"fine"}, {"fine", "another"})


def test_a_connector_that_shares_its_image_is_told(api: Api, lake: str, tmp_path: Path) -> None:
    api.publish_twin(FAKER)
    api.connection(api.actor(FAKER, "f", {"count": 1}), lake, name="broken", **catalog(stream()))
    told = run(expect=3).stderr
    assert "its source f can't be written: 2 connectors share the image airbyte/source-faker" in told
    files = load_pipelines(tmp_path / "imported" / "pipelines")
    assert files.pipelines == ()
    assert [actor.spec.name for actor in files.alone] == ["lake"], "what no file of a connection has, has its own"


def test_a_connector_of_ones_own_is_told_with_the_line_that_declares_it(api: Api, lake: str) -> None:
    made = api.own_connector("Loyalty / EU", "acme/source-loyalty", {"memory_limit": "1Gi"})
    told = run(expect=3).stderr
    assert f"- connector Loyalty / EU ({made}): a connector of your own is no part of a pipeline file" in told
    assert (
        'CustomConnector("loyalty-eu", kind="source", connector_name=\'Loyalty / EU\', '
        "docker_repository='acme/source-loyalty', docker_image_tag='1.0.0', resources={'memory_limit': '1Gi'}, "
        "adopt=True)." in told
    )


def test_a_connector_that_is_a_manifest_is_told_likewise() -> None:
    builder = "airbyte/source-declarative-manifest"
    own = Definition(definition_id="d", name="Shops", docker_repository=builder, docker_image_tag="6.0.0", custom=True)
    assert "connectors/shops.yaml" in definitions.advice(SOURCE, own, "shops")
    line = 'DeclarativeConnector("shops", connector_name=\'Shops\', manifest=Path("connectors/shops.yaml"), adopt=True)'
    assert line in definitions.advice(SOURCE, own, "shops")


def test_a_source_held_at_a_version_of_its_own_says_so(api: Api, lake: str, tmp_path: Path) -> None:
    held, free = (api.actor(FAKER, name, {"count": 1}) for name in ("held", "free"))
    api.hold(held, FAKER, "6.2.10")
    for source in (held, free):
        api.connection(source, lake, name=source, prefix=source[:4], **catalog(stream()))
    run()
    pipelines = load_pipelines(tmp_path / "imported" / "pipelines").pipelines
    assert {p.spec.source.name: p.spec.source.version for p in pipelines} == {"held": "6.2.10", "free": None}
    assert load_pins(tmp_path / "imported" / "connectors.yaml").versions["source-faker"] == "6.2.20"


def test_what_has_no_connection_has_a_file_of_its_own(api: Api, source: str, lake: str, tmp_path: Path) -> None:
    api.connection(source, lake, name="idle", **catalog(stream()))
    api.actor(MYSQL, "idle", {**CONFIG, "host": "other"})
    redshift = {"host": "h", "port": 5439, "database": "d", "schema": "s", "username": "u", "password": "secret-r"}
    uploading = {"method": "S3 Staging", "s3_bucket_name": "b", "s3_bucket_region": "eu-west-1"}
    uploading |= {"access_key_id": "secret-i", "secret_access_key": "secret-k"}
    raw = {**redshift, "uploading_method": uploading, "disable_type_dedupe": True}
    api.actor("airbyte/destination-redshift", "Raw / EU", raw)

    assert "1 pipeline with 1 stream, 4 sources and destinations, 5 variables" in run().stdout

    folder = tmp_path / "imported" / "pipelines"
    assert sorted(texts(folder)) == ["destination-raw-eu.yaml", "idle.yaml", "source-idle.yaml"]
    alone = {actor.kind: actor.spec for actor in load_pipelines(folder).alone}
    assert alone["source"].config["password"] == "${SOURCE_IDLE_PASSWORD}"
    assert alone["destination"].config["disable_type_dedupe"] is True, "there is no `normalization` to say it"
    assert alone["destination"].config["password"] == "${DESTINATION_RAW_EU_PASSWORD}"
    assert "source-idle: source source-mysql 3.6.1, without a pipeline" in validated(tmp_path)
    assert load_pins(tmp_path / "imported" / "connectors.yaml").versions["destination-redshift"] == "2.6.2"


def validated(tmp_path: Path) -> str:
    out = tmp_path / "imported"
    arguments = ["pipelines", "validate", str(out / "pipelines"), "--connectors", str(out / "connectors.yaml")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_secret_that_is_no_text_keeps_its_type(api: Api, lake: str, tmp_path: Path) -> None:
    api.connection(api.actor(NESTED, "n", {"endpoint": "e", "pin_code": 1234}), lake, name="c", **catalog(stream()))
    run()
    [pipeline] = load_pipelines(tmp_path / "imported" / "pipelines").pipelines
    assert pipeline.spec.source.config["pin_code"] == "${SOURCE_N_PIN_CODE}"
    assert pipeline.spec.source.secrets == {"pin_code": "integer"}
    assert "# pin_code; in stack configuration sourceNPinCode; the integer as JSON\n" in variables(tmp_path)


def variables(tmp_path: Path) -> str:
    return texts(tmp_path / "imported")["import.env.example"]


GERMAN = {"type": "EQUAL", "fieldName": "id", "comparisonValue": "1"}
MAPPERS: list[dict[str, Any]] = [
    {"type": "hashing", "mapperConfiguration": {"targetField": "email", "method": "MD5", "fieldNameSuffix": "_x"}},
    {"type": "row-filtering", "mapperConfiguration": {"conditions": {"type": "NOT", "conditions": [GERMAN]}}},
    {"type": "field-renaming", "mapperConfiguration": {"originalFieldName": "email_x", "newFieldName": "mail"}},
    {"type": "field-filtering", "mapperConfiguration": {"targetField": "mail"}},
    {
        "type": "encryption",
        "mapperConfiguration": {
            "algorithm": "AES",
            "targetField": "id",
            "mode": "GCM",
            "padding": "NoPadding",
            "key": "secret-00112233",
            "fieldNameSuffix": "_encrypted",
        },
    },
]


def test_mappers_of_every_type_are_imported_in_their_order(api: Api, source: str, lake: str, tmp_path: Path) -> None:
    api.connection(source, lake, name="c", **catalog(stream(mappers=MAPPERS)))

    run()

    [pipeline] = load_pipelines(tmp_path / "imported" / "pipelines").pipelines
    [found] = pipeline.spec.sync.streams
    assert [mapper.type for mapper in found.mappers] == [mapper["type"] for mapper in MAPPERS]
    assert found.hash == []
    assert found.mappers[-1].model_dump()["key"] == "${CONNECTION_C_ORDERS_ID_KEY}"
    assert "\n# c (connection)\n# stream orders, key of id; in stack" in variables(tmp_path)
    assert "secret-00112233" not in "".join(texts(tmp_path / "imported").values())


def test_settings_beyond_the_usual_are_imported(api: Api, source: str, lake: str, tmp_path: Path) -> None:
    extraordinary = stream(includeFiles=True, destinationObjectName="Order")
    settings = {"backfillPreference": "enabled", "notifySchemaChanges": True}
    made = api.connection(source, lake, name="c", **settings, **catalog(extraordinary))
    api.call("connections/update", connectionId=made, notifySchemaChangesByEmail=True)
    run()
    [pipeline] = load_pipelines(tmp_path / "imported" / "pipelines").pipelines
    sync = pipeline.spec.sync
    assert (sync.backfill_new_columns, sync.notify_schema_changes, sync.notify_schema_changes_by_email) == (True,) * 3
    assert (sync.streams[0].include_files, sync.streams[0].destination_object_name) == (True, "Order")


def test_twins_are_told_apart_by_their_ids(api: Api, lake: str, tmp_path: Path) -> None:
    twins = [api.actor(MYSQL, "shop", {**CONFIG, "host": host}) for host in ("one", "two")]
    other = api.actor(FAKER, "shop", {"count": 1})
    for number, source in enumerate((*twins, other)):
        api.connection(source, lake, name="load", prefix=f"t{number}_", **catalog(stream()))
    same = [api.connection(other, lake, name="same", prefix=f"s{n}_", **catalog(stream())) for n in range(2)]
    run()
    pipelines = load_pipelines(tmp_path / "imported" / "pipelines").pipelines
    specs = {p.spec.source.key: p.spec.source for p in pipelines}
    assert sorted(specs) == ["shop (source-faker)", "shop (source-mysql)", "shop (source-mysql) 2"]
    assert {spec.adopt for spec in specs.values()} == {*twins, None}
    assert {p.spec.sync.adopt for p in pipelines if p.connection_name == "same"} == set(same)
    assert {p.name for p in pipelines} == {"load", "load-2", "load-3", "same", "same-2"}


def test_existing_files_are_overwritten_only_by_force(api: Api, source: str, lake: str, tmp_path: Path) -> None:
    api.connection(source, lake, name="c", **catalog(stream()))
    out = tmp_path / "imported"
    out.mkdir()
    (out / "connectors.yaml").write_text("mine")
    (out / "notes.txt").write_text("mine too")

    refused = run(expect=1)

    assert f"{Path('imported') / 'connectors.yaml'}: exists already" in refused.stderr
    assert texts(out) == {"connectors.yaml": "mine", "notes.txt": "mine too"}
    run("--force")
    assert len(texts(out)) == 4
    assert "source-mysql" in texts(out)["connectors.yaml"]
    assert texts(out)["notes.txt"] == "mine too"


@pytest.mark.parametrize("exists", [False, True])
def test_a_disk_that_fails_leaves_what_was_there(
    api: Api, source: str, lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    api.connection(source, lake, name="c", **catalog(stream()))
    out = tmp_path / "imported"
    if exists:
        out.mkdir()
        (out / "connectors.yaml").write_text("mine")
    moves, real = [], Path.replace

    def replace(self: Path, target: Path) -> Path:
        moves.append(target)
        if len(moves) == 2:
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(Path, "rename", lambda self, target: (_ for _ in ()).throw(OSError(28, "No space left")))

    assert "No space left" in run("--force", expect=1).stderr

    left = texts(out) if out.exists() else {}
    assert left == ({"connectors.yaml": "mine"} if exists else {})
    assert [path.name for path in tmp_path.iterdir()] == (["imported"] if exists else [])


def test_without_a_server_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AIRBYTE_URL", raising=False)
    assert "Give --airbyte-url" in run(expect=1).stderr

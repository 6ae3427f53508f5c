"""`airbyte-cli import`: what it writes, what it says it can't, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from airbyte_cli.__main__ import app
from components.pipeline_file import load_pins, load_pipelines
from tests.cli import handmade
from tests.cli.handmade import Api

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
    with handmade.serve() as server:
        monkeypatch.setenv("AIRBYTE_URL", server.url)
        monkeypatch.setenv("AIRBYTE_CLIENT_ID", handmade.CLIENT_ID)
        monkeypatch.setenv("AIRBYTE_CLIENT_SECRET", handmade.CLIENT_SECRET)
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
    [pipeline] = load_pipelines(tmp_path / "imported" / "pipelines")
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
    [pipeline] = load_pipelines(tmp_path / "imported" / "pipelines")
    first, second = pipeline.spec.sync.streams
    assert (first.cursor_field, first.primary_key) == (None, [])
    assert (second.cursor_field, second.primary_key) == ("updated_at", ["email", "id"])


Break = Callable[[Api, str, str], Any]
FILTER = {"type": "row-filtering", "mapperConfiguration": {"conditions": {"type": "EQUAL", "fieldName": "id", "comparisonValue": "1"}}}  # fmt: skip  # noqa: E501


def _clashing(api: Api, source: str, lake: str) -> None:
    api.connection(source, lake, name="broken", **catalog(stream()))
    api.connection(source, lake, name="another", **catalog(stream()))


INEXPRESSIBLE: list[tuple[str, Break, str]] = [
    (
        "a mapper",
        lambda api, s, d: api.connection(s, d, name="broken", **catalog(stream(mappers=[FILTER]))),
        "stream orders has mappers of the type row-filtering",
    ),
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
        "a secret that is a number",
        lambda api, s, d: api.connection(
            api.actor(NESTED, "n", {"endpoint": "e", "pin_code": 1234}), d, name="broken", **catalog(stream("other"))
        ),
        "its secret pin_code is no text but integer",
    ),
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
    names = {pipeline.connection_name for pipeline in load_pipelines(tmp_path / "imported" / "pipelines")}
    assert names in ({"fine"}, {"fine", "another"})


def test_a_connector_that_shares_its_image_is_told(api: Api, lake: str) -> None:
    api.publish_twin(FAKER)
    api.connection(api.actor(FAKER, "f", {"count": 1}), lake, name="broken", **catalog(stream()))
    result = run(expect=3)
    assert "its source f can't be written: 2 connectors share the image airbyte/source-faker" in result.stderr
    assert "nothing was written" in result.stdout


def test_a_source_held_at_a_version_of_its_own_says_so(api: Api, lake: str, tmp_path: Path) -> None:
    held, free = (api.actor(FAKER, name, {"count": 1}) for name in ("held", "free"))
    api.hold(held, FAKER, "6.2.10")
    for source in (held, free):
        api.connection(source, lake, name=source, prefix=source[:4], **catalog(stream()))
    run()
    pipelines = load_pipelines(tmp_path / "imported" / "pipelines")
    assert {p.spec.source.name: p.spec.source.version for p in pipelines} == {"held": "6.2.10", "free": None}
    assert load_pins(tmp_path / "imported" / "connectors.yaml").versions["source-faker"] == "6.2.20"


def test_a_source_without_a_connection_is_told(api: Api, source: str, lake: str) -> None:
    api.connection(source, lake, name="c", **catalog(stream()))
    idle = api.actor(FAKER, "idle", {"count": 1})
    assert f"- source idle ({idle}): no connection uses it" in run(expect=3).stderr


def test_settings_that_only_airbyte_keeps_are_told_and_the_file_is_written(
    api: Api, source: str, lake: str, tmp_path: Path
) -> None:
    hashing = {"targetField": "email", "method": "MD5", "fieldNameSuffix": "_x"}
    mapped = stream(mappers=[{"type": "hashing", "mapperConfiguration": hashing}])
    api.connection(source, lake, name="c", backfillPreference="enabled", **catalog(mapped))
    told = run(expect=3).stderr
    assert "it backfills new columns" in told
    assert "stream orders hashes in another way" in told
    [pipeline] = load_pipelines(tmp_path / "imported" / "pipelines")
    assert pipeline.spec.sync.streams[0].hash == ["email"]


def test_twins_are_told_apart_by_their_ids(api: Api, lake: str, tmp_path: Path) -> None:
    twins = [api.actor(MYSQL, "shop", {**CONFIG, "host": host}) for host in ("one", "two")]
    other = api.actor(FAKER, "shop", {"count": 1})
    for number, source in enumerate((*twins, other)):
        api.connection(source, lake, name="load", prefix=f"t{number}_", **catalog(stream()))
    same = [api.connection(other, lake, name="same", prefix=f"s{n}_", **catalog(stream())) for n in range(2)]
    run()
    pipelines = load_pipelines(tmp_path / "imported" / "pipelines")
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

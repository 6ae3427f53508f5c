"""The main job, with the real Pulumi engine on the sandbox: up, nothing to do, drift, mended, gone without trace."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Airbyte, Project
else:
    Airbyte = Project = Any

pytestmark = pytest.mark.e2e

SECRETS = ("POSTGRES_PASSWORD", "POSTGRES_ADMIN_PASSWORD", "AIRBYTE_CLIENT_SECRET")
DRIFT = 7


def rows(cursor: Any, sql: str) -> list[Any]:
    cursor.execute(sql)
    return list(cursor.fetchall())


def test_the_production_pipeline_from_nothing_to_nothing(
    project: Project,
    airbyte: Airbyte,
    postgres: Any,
    warehouse: Any,
    sandbox: dict[str, str],
    project_root: Path,
    poll: Any,
) -> None:
    source_text = (project_root / "pipelines" / "production.yaml").read_text()
    assert (project.folder / "pipelines" / "production.yaml").read_text() == source_text

    # A preview changes nothing anywhere, and says when the pipeline will run.
    preview = project.pulumi("preview", expect=0)
    assert "next runs:" in preview.text
    assert "cursor_field of orders, users is not sent" in preview.text
    assert airbyte.every("sources") == airbyte.every("destinations") == airbyte.every("connections") == []
    assert rows(postgres.cursor(), "SELECT slot_name FROM pg_replication_slots") == []

    # Up provisions all three systems.
    project.up()
    outputs = project.outputs()
    ids = outputs["pipelines"]["production"]
    (source,), (destination,) = airbyte.every("sources"), airbyte.every("destinations")
    (connection,) = airbyte.every("connections")
    assert ids == {
        "name": connection["name"],
        "connectionId": connection["connectionId"],
        "sourceId": source["sourceId"],
        "destinationId": destination["destinationId"],
    }
    assert outputs["connectors"] == {"destination-snowflake": "4.0.33", "source-postgres": "3.7.0"}
    assert rows(postgres.cursor(), "SELECT slot_name, plugin, database FROM pg_replication_slots") == [
        ("airbyte_slot", "pgoutput", "production")
    ]
    assert rows(
        postgres.cursor(),
        "SELECT tablename FROM pg_publication_tables WHERE pubname = 'airbyte_publication' ORDER BY 1",
    ) == [("orders",), ("users",)]
    assert rows(postgres.cursor(), "SELECT rolreplication, rolsuper FROM pg_roles WHERE rolname = 'airbyte'") == [
        (True, False)
    ]
    assert [row[0] for row in rows(warehouse.cursor(), "SHOW WAREHOUSES LIKE 'AIRBYTE_WH'")]
    assert {pin["value_name"] for pin in airbyte.pins()} == {"3.7.0", "4.0.33"}

    # The connection is what the file says: incremental, deduplicated, every six hours.
    assert connection["scheduleData"]["cron"] == {"cronExpression": "0 0 */6 * * ?", "cronTimeZone": "UTC"}
    assert connection["status"] == "active"
    for each in connection["syncCatalog"]["streams"]:
        assert (each["config"]["syncMode"], each["config"]["destinationSyncMode"]) == ("incremental", "append_dedup")
    assert destination["connectionConfiguration"]["disable_type_dedupe"] is False

    # Rows land typed and deduplicated; a second sync moves only what changed.
    assert airbyte.sync(ids["connectionId"], poll)["job"]["status"] == "succeeded"
    warehouse.cursor().execute("USE WAREHOUSE AIRBYTE_WH")
    (there,) = rows(postgres.cursor(), "SELECT count(*), sum(amount) FROM orders")
    (here,) = rows(warehouse.cursor(), "SELECT count(*), sum(AMOUNT) FROM RAW.PRODUCTION.ORDERS")
    assert here == (there[0], pytest.approx(float(there[1])))  # the connector lands numbers as FLOAT
    postgres.cursor().execute("UPDATE orders SET status = 'returned', updated_at = now() WHERE id = 1")
    second = airbyte.sync(ids["connectionId"], poll)
    moved = {each["streamName"]: each["recordsCommitted"] for each in second["job"]["streamAggregatedStats"]}
    assert {stream: records for stream, records in moved.items() if records} == {"orders": 1}
    assert rows(warehouse.cursor(), "SELECT STATUS FROM RAW.PRODUCTION.ORDERS WHERE ID = 1") == [("returned",)]
    assert rows(warehouse.cursor(), "SELECT count(*) FROM RAW.PRODUCTION.ORDERS") == [(there[0],)]

    # Nothing to do, however often one asks.
    for command in ("preview", "refresh"):
        preview_only = ["--preview-only"] if command == "refresh" else []
        project.pulumi(command, *preview_only, "--expect-no-changes", expect=0)
    assert "unchanged" in project.up().text
    project.pulumi("preview", "--expect-no-changes", expect=0)

    # No secret in the clear, neither in the state nor on the screen.
    private_key = Path(sandbox["SNOWFLAKE_PRIVATE_KEY_FILE"]).read_text().splitlines()[1]
    for secret in (*(sandbox[name] for name in SECRETS), private_key):
        assert secret not in project.state_text()
        assert secret not in project.log

    # Destroyed, nothing is left in any of the three.
    project.pulumi("destroy", "--yes", "--skip-preview", expect=0)
    assert airbyte.every("sources") == airbyte.every("destinations") == airbyte.every("connections") == []
    assert airbyte.pins() == []
    assert rows(postgres.cursor(), "SELECT slot_name FROM pg_replication_slots") == []
    assert rows(postgres.cursor(), "SELECT pubname FROM pg_publication") == []
    assert rows(postgres.cursor(), "SELECT rolname FROM pg_roles WHERE rolname = 'airbyte'") == []
    for kind in ("WAREHOUSES", "ROLES", "USERS", "DATABASES", "RESOURCE MONITORS"):
        names = [str(row) for row in rows(warehouse.cursor(), f"SHOW {kind}")]
        assert not [name for name in names if "'AIRBYTE_" in name or "'RAW'" in name], kind


def test_drift_is_seen_named_and_mended(project: Project, airbyte: Airbyte, postgres: Any) -> None:
    project.up()
    (source,), (connection,) = airbyte.every("sources"), airbyte.every("connections")
    catalog = connection["syncCatalog"]
    for each in catalog["streams"]:
        if each["stream"]["name"] == "orders":
            each["config"]["destinationSyncMode"] = "append"
    airbyte.call(
        "connections/update",
        connectionId=connection["connectionId"],
        scheduleType="manual",
        name="renamed by hand",
        syncCatalog=catalog,
    )
    moved = {**source["connectionConfiguration"], "host": "elsewhere.example.com"}
    airbyte.call("sources/update", sourceId=source["sourceId"], name=source["name"], connectionConfiguration=moved)
    cursor = postgres.cursor()
    cursor.execute("SELECT pg_drop_replication_slot('airbyte_slot')")

    found = project.pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff", expect=DRIFT)
    for sign in ("renamed by hand", "manual", "append", "elsewhere.example.com"):
        assert sign in found.text
    assert "ReplicationSlot" in found.text

    project.pulumi("up", "--yes", "--skip-preview", "--refresh", expect=0)
    project.pulumi("refresh", "--preview-only", "--expect-no-changes", expect=0)
    (mended,) = airbyte.every("connections")
    assert mended["connectionId"] == connection["connectionId"]
    assert mended["scheduleType"] == "cron"
    assert mended["name"] == connection["name"]
    assert airbyte.every("sources")[0]["connectionConfiguration"]["host"] != "elsewhere.example.com"


def test_a_deleted_connection_and_a_moved_version_are_drift(project: Project, airbyte: Airbyte) -> None:
    project.up()
    (connection,) = airbyte.every("connections")
    airbyte.call("connections/delete", connectionId=connection["connectionId"])
    pin = next(pin for pin in airbyte.pins() if pin["value_name"] == "3.7.0")
    older = airbyte.call(
        "actor_definition_versions/resolve",
        actorDefinitionId=pin["resource_id"],
        actorType="source",
        dockerImageTag="3.6.1",
    )
    data = {key: pin[key] for key in ("config_key", "resource_id", "resource_type", "scope_id", "scope_type")}
    data |= {"origin": pin["origin"], "origin_type": pin["origin_type"], "value": older["versionId"]}
    airbyte.call("scoped_configuration/update", scopedConfigurationId=pin["id"], data=data)

    found = project.pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff", expect=DRIFT)
    assert "3.6.1" in found.text
    assert "delete" in found.text

    project.pulumi("up", "--yes", "--skip-preview", "--refresh", expect=0)
    (again,) = airbyte.every("connections")
    assert again["connectionId"] != connection["connectionId"]
    assert {pin["value_name"] for pin in airbyte.pins()} == {"3.7.0", "4.0.33"}


def test_a_version_bump_is_one_property_and_a_rotated_secret_one_line(project: Project, airbyte: Airbyte) -> None:
    project.edit("connectors.yaml", ("source-postgres: 3.7.0", "source-postgres: 3.6.1"))
    project.up()
    project.edit("connectors.yaml", ("source-postgres: 3.6.1", "source-postgres: 3.7.0"))
    bump = project.pulumi("preview", "--diff", expect=0)
    assert '"3.6.1" => "3.7.0"' in bump.text
    project.up()
    assert {pin["value_name"] for pin in airbyte.pins()} == {"3.7.0", "4.0.33"}

    project.env["POSTGRES_PASSWORD"] = "a-new-" + project.env["POSTGRES_PASSWORD"]
    rotation = project.pulumi("preview", "--diff", expect=0)
    assert "password" in rotation.text
    assert project.env["POSTGRES_PASSWORD"] not in rotation.text
    project.up()
    project.pulumi("preview", "--expect-no-changes", expect=0)
    (source,) = airbyte.every("sources")
    assert airbyte.call("sources/check_connection", sourceId=source["sourceId"])["status"] == "succeeded"


def test_renaming_a_source_updates_it(project: Project, airbyte: Airbyte) -> None:
    project.up()
    (before,) = airbyte.every("sources")
    project.edit(
        "pipelines/production.yaml",
        ("  name: postgres_production\n", "  name: orders_db\n  renamed_from: postgres_production\n"),
    )
    project.up()
    (after,) = airbyte.every("sources")
    assert (after["sourceId"], after["name"]) == (before["sourceId"], "orders_db")

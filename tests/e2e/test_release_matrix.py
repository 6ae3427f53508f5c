"""The core of the main path on every Airbyte release that is imitated: made, synced, unchanged, drifted, mended, gone.

PostgreSQL and Snowflake are prepared by hand, since no Airbyte has a part in that.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.airbyte.server import Running
from sandbox.airbyte.settings import Settings
from sandbox.airbyte.versions import Release
from tests.project import STACK

if TYPE_CHECKING:
    from tests.e2e.conftest import Airbyte, Poll, Project
else:
    Airbyte = Poll = Project = Any

pytestmark = pytest.mark.e2e

OLDEST, NEWEST = "1.5.0", "HEAD"
BETWEEN = ["1.8.0", "2.0.0"]


@pytest.fixture
def environment(request: pytest.FixtureRequest, sandbox: dict[str, str]) -> Iterator[dict[str, str]]:
    """The sandbox, with an Airbyte of the release that the test names in place of its own."""
    warehouse = (sandbox["SNOWFLAKE_API_HOST"], int(sandbox["SNOWFLAKE_API_PORT"]))
    settings = Settings(
        release=Release.parse(request.param),
        client_id=sandbox["AIRBYTE_CLIENT_ID"],
        client_secret=sandbox["AIRBYTE_CLIENT_SECRET"],
        connect_to={sandbox["SNOWFLAKE_HOST"]: warehouse},
    )
    with Running(settings) as server:
        yield {**sandbox, "AIRBYTE_URL": server.url}


@pytest.mark.parametrize(
    "environment",
    [OLDEST, NEWEST, *(pytest.param(release, marks=pytest.mark.slow) for release in BETWEEN)],
    indirect=True,
)
@pytest.mark.usefixtures("own_snowflake_objects")
def test_a_pipeline_lives_on_this_release(
    project: Project, airbyte: Airbyte, own_postgres_objects: Callable[[], None], poll: Poll
) -> None:
    own_postgres_objects()
    databases_are_there = 'postgresManaged: "false"\n  airbyte-as-code:snowflakeManaged: "false"'
    project.edit(STACK, ("environment: sandbox", f"environment: sandbox\n  airbyte-as-code:{databases_are_there}"))

    # It is made, and moves rows.
    project.up()
    (source,), (connection,) = airbyte.every("sources"), airbyte.every("connections")
    assert len(airbyte.every("destinations")) == 1
    assert {pin["value_name"] for pin in airbyte.pins()} == {"3.7.0", "4.0.33"}
    assert airbyte.sync(connection["connectionId"], poll)["job"]["status"] == "succeeded"

    # A refresh and a preview find nothing to do.
    project.pulumi("preview", "--refresh", "--expect-no-changes", "--diff", expect=0)

    # What somebody changed by hand is seen,
    for each in connection["syncCatalog"]["streams"]:
        if each["stream"]["name"] == "orders":
            each["config"]["destinationSyncMode"] = "append"
    airbyte.call(
        "connections/update",
        connectionId=connection["connectionId"],
        scheduleType="manual",
        syncCatalog=connection["syncCatalog"],
    )
    moved = {**source["connectionConfiguration"], "host": "elsewhere.example.com"}
    airbyte.call("sources/update", sourceId=source["sourceId"], name=source["name"], connectionConfiguration=moved)
    drift = project.pulumi("preview", "--refresh", "--diff", expect=0)
    for sign in ("manual", '"append"', "elsewhere.example.com"):
        assert sign in drift.text

    # and mended, in place and without a secret lost.
    project.pulumi("up", "--yes", "--skip-preview", "--refresh", expect=0)
    (mended,) = airbyte.every("connections")
    assert (mended["connectionId"], mended["scheduleType"]) == (connection["connectionId"], "cron")
    assert {each["config"]["destinationSyncMode"] for each in mended["syncCatalog"]["streams"]} == {"append_dedup"}
    assert airbyte.call("sources/check_connection", sourceId=source["sourceId"])["status"] == "succeeded"

    # Destroyed, nothing is left.
    project.pulumi("destroy", "--yes", "--skip-preview", expect=0)
    assert airbyte.every("sources") == airbyte.every("destinations") == airbyte.every("connections") == []
    assert airbyte.pins() == []

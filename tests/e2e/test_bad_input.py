"""Bad input ends in one readable paragraph that says where and what to do, and creates nothing in Airbyte."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.project import STACK

if TYPE_CHECKING:
    from tests.e2e.conftest import Airbyte, Project
else:
    Airbyte = Project = Any

pytestmark = pytest.mark.e2e

PIPELINE = "pipelines/production.yaml"


@dataclass(frozen=True)
class Case:
    """What a user gets wrong, and what must be on the screen."""

    expected: tuple[str, ...]
    edits: tuple[tuple[str, str, str], ...] = ()
    """File, text, replacement."""
    environment: dict[str, str] = field(default_factory=dict)


WRONG_IN_THE_FILES = {
    "unknown key": Case(
        (f"{PIPELINE}:28: sync.streams[0].cursor_fild", "Did you mean `cursor_field`?"),
        (
            (
                PIPELINE,
                "      cursor_field: updated_at\n      primary_key: [id]\n    - name: users",
                "      cursor_fild: updated_at\n      primary_key: [id]\n    - name: users",
            ),
        ),
    ),
    "unresolved variable": Case(
        (f"{PIPELINE}:5: source.config.host", "`${NO_SUCH_HOST}` is not set anywhere", "pulumi config set noSuchHost"),
        ((PIPELINE, "${POSTGRES_HOST}", "${NO_SUCH_HOST}"),),
    ),
    "unpinned connector": Case(
        (f"{PIPELINE}:3: source.connector", "source-postgres has no pinned version", "connectors.yaml"),
        (("connectors.yaml", "source-postgres: 3.7.0\n", ""),),
    ),
    "bad cron": Case(
        (f"{PIPELINE}:38: sync.schedule.expression", "0 */6 * *"),
        ((PIPELINE, "0 */6 * * *", "0 */6 * *"),),
    ),
    "full refresh where incremental is possible": Case(
        (f"{PIPELINE}:26: sync.streams[0].sync_mode", "allow_full_refresh"),
        (
            (
                PIPELINE,
                "- name: orders\n      sync_mode: incremental\n      destination_sync_mode: append_dedup",
                "- name: orders\n      sync_mode: full_refresh\n      destination_sync_mode: overwrite",
            ),
        ),
    ),
}

KNOWN_BY_THE_SERVER = {
    "connector that does not exist": Case(
        ("connectors.yaml:4: source-postgrez", "no source connector source-postgrez", "Did you mean source-postgres"),
        (
            (PIPELINE, "connector: source-postgres", "connector: source-postgrez"),
            ("connectors.yaml", "source-postgres:", "source-postgrez:"),
        ),
    ),
    "version that does not exist": Case(
        ("connectors.yaml:4: source-postgres", "99.9.9"),
        (("connectors.yaml", "3.7.0", "99.9.9"),),
    ),
    "unreachable host": Case(
        (f"{PIPELINE}:1", "postgres_production", "no-such-host.invalid"),
        (
            (
                STACK,
                "postgresHost: ${POSTGRES_HOST}",
                "postgresHost: no-such-host.invalid\n  airbyte-as-code:postgresAdminHost: ${POSTGRES_HOST}",
            ),
        ),
    ),
    "wrong password": Case(
        (f"{PIPELINE}:1", "postgres_production", "password authentication failed"),
        ((PIPELINE, "${POSTGRES_PASSWORD}", "${WRONG_PASSWORD}"),),
        {"WRONG_PASSWORD": "not-the-right-one"},
    ),
}


def apply(case: Case, project: Project) -> None:
    project.env.update(case.environment)
    for file, old, new in case.edits:
        project.edit(file, (old, new))


def assert_readable(text: str, case: Case) -> None:
    for part in case.expected:
        assert part in text
    assert "Traceback" not in text
    assert 'File "' not in text
    for secret in case.environment.values():
        assert secret not in text


def assert_nothing_half_created(project: Project, airbyte: Airbyte) -> None:
    """Whatever is in Airbyte is in the state, and no connection was made."""
    known = {resource.get("id") for resource in project.resources()}
    for kind in ("source", "destination"):
        assert {each[f"{kind}Id"] for each in airbyte.every(f"{kind}s")} <= known
    assert airbyte.every("connections") == []


def first_by_default(names: Iterable[str]) -> list[Any]:
    """Two stand for all in the default run: what each says is tested without an engine, too."""
    return [name if index < 2 else pytest.param(name, marks=pytest.mark.slow) for index, name in enumerate(names)]


@pytest.mark.parametrize("name", first_by_default(WRONG_IN_THE_FILES))
def test_a_mistake_in_the_files_is_told_by_the_preview_and_by_up(name: str, project: Project, airbyte: Airbyte) -> None:
    case = WRONG_IN_THE_FILES[name]
    apply(case, project)
    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        done = project.pulumi(*command)
        assert done.code != 0
        assert_readable(done.text, case)
    assert project.resources() == []
    assert_nothing_half_created(project, airbyte)


@pytest.mark.parametrize("name", first_by_default(KNOWN_BY_THE_SERVER))
def test_what_only_the_server_knows_stops_the_up_before_the_object_is_made(
    name: str, project: Project, airbyte: Airbyte
) -> None:
    case = KNOWN_BY_THE_SERVER[name]
    apply(case, project)
    done = project.up(expect=None)
    assert done.code != 0
    assert_readable(done.text, case)
    assert airbyte.every("sources") == []
    assert_nothing_half_created(project, airbyte)


@pytest.mark.parametrize(
    ("slot", "grant", "expected"),
    [(False, True, ("airbyte_slot",)), (True, False, ("permission denied",))],
    ids=["missing slot", "missing grant"],
)
def test_a_database_prepared_by_hand_is_checked_before_anything_is_made(
    slot: bool,
    grant: bool,
    expected: tuple[str, ...],
    project: Project,
    airbyte: Airbyte,
    own_postgres_objects: Callable[..., None],
) -> None:
    own_postgres_objects(slot=slot, grant=grant)
    unmanaged = 'airbyte-as-code:environment: sandbox\n  airbyte-as-code:postgresManaged: "false"'
    project.edit(STACK, ("airbyte-as-code:environment: sandbox", unmanaged))
    done = project.up(expect=None)
    assert done.code != 0
    assert_readable(done.text, Case((f"{PIPELINE}:1", "postgres_production", *expected)))
    assert airbyte.every("sources") == []
    assert_nothing_half_created(project, airbyte)

"""Secrets changed outside the program: seen by where the server keeps them, without ever reading one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from dynamic_providers.airbyte.actor import ActorResource
from dynamic_providers.airbyte.errors import SettingsError
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE
from dynamic_providers.airbyte.secrets import CHANGED_OUTSIDE, MASK
from dynamic_providers.airbyte.settings import Settings
from sandbox.airbyte.server import Running
from sandbox.airbyte.settings import Settings as ServerSettings
from sandbox.airbyte.versions import Release
from tests.dynamic_providers import generated
from tests.dynamic_providers.conftest import CLIENT_SECRET, FINGERPRINT_KEY, Airbyte, Life

if TYPE_CHECKING:
    from dynamic_providers.airbyte.session import Session
    from tests.dynamic_providers.conftest import Properties

NESTED = "3f6c2f0e-6f0b-4a4e-9a39-2f3d3a1c7b10"
CONFIG: dict[str, Any] = {
    "endpoint": "https://api.example.com",
    "api_keys": ["first-api-key", "second-api-key"],
    "accounts": [{"name": "one", "token": "token-of-one"}],
    "pin_code": 424242,
    "service_account": {"client": "c-1", "private_key": "private-key-1"},
    "proxy": {"url": "https://proxy", "auth": {"mode": "basic", "user": "somebody", "password": "proxy-password"}},
}
PATHS = [
    "accounts.0.token",
    "api_keys.0",
    "api_keys.1",
    "pin_code",
    "proxy.auth.password",
    "proxy.auth.user",  # a secret of another branch, so the server masks it in this one too
    "service_account",
]
PROGRAM: dict[str, Any] = {
    "source_name": "nested",
    "connector": "sandbox/source-nested-secrets",
    "definition_id": NESTED,
    "connector_version": "1.0.0",
    "config": CONFIG,
    "secret_paths": PATHS,
    "fingerprint_key": FINGERPRINT_KEY,
}


def watching(session: Session) -> ActorResource:
    session.watch_secrets = True
    return ActorResource(session, SOURCE)


@pytest.fixture
def watched(airbyte: Airbyte) -> Life:
    return Life(watching, airbyte)


def with_config(program: Properties, **changes: Any) -> Properties:
    return {**program, "config": {**program["config"], **changes}}


def write(airbyte: Airbyte, life: Life, **changes: Any) -> None:
    """What somebody does who writes a configuration with other secrets in it."""
    config = {**CONFIG, **changes}
    airbyte.post("sources/update", {"sourceId": life.id, "name": "nested", "connectionConfiguration": config})


def public_reads(calls: list[str]) -> list[str]:
    return [call for call in calls if "/public/" in call]


# -- seen ------------------------------------------------------------------------------------------------------------


def test_a_watched_actor_that_nobody_touched_has_no_drift(airbyte: Airbyte, watched: Life) -> None:
    assert watched.up(PROGRAM) == ("create",)
    for _ in range(2):
        assert watched.refresh() == ()
        assert watched.up(PROGRAM) == ()
    assert watched.outputs["secret_coordinates"].keys() == set(PATHS)
    assert all(value.startswith("secret_coordinate::") for value in watched.outputs["secret_coordinates"].values())


def test_a_secret_somebody_changed_is_drift_of_its_fingerprint_and_pushed_alone(
    airbyte: Airbyte, watched: Life
) -> None:
    watched.up({**PROGRAM, "config": {k: CONFIG[k] for k in ("endpoint", "proxy")}, "secret_paths": PATHS[4:6]})
    auth = {"mode": "basic", "user": MASK, "password": "theirs"}
    shown = airbyte.read("sources", watched.id)
    body = {"sourceId": watched.id, "name": shown["name"]}
    config = {"endpoint": CONFIG["endpoint"], "proxy": {"url": "https://proxy", "auth": {**auth, "user": "somebody"}}}
    airbyte.post("sources/update", {**body, "connectionConfiguration": config})

    before, now = watched.drift()["secret_fingerprints"]

    assert now["proxy.auth.password"] == CHANGED_OUTSIDE
    assert before["proxy.auth.password"] != CHANGED_OUTSIDE
    assert watched.inputs["config"]["proxy"]["auth"]["password"] == "proxy-password"
    assert watched.refresh() == (), "what was seen once stays in state and is not news again"

    program = {**PROGRAM, "config": {k: CONFIG[k] for k in ("endpoint", "proxy")}, "secret_paths": PATHS[4:6]}
    assert watched.up(program) == ("secret_fingerprints",)
    assert generated.stored(airbyte, watched.id)["proxy"]["auth"]["password"] == "proxy-password"
    assert watched.refresh() == ()
    assert watched.up(program) == ()


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("pin_code", {"pin_code": 111111}),
        ("service_account", {"service_account": {"client": "c-1", "private_key": "another"}}),
        ("proxy.auth.password", {"proxy": {**CONFIG["proxy"], "auth": {**CONFIG["proxy"]["auth"], "password": "x"}}}),
    ],
)
def test_any_kind_of_secret_is_watched(airbyte: Airbyte, watched: Life, path: str, change: dict[str, Any]) -> None:
    watched.up(PROGRAM)
    write(airbyte, watched, **change)
    assert watched.refresh() == ("secret_fingerprints",)
    assert watched.inputs["secret_fingerprints"][path] == CHANGED_OUTSIDE
    watched.up(PROGRAM)
    assert generated.stored(airbyte, watched.id) == CONFIG
    assert watched.refresh() == ()


def test_secrets_in_lists_are_watched_too(airbyte: Airbyte, watched: Life) -> None:
    watched.up(PROGRAM)
    write(airbyte, watched, api_keys=["first-api-key", "theirs"])
    assert watched.refresh() == ("secret_fingerprints",)
    watched.up(PROGRAM)
    assert generated.stored(airbyte, watched.id) == CONFIG


def test_a_rotation_of_ours_is_no_change_from_outside(airbyte: Airbyte, watched: Life) -> None:
    watched.up(PROGRAM)
    before = generated.kept_at(airbyte, watched.id)
    rotated = with_config(PROGRAM, pin_code=777777)
    assert watched.up(rotated) == ("config", "secret_fingerprints")
    after = generated.kept_at(airbyte, watched.id)
    moved = {path for path in before if before[path] != after[path]}
    # A mask is text, which no spec lets pass for a number or an object, and the server restores none in a list, nor
    # where this branch does not call the field a secret: these go as they are.
    assert moved == set(PATHS) - {"proxy.auth.password"}
    assert watched.refresh() == ()


def test_a_secret_that_somebody_overwrote_with_the_mask_is_seen_and_set_right(airbyte: Airbyte, watched: Life) -> None:
    texts = {key: value for key, value in CONFIG.items() if key not in ("pin_code", "service_account")}
    paths = [path for path in PATHS if path not in ("pin_code", "service_account")]
    program = {**PROGRAM, "config": texts, "secret_paths": paths}
    watched.up(program)
    auth = {"proxy": {"auth": {"password": MASK}}}
    airbyte.post("sources/partial_update", {"sourceId": watched.id, "connectionConfiguration": auth})
    assert MASK in airbyte.stored_secrets()
    assert watched.refresh() == ("secret_fingerprints",)
    watched.up(program)
    assert generated.stored(airbyte, watched.id) == texts


def test_watching_begins_with_what_is_there(airbyte: Airbyte, watched: Life) -> None:
    unwatched = Life(lambda session: ActorResource(session, SOURCE), airbyte)
    unwatched.up(PROGRAM)
    assert "secret_coordinates" not in unwatched.outputs
    watched.id, watched.inputs, watched.outputs = unwatched.id, unwatched.inputs, unwatched.outputs
    assert watched.refresh() == ()
    write(airbyte, watched, pin_code=111111)
    assert watched.refresh() == ("secret_fingerprints",)


# -- references ------------------------------------------------------------------------------------------------------


def test_a_reference_is_plain_text_that_can_be_compared(airbyte: Airbyte, watched: Life) -> None:
    for name, value in (("vault-a", "key-a"), ("vault-b", "key-b")):
        airbyte.http.put("/sandbox/v1/secrets", json={"id": name, "value": value})
    account = {"mode": "basic", "user": "u-text", "password": "secret_coordinate::vault-a"}
    config = {"endpoint": "e", "proxy": {"url": "p", "auth": account}}
    program = {**PROGRAM, "config": config, "secret_paths": ["proxy.auth.password", "proxy.auth.user"]}
    watched.up(program)
    assert watched.inputs["secret_paths"] == ["proxy.auth.user"]
    assert watched.inputs["secret_fingerprints"].keys() == {"proxy.auth.user"}
    assert generated.stored(airbyte, watched.id)["proxy"]["auth"]["password"] == "key-a"
    assert watched.refresh() == ()

    moved = with_config(program, proxy={"url": "p", "auth": {**account, "password": "secret_coordinate::vault-b"}})
    assert watched.up(moved) == ("config",)
    assert generated.stored(airbyte, watched.id)["proxy"]["auth"]["password"] == "key-b"
    assert watched.refresh() == ()

    airbyte.post(
        "sources/update", {"sourceId": watched.id, "name": "nested", "connectionConfiguration": program["config"]}
    )
    assert watched.drift()["config"][1]["proxy"]["auth"]["password"] == "secret_coordinate::vault-a"
    assert watched.up(moved) == ("config", "secret_fingerprints")
    assert watched.refresh() == ()


def test_a_mask_is_refused_as_a_secret(airbyte: Airbyte, watched: Life) -> None:
    checked = watched.resource().check({}, with_config(PROGRAM, api_keys=["first-api-key", MASK]))
    assert len(checked.failures) == 1
    assert "config.api_keys.1" in checked.failures[0]
    assert "Declare the secret itself" in checked.failures[0]


# -- what it costs, and where it can't be had ------------------------------------------------------------------------


def test_watching_costs_a_call_per_actor_with_secrets_and_only_when_asked_for(
    airbyte: Airbyte, watched: Life, a_destination: Life, destination_inputs: Properties
) -> None:
    watched.up(PROGRAM)
    with airbyte.counted() as calls:
        watched.refresh()
    assert public_reads(calls) == [f"/public/v1/sources/{watched.id}"]

    watched.up({**PROGRAM, "config": {"endpoint": "e"}, "secret_paths": []})
    with airbyte.counted() as without_secrets:
        watched.refresh()
    assert public_reads(without_secrets) == []

    with airbyte.counted() as unasked:
        a_destination.up(destination_inputs)
        a_destination.refresh()
    assert public_reads(unasked) == []
    a_destination.make = lambda session: watching_destination(session)
    with airbyte.counted() as asked:
        a_destination.refresh()
    assert public_reads(asked) == [f"/public/v1/destinations/{a_destination.id}"]


def watching_destination(session: Session) -> ActorResource:
    session.watch_secrets = True
    return ActorResource(session, DESTINATION)


@pytest.fixture
def older() -> Iterator[Airbyte]:
    release = Release.parse("1.6.0")
    with Running(ServerSettings(release=release, client_secret=CLIENT_SECRET, assume_checks_pass=True)) as server:
        yield Airbyte(server, CLIENT_SECRET)


def test_an_older_server_is_told_once_and_fails_nothing(older: Airbyte, capfd: pytest.CaptureFixture[str]) -> None:
    process = older.session()
    life = Life(lambda _: watching(process), older)
    life.up(PROGRAM)
    assert life.refresh() == ()
    assert life.up(PROGRAM) == ()
    said = [line for line in capfd.readouterr().err.splitlines() if "airbyteWatchSecrets" in line]
    assert len(said) == 1
    assert said[0].startswith("warning: airbyteWatchSecrets has no effect on Airbyte 1.6.0")


def test_a_server_that_refuses_to_tell_fails_nothing(
    airbyte: Airbyte, watched: Life, capfd: pytest.CaptureFixture[str]
) -> None:
    watched.up(PROGRAM)
    before = dict(watched.outputs["secret_coordinates"])
    airbyte.fault(path="/public/v1/sources/*", status=403, times=1)
    assert watched.refresh() == ()
    assert "HTTP 403" in capfd.readouterr().err
    assert watched.outputs["secret_coordinates"] == before
    assert watched.refresh() == ()


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("True", True), ("false", False), ("", False)])
def test_the_setting_is_read_from_stack_config(text: str, expected: bool) -> None:
    config = {"airbyteUrl": "http://localhost:8000", "airbyteWatchSecrets": text}
    assert Settings.from_config(config.get).watch_secrets is expected


def test_a_setting_that_is_neither_true_nor_false_is_refused() -> None:
    config = {"airbyteUrl": "http://localhost:8000", "airbyteWatchSecrets": "yes"}
    with pytest.raises(SettingsError, match="airbyteWatchSecrets"):
        Settings.from_config(config.get)


# -- versions --------------------------------------------------------------------------------------------------------


def other_version(airbyte: Airbyte, definition: str, tag: str) -> None:
    body = {"sourceDefinitionId": definition, "dockerImageTag": tag, "workspaceId": airbyte.session().workspace()}
    airbyte.post("source_definitions/update", body)


def spec(**secret: bool) -> dict[str, Any]:
    marks = {name: {"airbyte_secret": True} if marked else {} for name, marked in secret.items()}
    return {"type": "object", "properties": {name: {"type": "string", **mark} for name, mark in marks.items()}}


@pytest.mark.parametrize("watch", [True, False])
def test_a_version_that_no_longer_calls_it_secret_shows_neither_a_difference_nor_the_secret(
    airbyte: Airbyte, watched: Life, watch: bool
) -> None:
    if not watch:
        watched.make = lambda session: ActorResource(session, SOURCE)
    definition = generated.publish(
        airbyte, spec(host=False, token=True, theirs=True), spec(host=False, token=False, theirs=False)
    )
    program = {
        **PROGRAM,
        "definition_id": definition,
        "config": {"host": "h", "token": "declared-token"},
        "secret_paths": ["token"],
    }
    watched.up(program)
    # A secret that the program knows nothing of, put there by a person.
    theirs = {"host": "h", "token": MASK, "theirs": "somebody's-secret"}
    airbyte.post("sources/update", {"sourceId": watched.id, "name": "nested", "connectionConfiguration": theirs})
    assert watched.drift()["config"][1]["theirs"] == MASK
    seen = dict(watched.outputs)

    other_version(airbyte, definition, "2.0.0")
    told = set(watched.refresh())

    assert told <= {"connector_version"}
    assert "somebody's-secret" not in str((watched.inputs, watched.outputs))
    assert watched.outputs["config"] == seen["config"]
    # The server stored it in the clear since, as it does when it is written at the new version.
    literal = {"host": "h", "token": "declared-token", "theirs": "somebody's-secret"}
    airbyte.post("sources/update", {"sourceId": watched.id, "name": "nested", "connectionConfiguration": literal})
    watched.refresh()
    assert "somebody's-secret" not in str((watched.inputs, watched.outputs))
    assert watched.outputs["config"] == seen["config"]


def test_a_version_that_newly_calls_it_secret_shows_no_difference(airbyte: Airbyte, watched: Life) -> None:
    definition = generated.publish(
        airbyte, spec(host=False, user=False, note=False), spec(host=False, user=True, note=True)
    )
    program = {**PROGRAM, "definition_id": definition, "config": {"host": "h", "user": "u"}, "secret_paths": []}
    watched.up(program)
    held = {"host": "h", "user": "u", "note": "from the UI"}
    airbyte.post("sources/update", {"sourceId": watched.id, "name": "nested", "connectionConfiguration": held})
    assert watched.drift()["config"][1]["note"] == "from the UI"
    other_version(airbyte, definition, "2.0.0")
    assert set(watched.refresh()) <= {"connector_version"}
    assert watched.inputs["config"] == held

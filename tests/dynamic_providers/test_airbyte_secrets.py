"""Secrets in configurations: found by the spec, shown as fingerprints, sent only when they changed."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dynamic_providers.airbyte import actor_config, secrets
from dynamic_providers.airbyte.models import Specification
from dynamic_providers.airbyte.secrets import MASK
from dynamic_providers.airbyte.spec import problems as spec_problems
from dynamic_providers.fingerprint import fingerprint
from dynamic_providers.values import UNKNOWN, is_unknown
from sandbox.airbyte import masking
from tests.dynamic_providers.generated import configs as configs_of
from tests.dynamic_providers.generated import marked_otherwise, secret_paths, shown, specs

SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["host"],
    "properties": {
        "host": {"type": "string"},
        "port": {"type": "integer", "default": 5432},
        "password": {"type": "string", "airbyte_secret": True},
        "credentials": {
            "type": "object",
            "oneOf": [
                {
                    "title": "Key pair",
                    "required": ["auth_type", "private_key"],
                    "properties": {
                        "auth_type": {"const": "key"},
                        "private_key": {"type": "string", "airbyte_secret": True, "pattern": "^-----BEGIN"},
                    },
                },
                {
                    "title": "Password",
                    "required": ["auth_type", "password"],
                    "properties": {
                        "auth_type": {"const": "password"},
                        "password": {"type": "string", "airbyte_secret": True},
                    },
                },
            ],
        },
        "tunnels": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "key": {"type": "string", "airbyte_secret": True}},
            },
        },
    },
}


def problems(config: dict[str, Any], *marked: str) -> str:
    return " / ".join(actor_config.problems(config, Specification(connection_specification=SPEC), marked))


def masked(config: dict[str, Any]) -> dict[str, Any]:
    """What the server shows of a configuration."""
    paths = secrets.leaves(config, secrets.spec_paths(SPEC))
    return secrets.replaced(config, dict.fromkeys(paths, MASK))


# -- the spec --------------------------------------------------------------------------------------------------------


def test_secret_paths_are_those_of_all_branches_and_array_items() -> None:
    assert secrets.spec_paths(SPEC) == {"password", "credentials.private_key", "credentials.password", "tunnels.*.key"}


def test_a_secret_the_program_does_not_mark_is_refused_by_its_path() -> None:
    text = problems({"host": "h", "password": "p", "tunnels": [{"key": "k"}]})
    assert "password is a secret" in text
    assert "tunnels.0.key is a secret" in text
    assert problems({"host": "h", "password": "p"}, "password") == ""


def test_a_reference_to_a_secret_is_none() -> None:
    assert problems({"host": "h", "password": "secret_coordinate::vault-path"}) == ""


def test_a_configuration_is_refused_by_field_and_without_its_values() -> None:
    text = problems(
        {"port": "hunter2", "credentials": {"auth_type": "key", "private_key": "hunter2"}}, "credentials.private_key"
    )
    assert "host is missing" in text
    assert "port must be an integer" in text
    assert "credentials.private_key does not match the pattern" in text
    assert "hunter2" not in text


def test_of_a_choice_the_branch_that_was_meant_is_complained_about() -> None:
    assert problems({"host": "h", "credentials": {"auth_type": "password"}}) == "credentials.password is missing"
    assert "auth_type: key, auth_type: password" in problems({"host": "h", "credentials": {"auth_type": "oauth"}})


def test_a_field_the_connector_does_not_have_is_refused_with_the_nearest() -> None:
    assert "Did you mean host?" in problems({"host": "h", "hots": "h"})
    credentials = {"auth_type": "password", "password": "x", "pasword": "y"}
    found = problems({"host": "h", "credentials": credentials}, "credentials.password")
    assert "credentials.pasword is no field" in found


# -- fingerprints ----------------------------------------------------------------------------------------------------


def test_a_fingerprint_changes_with_the_secret_and_with_the_key_and_shows_neither() -> None:
    one = fingerprint("key-1", "secret-1")
    assert one == fingerprint("key-1", "secret-1")
    assert len({one, fingerprint("key-1", "secret-2"), fingerprint("key-2", "secret-1")}) == 3
    assert len(one) == 12


def test_what_is_not_known_yet_has_a_fingerprint_that_is_not_known_yet() -> None:
    config = {"password": UNKNOWN, "credentials": {"private_key": "k"}}
    found = secrets.fingerprints(config, ["password", "credentials.private_key", "absent"], "key")
    assert is_unknown(found["password"])
    assert found["credentials.private_key"] == fingerprint("key", "k")
    assert "absent" not in found
    assert is_unknown(secrets.fingerprints({"password": "p"}, ["password"], UNKNOWN)["password"])


# -- reading ---------------------------------------------------------------------------------------------------------

text = st.text("abcXYZ019 -", min_size=1, max_size=12)
configs = st.fixed_dictionaries(
    {"host": text},
    optional={
        "port": st.integers(1, 65535),
        "password": text,
        "credentials": st.one_of(
            st.fixed_dictionaries({"auth_type": st.just("key"), "private_key": text.map(lambda t: f"-----BEGIN {t}")}),
            st.fixed_dictionaries({"auth_type": st.just("password"), "password": text}),
        ),
        "tunnels": st.lists(st.fixed_dictionaries({"name": text, "key": text}), max_size=3),
    },
)


@given(configs)
def test_an_untouched_object_reads_as_declared(config: dict[str, Any]) -> None:
    assert actor_config.live(masked(config), config, {}).declared == config


@given(configs, st.data())
def test_a_changed_plain_field_is_exactly_what_differs(config: dict[str, Any], data: st.DataObject) -> None:
    plain_fields = sorted({"host", "port"} & set(config))
    changed = data.draw(st.sets(st.sampled_from(plain_fields)))
    live = {**masked(config), **{field: "changed" if field == "host" else 70000 for field in changed}}
    read = actor_config.live(live, config, {}).declared
    assert {field for field in {*config, *read} if read.get(field) != config.get(field)} == changed


def test_a_secret_that_went_away_is_drift() -> None:
    assert actor_config.live({"host": "h"}, {"host": "h", "password": "p"}, {}).declared == {"host": "h"}


def test_fields_the_server_filled_in_are_no_drift_until_they_change() -> None:
    declared = {"host": "h", "credentials": {"auth_type": "password", "password": "p"}}
    filled = {"host": "h", "port": 5432, "credentials": {**declared["credentials"], "password": MASK, "extra": "x"}}  # type: ignore[dict-item]
    first = actor_config.live(filled, declared, {})
    assert first.extras == {"port": 5432, "credentials.extra": "x"}
    assert actor_config.live(filled, declared, first.extras).declared == declared
    moved = actor_config.live({**filled, "port": 6432}, declared, first.extras).declared
    assert moved == {**declared, "port": 6432}
    assert (
        actor_config.live({"host": "h", "credentials": declared["credentials"]}, declared, first.extras).declared
        == declared
    )


@given(configs)
def test_the_same_configuration_does_not_differ_from_itself_whatever_defaults_it_leaves_out(
    config: dict[str, Any],
) -> None:
    live = {"port": 5432, **masked(config)}
    assert actor_config.differences(live, config, SPEC) == []


def test_a_difference_is_named_by_its_path() -> None:
    live = {"host": "other", "port": 6432, "credentials": {"auth_type": "key", "private_key": MASK}}
    declared = {"host": "h", "credentials": {"auth_type": "password", "password": "p"}}
    found = actor_config.differences(live, declared, SPEC)
    assert {"host", "port", "credentials.auth_type"} <= set(found)


# -- writing ---------------------------------------------------------------------------------------------------------


def test_only_a_changed_secret_is_sent_and_the_others_go_as_masks() -> None:
    olds = {"host": "h", "password": "one", "credentials": {"auth_type": "password", "password": "two"}}
    news = {"host": "h", "password": "new", "credentials": {"auth_type": "password", "password": "two"}}
    sent = actor_config.to_send(news, olds, masked(olds), ["password", "credentials.password"], SPEC)
    assert sent == {"host": "h", "password": "new", "credentials": {"auth_type": "password", "password": MASK}}


def test_a_mask_that_the_server_would_store_as_it_is_is_never_sent() -> None:
    paths = ["password", "credentials.private_key", "tunnels.0.key"]
    config = {"host": "h", "password": "p", "tunnels": [{"name": "n", "key": "k"}]}
    in_array = actor_config.to_send(config, config, masked(config), paths, SPEC)
    assert in_array["tunnels"] == [{"name": "n", "key": "k"}]
    missing_there = actor_config.to_send(config, config, {"host": "h"}, paths, SPEC)
    assert missing_there["password"] == "p"
    patterned = {"host": "h", "credentials": {"auth_type": "key", "private_key": "-----BEGIN x"}}
    assert actor_config.to_send(patterned, patterned, masked(patterned), paths, SPEC) == patterned


# -- any spec --------------------------------------------------------------------------------------------------------


@given(st.data())
def test_whatever_the_spec_an_untouched_object_reads_as_declared(data: st.DataObject) -> None:
    spec = data.draw(specs())
    config = data.draw(configs_of(spec))
    live = actor_config.live(shown(config, spec), config, {}, secret_paths(config, spec))
    assert live.declared == config
    assert (live.extras, live.changed_secrets) == ({}, ())


@given(st.data())
def test_a_version_that_masks_other_fields_shows_no_difference_and_no_secret(data: st.DataObject) -> None:
    before = data.draw(specs())
    after = data.draw(marked_otherwise(before))
    config = data.draw(configs_of(before))
    paths = secret_paths(config, before)
    tolerated = actor_config.live(shown(config, before), {}, {}, paths).extras
    # All declared, and nothing declared: what the server holds beyond the program may be secret too.
    whole = actor_config.live(shown(config, after), config, {}, paths)
    assert whole.declared == config
    assert whole.changed_secrets == ()
    assert actor_config.live(shown(config, after), {}, tolerated, paths).declared == {}


@given(st.data())
def test_a_mask_is_sent_exactly_where_the_server_puts_its_own_secret_back(data: st.DataObject) -> None:
    spec = data.draw(specs())
    config = data.draw(configs_of(spec))
    kept = {"_secret": "the server's"}
    for path in secret_paths(config, spec):
        sent = secrets.replaced(config, {path: MASK})
        answer = masking.restore_masks(secrets.replaced(config, {path: kept}), sent, spec)
        assert secrets.restored(spec, sent, path) == (secrets.get(answer, path) == kept), path


@given(st.data())
def test_what_is_sent_never_stores_a_mask_and_keeps_every_secret_that_can_be_kept(data: st.DataObject) -> None:
    spec = data.draw(specs())
    olds = data.draw(configs_of(spec))
    news = data.draw(st.one_of(configs_of(spec), st.just(olds)))
    leaves = secret_paths(olds, spec)
    store = secrets.replaced(olds, {path: {"_secret": path} for path in leaves})

    sent = actor_config.to_send(news, olds, shown(olds, spec), secret_paths(news, spec), spec)
    arrived = masking.restore_masks(store, sent, spec)

    assert not secrets.masked(arrived)
    for path, value in secrets.scalars(arrived):
        original = path.removesuffix("._secret")
        if original != path:  # a secret that stayed where it was
            assert value == original
            assert secrets.get(olds, original) == secrets.get(news, original)
    hydrated = {path: secrets.get(olds, path) for path in leaves if secrets.get(arrived, path) == {"_secret": path}}
    assert secrets.replaced(arrived, hydrated) == news
    for path in leaves:
        alone = secrets.replaced(news, {path: MASK})
        # Where another branch calls the whole object a secret, the server keeps it as one, and nothing at this path.
        kept = secrets.get(shown(olds, spec), path) == MASK
        could = kept and secrets.get(olds, path) == secrets.get(news, path) is not None
        if could and not spec_problems(alone, spec) and secrets.restored(spec, alone, path):
            assert path in hydrated, f"{path} was sent although a mask would have kept it"


def test_a_server_that_masks_nothing_at_all_is_not_believed() -> None:
    declared = {"host": "h", "password": "p"}
    live = actor_config.live({**declared, "token": "someone's", "nested": {"key": "k"}}, declared, {}, ["password"])
    assert live.declared == {**declared, "token": MASK, "nested": MASK}
    assert live.extras == {"token": MASK, "nested": MASK}


def test_a_readable_secret_that_is_another_one_is_told_and_not_shown() -> None:
    declared = {"host": "h", "password": "p", "key": "k"}
    live = actor_config.live({"host": "h", "password": "another", "key": MASK}, declared, {}, ["password", "key"])
    assert live.declared == declared
    assert live.changed_secrets == ("password",)


def test_a_list_with_secrets_is_one_thing() -> None:
    declared = {"host": "h", "tunnels": [{"name": "a", "key": "1"}, {"name": "b", "key": "2"}]}
    paths = ["tunnels.0.key", "tunnels.1.key"]
    shown_now = [{"name": "b", "key": MASK}, {"name": "a", "key": MASK}]
    reordered = actor_config.live({"host": "h", "tunnels": shown_now}, declared, {}, paths)
    assert reordered.changed_secrets == tuple(paths)
    longer = actor_config.live({"host": "h", "tunnels": [*shown_now, {"name": "c", "key": "3"}]}, declared, {}, paths)
    assert longer.declared["tunnels"][2] == {"name": "c", "key": MASK}
    assert longer.changed_secrets == tuple(paths)


def test_what_the_server_holds_beyond_the_program_is_kept_without_its_secrets() -> None:
    read = {"host": "h", "port": 5432, "credentials": {"auth_type": "password", "password": "readable"}}
    assert actor_config.filled(read, {"host": "h"}, [], SPEC) == {
        "port": 5432,
        "credentials": {"auth_type": "password", "password": MASK},
    }
    assert actor_config.filled(read, {"host": "h"}, [], {}) == {"port": MASK, "credentials": MASK}


def test_defaults_that_are_remembered_hold_no_secret() -> None:
    values = {"port": 5432, "credentials": {"password": "p"}, "tunnels.0.key": "k"}
    assert actor_config.without_secrets(values, ["credentials.password", "tunnels"]) == {"port": 5432}


def test_the_fingerprint_of_an_object_does_not_depend_on_the_order_of_its_fields() -> None:
    assert fingerprint("key", {"a": 1, "b": 2}) == fingerprint("key", {"b": 2, "a": 1})

"""A secret that nobody chose: made once, kept, and made anew for another generation only."""

from dynamic_providers.generated_secret import GeneratedSecretProvider


def test_it_is_random_and_kept_through_refreshes_and_updates() -> None:
    life = GeneratedSecretProvider().resource()
    (_, first), (_, second) = life.create({"generation": 1}), life.create({"generation": 1})
    assert len(first["value"]) == 64
    assert first["value"] != second["value"]

    live = life.read("id", first)
    assert live is not None
    assert live.outputs == first
    assert life.update("id", first, {"generation": 1})["value"] == first["value"]
    assert life.diff("id", first, {"generation": 1}).changed == ()


def test_another_generation_replaces_it() -> None:
    life = GeneratedSecretProvider().resource()
    _, made = life.create({"generation": 1})
    difference = life.diff("id", made, {"generation": 2})
    assert difference.replaces == ("generation",)

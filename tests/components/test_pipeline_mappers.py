"""Mappers in a pipeline file: typed, in their order, with keys that are variables."""

from collections.abc import Callable
from pathlib import Path

import pytest

from components.elt_pipeline import stream_args
from components.errors import ConfigurationError
from components.pipeline_file import load_pipelines
from components.plan import Plan

StackConfig = Callable[..., None]
AES = "{type: encryption, algorithm: AES, target_field: note, mode: GCM, padding: NoPadding, key: %s}"


@pytest.fixture
def write(project_root: Path, tmp_path: Path) -> Callable[..., Path]:
    """Writes the production pipeline with mappers on its first stream; gives the folder."""
    text = (project_root / "pipelines" / "production.yaml").read_text()

    def with_mappers(*mappers: str) -> Path:
        lines = "".join(f"        - {mapper}\n" for mapper in mappers)
        at = "    - name: users\n"
        assert at in text
        (tmp_path / "production.yaml").write_text(text.replace(at, f"      mappers:\n{lines}{at}", 1))
        return tmp_path

    return with_mappers


def test_mappers_go_to_the_provider_in_their_order(write: Callable[..., Path]) -> None:
    folder = write(
        "{type: hashing, target_field: email, method: MD5}",
        "{type: row-filtering, conditions: {type: NOT, conditions: "
        "[{type: EQUAL, field_name: id, comparison_value: '7'}]}}",
        "{type: field-renaming, original_field_name: note, new_field_name: remark}",
        "{type: field-filtering, target_field: remark}",
    )
    [pipeline] = load_pipelines(folder).pipelines
    assert stream_args(pipeline.spec.sync.streams[0])["mappers"] == [
        {"type": "hashing", "target_field": "email", "method": "MD5", "field_name_suffix": "_hashed"},
        {
            "type": "row-filtering",
            "conditions": {
                "type": "NOT",
                "conditions": [{"type": "EQUAL", "field_name": "id", "comparison_value": "7"}],
            },
        },
        {"type": "field-renaming", "original_field_name": "note", "new_field_name": "remark"},
        {"type": "field-filtering", "target_field": "remark"},
    ]
    assert "mappers" not in stream_args(pipeline.spec.sync.streams[1])


PLACE = "sync.streams[0].mappers[0]"
MISTAKES = {
    "unknown type": ("{type: hashin, target_field: a}", [f"{PLACE}.type", "`hashin`", "'row-filtering'"]),
    "no type": ("{target_field: a}", [f"{PLACE}.type: is missing"]),
    "a field that is missing": ("{type: hashing}", [f"{PLACE}.target_field: is missing"]),
    "a method that is not": (
        "{type: hashing, target_field: a, method: SHA}",
        [f"{PLACE}.method", "`SHA` is not one of the values allowed"],
    ),
    "a misspelt key": (
        "{type: hashing, target_fild: a, target_field: a}",
        [f"{PLACE}.target_fild", "Did you mean `target_field`?"],
    ),
    "a condition inside": (
        "{type: row-filtering, conditions: {type: EQUALS}}",
        [f"{PLACE}.conditions.type", "`EQUALS`", "'EQUAL'"],
    ),
    "a condition without its value": (
        "{type: row-filtering, conditions: {type: AND, conditions: [{type: EQUAL, field_name: a}]}}",
        [f"{PLACE}.conditions.conditions[0].comparison_value: is missing"],
    ),
    "no algorithm": ("{type: encryption, target_field: a}", [f"{PLACE}.algorithm: is missing"]),
    "a key in the file": (AES % "00aabbcc", [f"{PLACE}.key", "is a secret written into the file", "--secret"]),
    "a key with text around": (AES % "'00${KEY}'", [f"{PLACE}.key", "is a secret written into the file"]),
    "a variable elsewhere": ("{type: hashing, target_field: '${FIELD}'}", [f"{PLACE}.target_field", "can't be"]),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_in_a_mapper_is_refused_with_its_place(case: str, write: Callable[..., Path]) -> None:
    mapper, expected = MISTAKES[case]
    folder = write(mapper)
    with pytest.raises(ConfigurationError) as refused:
        load_pipelines(folder)
    for part in (*expected, "production.yaml:31"):
        assert part in str(refused.value)
    assert "00aabbcc" not in str(refused.value)


def test_a_key_resolves_to_a_secret(
    write: Callable[..., Path], stack_config: StackConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_config(pipelinesPath=str(write(AES % "'${NOTE_KEY}'")))
    with pytest.raises(ConfigurationError, match=r"`\$\{NOTE_KEY\}` is not set anywhere.*set noteKey"):
        Plan.load()
    monkeypatch.setenv("NOTE_KEY", "00112233")

    [planned] = Plan.load().pipelines

    [mapper] = stream_args(planned.file.spec.sync.streams[0], planned.mapper_keys)["mappers"]
    assert mapper["key"] is planned.mapper_keys["${NOTE_KEY}"]
    assert "00112233" not in repr(planned)

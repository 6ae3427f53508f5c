"""Editing connectors.yaml: nothing but the version changes, however the file is written."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airbyte_cli.connectors import pins_file
from components.errors import ConfigurationError
from components.pipeline_file import load_pins

NUMBERS = st.integers(0, 400)
VERSIONS = st.builds("{}.{}.{}".format, NUMBERS, NUMBERS, NUMBERS)
NAMES = st.from_regex(r"(source|destination)-[a-z][a-z0-9]{0,8}", fullmatch=True)
WORDS = st.text(
    st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="\u2028\u2029\x85"), max_size=20
)
COMMENTS = st.builds("# {}".format, WORDS)
BETWEEN = st.lists(st.one_of(st.just(""), COMMENTS, st.builds("    {}".format, COMMENTS)), max_size=3)


@st.composite
def files(draw: st.DrawFn) -> tuple[list[str], dict[str, int], str]:
    """Lines of a pins file, the line of each connector, and the line end."""
    lines, places = list(draw(BETWEEN)), {}
    if draw(st.booleans()):
        lines.append("---")
    for name in draw(st.lists(NAMES, min_size=1, max_size=6, unique=True)):
        quote = draw(st.sampled_from(["", '"', "'"]))
        tail = draw(st.one_of(st.just(""), st.just("  "), st.builds("  {}".format, COMMENTS)))
        places[name] = len(lines)
        lines.append(f"{name}:{' ' * draw(st.integers(1, 4))}{quote}{draw(VERSIONS)}{quote}{tail}")
        lines += draw(BETWEEN)
    return lines, places, draw(st.sampled_from(["\n", "\r\n"]))


@given(files(), st.data())
def test_every_other_line_stays_as_it_is_to_the_byte(
    file: tuple[list[str], dict[str, int], str], data: st.DataObject
) -> None:
    lines, places, end = file
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(places)), VERSIONS, min_size=1))
    with tempfile.TemporaryDirectory() as folder:
        # given
        pins_path = Path(folder) / "connectors.yaml"
        pins_path.write_bytes(end.join([*lines, ""]).encode())
        old = load_pins(pins_path)
        # when
        pins_file.write(pins_path, pins_file.edited(old, changed))
        # then the pins are the new ones, and only their own characters differ
        assert load_pins(pins_path).versions == {**old.versions, **changed}
        after = pins_path.read_bytes().decode().split(end)
        expected = list(lines)
        for connector, version in changed.items():
            place = places[connector]
            head, tail = expected[place].split(":", 1)
            expected[place] = f"{head}:{tail.replace(old.versions[connector], version, 1)}"
        assert after == [*expected, ""]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{source-a: 1.0.0, source-b: '2.0.0'}", "{source-a: 1.0.1, source-b: '2.0.0'}"),
        ('"source-a" : 1.0.0', '"source-a" : 1.0.1'),
        ("source-b: 1.0.0\nsource-a: 1.0.0", "source-b: 1.0.0\nsource-a: 1.0.1"),
        ("# source-a: 1.0.0\nsource-a: 1.0.0 # 1.0.0", "# source-a: 1.0.0\nsource-a: 1.0.1 # 1.0.0"),
        ("source-a:\n  1.0.0\n", "source-a:\n  1.0.1\n"),
        (
            "source-a: {version: 1.0.0, accept_breaking: [1.0.0]}",
            "source-a: {version: 1.0.1, accept_breaking: [1.0.0]}",
        ),
        (
            "source-a:\n  accept_breaking: [1.0.0]  # read\n  version: '1.0.0'\n",
            "source-a:\n  accept_breaking: [1.0.0]  # read\n  version: '1.0.1'\n",
        ),
    ],
)
def test_the_version_is_found_wherever_yaml_allows_it(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "connectors.yaml"
    file.write_text(before)
    assert pins_file.edited(load_pins(file), {"source-a": "1.0.1"}) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("source-a: 1.0.0  # why\n", "source-a: {version: 2.0.0, accept_breaking: [1.5.0, 2.0.0]}  # why\n"),
        ('source-a: "1.0.0"', 'source-a: {version: "2.0.0", accept_breaking: [1.5.0, 2.0.0]}'),
        ("{source-a: 1.0.0, source-b: 1.0.0}", None),
        (
            "source-a: {version: 1.0.0}  # why\n",
            "source-a: {version: 2.0.0, accept_breaking: [1.5.0, 2.0.0]}  # why\n",
        ),
        (
            "source-a: {accept_breaking: ['1.0.0'], version: 1.0.0}\n",
            "source-a: {accept_breaking: ['1.0.0', 1.5.0, 2.0.0], version: 2.0.0}\n",
        ),
        ("source-a: {version: 1.0.0, accept_breaking: []}\n", None),
        ("source-a: {version: 1.0.0, accept_breaking: [1.0.0, ]}\n", None),
        (
            "source-a:\n  version: 1.0.0  # why\nsource-b: 1.0.0\n",
            "source-a:\n  version: 2.0.0  # why\n  accept_breaking: [1.5.0, 2.0.0]\nsource-b: 1.0.0\n",
        ),
        (
            "source-a:\n  version: 1.0.0\n  accept_breaking:  # none\nsource-b: 1.0.0\n",
            "source-a:\n  version: 2.0.0\n  accept_breaking: [1.5.0, 2.0.0]  # none\nsource-b: 1.0.0\n",
        ),
        ("source-a: {version: 1.0.0, accept_breaking: ~}\n", None),
        (
            "source-a:\n  accept_breaking:\n    - 1.0.0  # read\n    # all of it\n  version: 1.0.0\n",
            "source-a:\n  accept_breaking:\n    - 1.0.0  # read\n    - 1.5.0\n    - 2.0.0\n    # all of it\n"
            "  version: 2.0.0\n",
        ),
        ("source-a:\r\n  version: 1.0.0\r\n  accept_breaking:\r\n  - 1.0.0", None),
    ],
)
def test_what_is_accepted_is_written_as_the_entry_is(tmp_path: Path, before: str, after: str | None) -> None:
    file = tmp_path / "connectors.yaml"
    file.write_bytes(before.encode())
    old = load_pins(file)
    text = pins_file.edited(old, {"source-a": "2.0.0"}, {"source-a": ["1.5.0", "2.0.0"]})
    assert after is None or text == after
    file.write_bytes(text.encode())
    new = load_pins(file)
    assert new.versions == {**old.versions, "source-a": "2.0.0"}
    assert new.accept_breaking["source-a"] == (*old.accept_breaking.get("source-a", ()), "1.5.0", "2.0.0")
    assert text.count("\r") == before.count("\r") + (2 if "\r" in before else 0)


def test_a_tag_that_yaml_would_take_for_a_number_is_quoted(tmp_path: Path) -> None:
    file = tmp_path / "connectors.yaml"
    file.write_text("source-a: 1.0.0\n")
    assert pins_file.edited(load_pins(file), {"source-a": "20240101"}) == 'source-a: "20240101"\n'


@pytest.mark.parametrize(
    "text",
    [
        "source-a: &v 1.0.0\n",
        "source-b: &v 1.0.0\nsource-a: *v\n",
        "source-a: !!str 1.0.0\n",
        "source-a: |-\n  1.0.0\n",
    ],
)
def test_what_can_not_be_edited_in_place_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "connectors.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match="can't be edited"):
        pins_file.edited(load_pins(file), {"source-a": "1.0.1"})

"""Writing `accept_breaking` into the text of connectors.yaml, in the way in which the entry is written already."""

from collections.abc import Sequence

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_KEY = "accept_breaking"


def added(text: str, connector: str, versions: Sequence[str]) -> str:
    """The text with these versions accepted by the connector's entry, which is there; they are valid YAML scalars.

    A plain ``connector: version`` becomes ``connector: {version: …, accept_breaking: […]}``, a list grows at its end.
    """
    root = YAML().compose(text)
    entry = next(value for key, value in root.value if key.value == connector)
    if not isinstance(entry, MappingNode):
        start, end = _span(entry)
        return f"{text[:start]}{{version: {text[start:end]}, {_KEY}: [{', '.join(versions)}]}}{text[end:]}"
    fields = {key.value: (key, value) for key, value in entry.value}
    if _KEY not in fields:
        return _with_list(text, entry, fields["version"], versions)
    listed = fields[_KEY][1]
    if isinstance(listed, SequenceNode) and listed.value:
        return _with_items(text, listed, versions)
    # An empty list, or none at all; the place of what is not there is anywhere before the next key.
    start = text.index(":", fields[_KEY][0].end_mark.index) + 1
    end = start if isinstance(listed, ScalarNode) and not listed.value else listed.end_mark.index
    return f"{text[:start]} [{', '.join(versions)}]{text[end:]}"


def _with_list(text: str, entry: MappingNode, version: tuple[Node, ScalarNode], versions: Sequence[str]) -> str:
    """The list, which is not there yet, after the version."""
    made = f"{_KEY}: [{', '.join(versions)}]"
    end = version[1].end_mark.index
    if entry.flow_style:
        return f"{text[:end]}, {made}{text[end:]}"
    return _with_lines(text, end, version[0].start_mark.column, [made])


def _with_items(text: str, listed: SequenceNode, versions: Sequence[str]) -> str:
    end = listed.value[-1].end_mark.index
    if listed.flow_style:
        return text[:end] + "".join(f", {version}" for version in versions) + text[end:]
    return _with_lines(text, end, listed.start_mark.column, [f"- {version}" for version in versions])


def _with_lines(text: str, after: int, column: int, lines: Sequence[str]) -> str:
    """More lines after the one that a place is in, behind its comment."""
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    found = text.find(end_of_line, after)
    end = len(text) if found < 0 else found
    return text[:end] + "".join(f"{end_of_line}{' ' * column}{line}" for line in lines) + text[end:]


def _span(node: Node) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index

"""Editing connectors.yaml so that a reviewer sees the changed versions and nothing else.

The YAML library says where in the text a version stands, and only those characters are replaced: dumping the tree
again would keep the comments, but not the line ends, the spacing and the quotes.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from airbyte_cli.connectors import accepting
from components.errors import ConfigurationError, Problem
from components.pipeline_file import Pins, load_pins


def edited(
    pins: Pins, versions: Mapping[str, str], accepted: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> str:
    """The file's new text, with these versions of connectors that it pins already, accepting these breaking changes.

    Raises ConfigurationError where a version can't be replaced, or would not be a pin (`latest`).
    """
    file = pins.document.file
    text = _text(file)
    accepts = dict(pins.accept_breaking)
    for connector, version in versions.items():
        start, end = _place(pins, text, connector)
        text = text[:start] + _written(version, text[start:end]) + text[end:]
        if added := accepted.get(connector):
            text = accepting.added(text, connector, [_written(each, " ") for each in added])
            accepts[connector] = (*accepts.get(connector, ()), *added)
    _check(file, text, {**pins.versions, **versions}, accepts)
    return text


def write(file: Path, text: str) -> None:
    """Replace a file in one step: whoever reads it meanwhile sees the old or the new text, never a part."""
    target = file.resolve()  # a link stays a link
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        shutil.copymode(target, name)
        Path(name).replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8")  # as it is: read_text would change the line ends


def _place(pins: Pins, text: str, connector: str) -> tuple[int, int]:
    """Start and end of a connector's version in the text."""
    root = YAML().compose(text)
    pairs = root.value if isinstance(root, MappingNode) else []
    for key, entry in pairs:
        value = _version_node(entry)
        if key.value == connector and isinstance(value, ScalarNode):
            start, end = value.start_mark.index, value.end_mark.index
            if re.fullmatch(rf"([\"']?){re.escape(pins.versions[connector])}\1", text[start:end]):
                return start, end
    raise ConfigurationError(
        [
            Problem(
                pins.document.where((connector,)),
                "is written in a way that can't be edited in place.",
                f"Write it as `{connector}: {pins.versions[connector]}`, without anchors or tags.",
            )
        ]
    )


def _version_node(entry: Node) -> Node | None:
    """Where an entry's version stands: `connector: version` or `connector: {version: …, accept_breaking: […]}`."""
    if isinstance(entry, MappingNode):
        return next((value for key, value in entry.value if key.value == "version"), None)
    return entry


def _written(version: str, old: str) -> str:
    quote = old[0] if old[0] in "\"'" else ""
    if not quote and YAML(typ="safe").load(version) != version:
        quote = '"'  # YAML would read it as a number
    return f"{quote}{version}{quote}"


def _check(file: Path, text: str, versions: Mapping[str, str], accepts: Mapping[str, Sequence[str]]) -> None:
    """Read the new text as every other command will."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / file.name
        draft.write_bytes(text.encode("utf-8"))
        try:
            found = load_pins(draft)
        except ConfigurationError as error:
            raise ConfigurationError(
                replace(problem, where=problem.where.replace(str(draft), str(file))) for problem in error.problems
            ) from None
    if found.versions != versions or found.accept_breaking != accepts:
        what = "can't be edited without changing more than what was asked for."
        raise ConfigurationError([Problem(str(file), what, "Edit it by hand.")])

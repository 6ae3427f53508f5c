"""A YAML document that knows on which line each of its values stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from components.errors import ConfigurationError, Problem

KeyPath = tuple[str | int, ...]


def dotted(path: KeyPath) -> str:
    """Write a path as people do: ``sync.streams[0].cursor_field``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


@dataclass(frozen=True)
class Document:
    """One parsed file."""

    file: Path
    tree: Any

    @classmethod
    def read(cls, file: Path) -> "Document":
        """Parse a file; raises ConfigurationError naming the line for what is not YAML."""
        try:
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(
                [Problem(str(file), f"can't be read ({error.strerror}).", "Check the path and its permissions.")]
            ) from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(
                [Problem(str(file), f"is not UTF-8 text ({error.reason}).", "Save it as UTF-8.")]
            ) from None
        try:
            return cls(file, YAML(typ="rt").load(StringIO(text)))
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            what = f"is not valid YAML: {error.problem or error.context}."
            raise ConfigurationError([Problem(f"{file}:{line}", what, "Correct the line.")]) from error

    def line(self, path: KeyPath) -> int:
        """Line of the value at the path, or of the closest of its ancestors that exists; from 1."""
        node, line = self.tree, 1
        for part in path:
            try:
                position = node.lc.key(part) if isinstance(node, CommentedMap) else node.lc.item(part)
                node = node[part]
            except (AttributeError, KeyError, IndexError, TypeError):
                break
            line = position[0] + 1
        return line

    def where(self, path: KeyPath) -> str:
        """Name the place for an error message."""
        place = f"{self.file}:{self.line(path)}"
        return f"{place}: {dotted(path)}" if path else place

    def plain(self) -> Any:
        """The document as plain dicts, lists and scalars."""
        return _plain(self.tree)

    def strings(self) -> Iterator[tuple[KeyPath, str]]:
        """Every string value with its path, in the file's order."""
        yield from _strings(self.tree, ())


def _plain(node: Any) -> Any:
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    if isinstance(node, str):
        return str(node)
    if isinstance(node, bool) or node is None:
        return node
    if isinstance(node, int):
        return int(node)
    return float(node) if isinstance(node, float) else str(node)


def _strings(node: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(node, CommentedMap):
        for key, value in node.items():
            yield from _strings(value, (*path, str(key)))
    elif isinstance(node, CommentedSeq):
        for index, value in enumerate(node):
            yield from _strings(value, (*path, index))
    elif isinstance(node, str):
        yield path, str(node)

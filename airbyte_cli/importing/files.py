"""Writing the files: all of them, or none."""

import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from components.errors import ConfigurationError, Problem

_SHORT_LISTS = ("cursor_field", "primary_key", "fields", "hash", "tags", "operation_ids")
"""Written on one line, as people do."""

_WORDS = re.compile(r"[^\W\d][\w .-]*")


def pipeline_text(document: Mapping[str, Any], comment: str) -> str:
    """A pipeline file."""
    tree = _tree(document)
    for name in list(tree)[1:]:
        tree.yaml_set_comment_before_after_key(name, before="\n")
    return f"# {comment}\n{_dump(tree)}"


def connectors_text(versions: Mapping[str, str]) -> str:
    """connectors.yaml."""
    listed = _dump(_tree(dict(sorted(versions.items()))))
    return f"# The versions that the workspace ran when it was imported.\n{listed}"


def write(out: Path, files: Mapping[Path, str], *, force: bool) -> None:
    """Write files below a folder, given by their relative paths.

    Raises ConfigurationError where one exists, unless `force`. They are made elsewhere and then moved, and a move that
    fails puts back what was there; a folder that did not exist appears in one step.
    """
    existing = sorted(path for path in files if (out / path).exists())
    if existing and not force:
        raise ConfigurationError(
            [
                Problem(str(out / path), "exists already, so nothing was written.", "Use another --out, or --force.")
                for path in existing
            ]
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name or 'import'}-") as work:
            made, former = Path(work) / "made", Path(work) / "former"
            for path, text in files.items():
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_text(text, encoding="utf-8")
            if out.exists():
                _move(files, made, out, former)
            else:
                made.rename(out)
    except OSError as error:
        problem = Problem(str(out), f"can't be written ({error.strerror}).", "Check the path and its permissions.")
        raise ConfigurationError([problem]) from error


def _move(paths: Iterable[Path], made: Path, out: Path, former: Path) -> None:
    done: list[Path] = []
    try:
        for path in paths:
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (former / path).parent.mkdir(parents=True, exist_ok=True)
            if (out / path).exists():
                shutil.copy2(out / path, former / path)
            done.append(path)
            (made / path).replace(out / path)
    except BaseException:
        for path in done:
            if (former / path).exists():
                (former / path).replace(out / path)
            else:
                (out / path).unlink(missing_ok=True)
        raise


def _dump(tree: Any) -> str:
    yaml = YAML(typ="rt")
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096  # a long text stays on its line, where it can be compared
    buffer = StringIO()
    yaml.dump(tree, buffer)
    return buffer.getvalue()


def _tree(node: Any, name: str = "") -> Any:
    if isinstance(node, Mapping):
        return CommentedMap((key, _tree(value, key)) for key, value in node.items())
    if isinstance(node, list):
        items = CommentedSeq(_tree(value, name) for value in node)
        if name in _SHORT_LISTS:
            items.fa.set_flow_style()
        return items
    # The writer leaves `[?0]` bare, which would be read as a key.
    return DoubleQuotedScalarString(node) if name in _SHORT_LISTS and _is_odd(node) else node


def _is_odd(node: Any) -> bool:
    return isinstance(node, str) and not _WORDS.fullmatch(node)

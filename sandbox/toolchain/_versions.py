"""Versions: which are pinned for a build or a download, which are new enough, and how programs print theirs."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Version = tuple[int, int, int]


def parse_version(text: str) -> Version | None:
    """Read the first version in `text` ("v3.259.0", "go version go1.26 linux/amd64"); None without one."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    if match is None:
        return None
    major, minor, patch = match.groups(default="0")
    return int(major), int(minor), int(patch)


def format_version(version: Version) -> str:
    """Write a version as "3.259.0"."""
    return ".".join(map(str, version))


@dataclass(frozen=True)
class GoModule:
    """A Go module of ours: a go.mod that pins what we build and everything that is built from, and its go.sum."""

    folder: Path

    @property
    def minimum_go(self) -> Version:
        """The oldest Go that can build what is pinned."""
        return self._directive(r"^go (\S+)$")

    @property
    def pins(self) -> tuple[bytes, bytes]:
        """The contents of go.mod and go.sum."""
        return (self.folder / "go.mod").read_bytes(), (self.folder / "go.sum").read_bytes()

    def version_of(self, module: str) -> Version:
        """Give the version at which `module` is pinned."""
        return self._directive(rf"^\s*(?:require )?{re.escape(module)} v(\S+)")

    @cached_property
    def _text(self) -> str:
        return (self.folder / "go.mod").read_text(encoding="utf-8")

    def _directive(self, pattern: str) -> Version:
        match = re.search(pattern, self._text, re.MULTILINE)
        version = parse_version(match[1]) if match else None
        assert version is not None, f"{pattern} is not in {self.folder / 'go.mod'}"
        return version


GO_MODULES = Path(__file__).parent / "go"
PULUMI = GoModule(GO_MODULES / "pulumi")
KUBERNETES = GoModule(GO_MODULES / "kubernetes")

"""Versions: which Pulumi is built or downloaded, which is new enough, and how programs print theirs."""

import re
from pathlib import Path

Version = tuple[int, int, int]

MINIMUM_PULUMI: Version = (3, 227, 0)
"""Oldest `pulumi` on PATH that is used: the first with documented exit codes, which drift detection reads
(https://www.pulumi.com/docs/iac/cli/exit-codes/)."""

GO_MODULE = Path(__file__).parent / "go" / "pulumi"
"""The Go module that pins Pulumi and everything it is built from."""


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


def pinned_pulumi() -> Version:
    """Give the version of Pulumi that `go.mod` pins."""
    return _directive(r"^\s*github\.com/pulumi/pulumi/pkg/v3 v(\S+)")


def minimum_go() -> Version:
    """Give the oldest Go that can build what `go.mod` pins."""
    return _directive(r"^go (\S+)$")


def _directive(pattern: str) -> Version:
    text = (GO_MODULE / "go.mod").read_text(encoding="utf-8")
    match = re.search(pattern, text, re.MULTILINE)
    version = parse_version(match[1]) if match else None
    assert version is not None, f"{pattern} is not in go.mod"
    return version

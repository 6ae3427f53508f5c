"""What an import could not express, object by object."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["source", "destination", "connection", "connector"]


@dataclass(frozen=True)
class Finding:
    """One thing about one object."""

    kind: Kind
    name: str
    id: str
    what: str
    """A clause, without a full stop."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.id}): {self.what}."


@dataclass
class Report:
    """The outcome of an import."""

    left_out: list[Finding] = field(default_factory=list)
    """Objects without a file: they stay in Airbyte as they are, and no stack will know them."""
    not_in_file: list[Finding] = field(default_factory=list)
    """Settings that stay in Airbyte as they are, of objects that do have a file."""

    @property
    def complete(self) -> bool:
        """Whether the files say everything."""
        return not (self.left_out or self.not_in_file)

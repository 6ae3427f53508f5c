"""What the servicer asks of whoever takes care of a type of resource: objects, or releases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.plugins.kubernetes.paths import outermost
from sandbox.plugins.kubernetes.shape import Difference
from sandbox.plugins.resource import PluginError
from sandbox.plugins.values import Path, Properties, Value

INPUTS = "__inputs"
"""Where state keeps what was declared, beside what is live: the official plugin's place for it."""


@dataclass(frozen=True)
class Document:
    """Properties, and the paths of what is secret in them."""

    values: Properties
    secrets: frozenset[Path] = frozenset()

    @property
    def inputs(self) -> Properties:
        """What was declared, when this is a state."""
        declared = self.values.get(INPUTS)
        return declared if isinstance(declared, dict) else {}

    @property
    def live(self) -> Properties:
        """What was there, when this is a state."""
        return {key: value for key, value in self.values.items() if not key.startswith("__")}


@dataclass(frozen=True)
class Naming:
    """How to name what the program leaves unnamed."""

    resource: str
    """The resource's name in the program."""
    proposed: str
    """The engine's proposal, or ours."""
    refused: bool = False
    """The stack's configuration wants every name spelled out."""


@dataclass(frozen=True)
class Checked:
    """What a check makes of a declaration."""

    inputs: Document
    failures: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Comparison:
    """What an update has to change, and whether that makes a new resource."""

    changes: Sequence[Difference]
    replacing: frozenset[Path] = frozenset()
    delete_first: bool = False


@dataclass(frozen=True)
class Made:
    """A resource as it is now; in a preview the id is empty."""

    identifier: str
    state: Document


@dataclass(frozen=True)
class Found:
    """A live resource, and what a program would declare to get it."""

    identifier: str
    state: Document
    inputs: Document


class HalfMadeError(PluginError):
    """It is there, but not as it should be: state has to keep it all the same."""

    def __init__(self, message: str, made: Made) -> None:
        super().__init__(message)
        self.made = made


class Handler(ABC):
    """Takes care of the resources of one type.

    ``state`` is what the engine holds, ``inputs`` what a check made of the program's declaration.
    """

    noun: str

    @abstractmethod
    def check(self, declared: Document, before: Properties, naming: Naming) -> Checked:
        """What will be asked for, with names and defaults filled in; `before` are the inputs of last time."""

    @abstractmethod
    def compare(self, state: Document, inputs: Document) -> Comparison:
        """In what the declaration differs from the live resource as state knows it."""

    @abstractmethod
    def create(self, inputs: Document, seconds: float, *, preview: bool) -> Made:
        """Make it and wait until it is ready; raises HalfMadeError when it does not become so."""

    @abstractmethod
    def read(self, identifier: str, state: Document, inputs: Document) -> Found | None:
        """The live resource, None when it is gone; an import brings neither state nor inputs."""

    @abstractmethod
    def update(
        self, state: Document, inputs: Document, ignored: Sequence[Path], seconds: float, *, preview: bool
    ) -> Made:
        """Bring it to what is declared, but for the ignored paths."""

    @abstractmethod
    def delete(self, state: Document, seconds: float) -> None:
        """Remove it and wait until it is gone; fine when it is gone already."""


def at(values: Value, path: Path) -> bool:
    """Whether there is something at `path`."""
    for step in path:
        if isinstance(values, dict) and step in values:
            values = values[step]
        else:
            return False
    return True


def checkpoint(live: Properties, inputs: Document, own: Properties, more: frozenset[Path] = frozenset()) -> Document:
    """The state of a resource: what is live, what was declared, and our `own` notes.

    What was declared as a secret is one in both places, and so is what `more` names.
    """
    values = {**live, INPUTS: inputs.values, **own}
    paths = {path for path in inputs.secrets | more if at(live, path)}
    paths |= {(INPUTS, *path) for path in inputs.secrets | more if at(inputs.values, path)}
    return Document(values, outermost(paths))

"""What every resource can do, without Pulumi: the shell in provider.py hands these to the engine."""

from dataclasses import dataclass
from typing import Any, Protocol

from dynamic_providers.values import Properties, is_unknown


@dataclass(frozen=True)
class Checked:
    """Inputs in canonical form, and what is wrong with them, a paragraph each."""

    inputs: Properties
    failures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """Which inputs differ, and which of those need a new object."""

    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False


@dataclass(frozen=True)
class Live:
    """A resource as the server has it: in the program's terms, and with what only the server knows."""

    inputs: Properties
    outputs: Properties


class Resource(Protocol):
    """The life of one kind of resource. `id_` is the server's id, `olds` are last outputs, `news` new inputs.

    ``check`` and ``diff`` may see values that are not known yet. ``check`` and ``read`` change nothing on the
    server, and ``diff`` does not even ask it. All raise AirbyteError.
    """

    def check(self, olds: Properties, news: Properties) -> Checked:
        """Validate and put into canonical form; `olds` are the last inputs."""

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:
        """Compare in canonical form."""

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Make it, or take over the one that an interrupted run made; gives id and outputs."""

    def read(self, id_: str, olds: Properties) -> Live | None:
        """What the server has; None where it is gone."""

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Make the server's like the program's; gives outputs."""

    def delete(self, id_: str, olds: Properties) -> None:
        """Delete it; already gone is fine."""


def present(inputs: Properties) -> Properties:
    """The inputs without those that are empty, so that previews show what the program says and no more."""
    return {key: value for key, value in inputs.items() if is_unknown(value) or value not in (None, False, [], {}, "")}


def changed_keys(olds: Properties, news: Properties, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys whose values differ; an unknown value differs from a known one, absent and empty do not."""
    return tuple(key for key in keys if _or_none(olds.get(key)) != _or_none(news.get(key)))


def _or_none(value: Any) -> Any:
    return value if is_unknown(value) else value or None

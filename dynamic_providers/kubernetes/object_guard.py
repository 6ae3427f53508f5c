"""The stack's own objects, held to what was declared where Pulumi's provider does not look.

That one compares what was declared with the live object at the places that were declared. A rule added to the end of
a NetworkPolicy's list, or an `egress` put into a policy that declares none, is at no such place: a refresh does not
show it, and no update takes it away. For a policy it is the change that matters most.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from dynamic_providers.crud import Checked, Difference, Live, changed_keys
from dynamic_providers.kubernetes.cluster import connect
from dynamic_providers.kubernetes.objects import Objects, readable_errors
from dynamic_providers.values import Properties


@dataclass(frozen=True)
class ObjectGuardResource:
    """Inputs: ``namespace``, ``__objects`` in the API's own form, ``context``; and ``drift``, which no program sets."""

    connect: Callable[[str | None], Any] = connect

    def check(self, olds: Properties, news: Properties) -> Checked:  # noqa: ARG002
        """A program declares that there is no drift."""
        return Checked({**news, "drift": {}})

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """Drift that a refresh found is a change back."""
        replaces = changed_keys(olds, news, ("namespace",))
        return Difference((*changed_keys(olds, news, ("__objects", "drift")), *replaces), replaces)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Hold them to what they are from now on."""
        return str(news["namespace"]), self._mend(news)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG002
        """Put back what differs, and take away what was added."""
        return self._mend(news)

    def read(self, id_: str, olds: Properties) -> Live | None:  # noqa: ARG002
        """What differs now."""
        with _errors(olds):
            found = self._objects(olds).drift()
        return Live({**olds, "drift": found}, {**olds, "drift": found})

    def delete(self, id_: str, olds: Properties) -> None:
        """The objects have resources of their own."""

    def _mend(self, news: Properties) -> Properties:
        with _errors(news):
            self._objects(news).mend()
        return {**news, "drift": {}}

    def _objects(self, props: Properties) -> Objects:
        return Objects(self.connect(props.get("context")), props["namespace"], props["__objects"])


def _errors(props: Properties) -> AbstractContextManager[None]:
    return readable_errors(f"the platform in the namespace {props['namespace']}")

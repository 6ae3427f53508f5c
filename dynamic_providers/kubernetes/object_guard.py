"""The stack's own objects, held to what was declared where Pulumi's provider does not look.

That one compares what was declared with the live object at the places that were declared. A rule added to the end of
a NetworkPolicy's list, or an `egress` put into a policy that declares none, is at no such place: a refresh does not
show it, and no update takes it away. For a policy it is the change that matters most.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import DynamicApiError, ResourceNotFoundError
from urllib3.exceptions import HTTPError

from dynamic_providers.crud import Checked, Difference, Live, changed_keys
from dynamic_providers.kubernetes.cluster import ClusterError, connect, reason
from dynamic_providers.kubernetes.release_guard import Cluster
from dynamic_providers.kubernetes.releases import Release
from dynamic_providers.values import Properties

_ATTEMPTS = 3


@dataclass(frozen=True)
class ObjectGuardResource:
    """Inputs: ``namespace``, ``objects`` in the API's own form, ``context``; and ``drift``, which no program sets."""

    connect: Callable[[str | None], Any] = connect

    def check(self, olds: Properties, news: Properties) -> Checked:  # noqa: ARG002
        """A program declares that there is no drift."""
        return Checked({**news, "drift": {}})

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """Drift that a refresh found is a change back."""
        replaces = changed_keys(olds, news, ("namespace",))
        return Difference((*changed_keys(olds, news, ("objects", "drift")), *replaces), replaces)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Hold them to what they are from now on."""
        return str(news["namespace"]), self._mend(news)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG002
        """Put back what differs, and take away what was added."""
        return self._mend(news)

    def read(self, id_: str, olds: Properties) -> Live | None:  # noqa: ARG002
        """What differs now."""
        with _readable(olds):
            cluster = Cluster(self.connect(olds.get("context")))
            found = {finding.name: finding.fields for finding in cluster.compare(_declared(olds))}
        return Live({**olds, "drift": found}, {**olds, "drift": found})

    def delete(self, id_: str, olds: Properties) -> None:
        """The objects have resources of their own."""

    def _mend(self, news: Properties) -> Properties:
        declared = _declared(news)
        with _readable(news):
            cluster = Cluster(self.connect(news.get("context")))
            for _ in range(_ATTEMPTS):
                findings = cluster.compare(declared)
                for finding in findings:
                    cluster.mend(finding, declared.namespace)
                if not findings:
                    return {**news, "drift": {}}
        names = ", ".join(finding.name for finding in findings)
        raise ClusterError(
            f"What was put back in the namespace {declared.namespace} did not stay: {names}. Somebody, perhaps a "
            "controller, sets it again: stop that, or declare it in the platform's settings."
        )


def _declared(props: Properties) -> Release:
    return Release(props["namespace"], props["namespace"], 0, "", tuple(props["objects"]))


@contextmanager
def _readable(props: Properties) -> Iterator[None]:
    """What the cluster's client raises, as one paragraph."""
    try:
        yield
    except (ApiException, DynamicApiError, HTTPError, ResourceNotFoundError) as error:
        raise ClusterError(
            f"The platform's objects in the namespace {props['namespace']} can't be compared: {reason(error)}. "
            "Comparing applies them in a dry run, which needs the verbs get and patch on them."
        ) from None

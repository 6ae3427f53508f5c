"""Which cluster it is that a kubeconfig leads to, so that a stack stays with its own.

A kubeconfig is everybody's own, and its contexts are chosen in passing; namespaces and releases have the same names in
development and in production. A cluster has no name of its own, and is known by the uid of its namespace kube-system
(`k8s.cluster.uid` in https://opentelemetry.io/docs/specs/semconv/resource/k8s/#cluster).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from dynamic_providers.crud import Checked, Difference, Live, changed_keys
from dynamic_providers.kubernetes.cluster import ClusterError, connect, reason
from dynamic_providers.values import UNKNOWN, Properties, is_unknown

_SECONDS = 5
"""A preview must not wait for a cluster that it can't reach; whoever needs the cluster says so."""


def uid(api: Any) -> str:
    """Of the cluster behind a connection. Raises ClusterError where it does not tell."""
    try:
        found = CoreV1Api(api).read_namespace("kube-system", _request_timeout=_SECONDS)
    except (ApiException, HTTPError) as error:
        raise ClusterError(
            f"The cluster does not say which one it is: {reason(error)}. "
            "It is known by the uid of its namespace kube-system, so that one must be readable."
        ) from None
    return str(found.metadata.uid)


@dataclass(frozen=True)
class ClusterIdentityResource:
    """Inputs: ``context``, and ``uid`` where the program says it; else it is that of the first cluster."""

    connect: Callable[..., Any] = connect

    def check(self, olds: Properties, news: Properties) -> Checked:
        """Refuse another cluster, before anything that hangs on this resource is looked at."""
        expected = news.get("uid") or olds.get("uid")
        live = _reachable(self.connect, news)
        trouble = _another(live, expected)
        return Checked({**news, "uid": expected or live or UNKNOWN}, (trouble,) if trouble else ())

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """Another uid is another cluster."""
        changed = changed_keys(olds, news, ("uid", "context"))
        return Difference(changed, tuple(key for key in changed if key == "uid"))

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Remember the cluster."""
        found = self._verified(news)
        return found, {**news, "uid": found}

    def read(self, id_: str, olds: Properties) -> Live | None:  # noqa: ARG002
        """The same cluster. Raises ClusterError where it is another, in which a refresh would find nothing."""
        self._verified(olds)
        return Live(olds, olds)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG002
        """Another context's name for the same cluster."""
        return {**news, "uid": self._verified(news)}

    def delete(self, id_: str, olds: Properties) -> None:
        """Nothing of ours is in the cluster."""

    def _verified(self, props: Properties) -> str:
        live = uid(self.connect(props.get("context")))
        if trouble := _another(live, props.get("uid")):
            raise ClusterError(trouble)
        return live


def refuse_another(connect: Callable[..., Any], props: Properties) -> None:
    """Raise ClusterError where a kubeconfig leads to another cluster than ``cluster`` in `props` says.

    One that can't be reached can't be harmed either.
    """
    if props.get("cluster") and (trouble := _another(_reachable(connect, props), props["cluster"])):
        raise ClusterError(trouble)


def _reachable(connect: Callable[..., Any], props: Properties) -> str | None:
    """The cluster's uid, if it can be reached and tells."""
    try:
        return uid(connect(props.get("context"), retry=False))
    except ClusterError:
        return None


def _another(live: str | None, expected: Any) -> str:
    """What to say where both are known and differ; else nothing."""
    if not live or not expected or is_unknown(expected) or live == expected:
        return ""
    return (
        f"The kubeconfig leads to another cluster than the one that this stack is for: the uid of its namespace "
        f"kube-system is {live} and not {expected}. Nothing was done there. Set KUBECONFIG, or the context, to the "
        "right one. Where a new cluster takes the old one's place, see the stack's setting platform.clusterUid."
    )

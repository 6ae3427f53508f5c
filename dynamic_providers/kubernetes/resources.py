"""The resources a Pulumi program declares.

::

    ReleaseGuard("airbyte", namespace="airbyte", release=release.name, revision=release.status.revision)
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from dynamic_providers.kubernetes.provider import (
    ClusterIdentityProvider,
    ObjectGuardProvider,
    ReleaseGuardProvider,
)


class ClusterIdentity(Resource, module="kubernetes", name="ClusterIdentity"):
    """The cluster that the kubeconfig leads to, and no other from then on: what depends on it is not touched there.

    `uid` is that of the namespace kube-system; left out, the cluster that the first `up` finds is the one. `context` is
    one of the kubeconfig's; None for the current one.
    """

    uid: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        uid: pulumi.Input[str] | None = None,
        context: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(ClusterIdentityProvider(), name, {"uid": uid, "context": context}, opts)


class ReleaseGuard(Resource, module="kubernetes", name="ReleaseGuard"):
    """Holds the objects inside a Helm release to what was released: a refresh sees what deviates, an up mends it.

    Every field that was released is watched, and fields that somebody added to specifications, data and rules; labels
    and annotations that others add, and what a rollout restart leaves, are not drift. `revision` is the release's, so
    that each upgrade is looked at. `context` is one of the kubeconfig's; None for the current one. `cluster` is the uid
    of a ClusterIdentity: a destroy stops here, before it touches another cluster.
    """

    chart: pulumi.Output[str]
    """Name and version of what is deployed, as airbyte-2.2.0."""
    objects: pulumi.Output[int]
    """How many are watched."""

    def __init__(
        self,
        name: str,
        *,
        namespace: pulumi.Input[str],
        release: pulumi.Input[str],
        revision: pulumi.Input[int],
        context: pulumi.Input[str] | None = None,
        cluster: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "namespace": namespace,
            "release": release,
            "revision": revision,
            "context": context,
            "cluster": cluster,
            "drift": {},
            "chart": None,
            "objects": None,
        }
        super().__init__(ReleaseGuardProvider(), name, props, opts)


class ObjectGuard(Resource, module="kubernetes", name="ObjectGuard"):
    """Holds objects that the program declares elsewhere to what they are there, and to nothing besides.

    Pulumi's provider shows what was changed at places that were declared, and nothing that was added at others, such
    as one more rule in a NetworkPolicy. `objects` are in the API's own form; `context` is one of the kubeconfig's.
    """

    def __init__(
        self,
        name: str,
        *,
        namespace: pulumi.Input[str],
        objects: pulumi.Input[Sequence[pulumi.Input[Mapping[str, Any]]]],
        context: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "namespace": namespace,
            # The engine prints no property with two underscores, which here would be all objects in full, a thousand
            # lines around each drift. What the program changes about them shows at their own resources.
            "__objects": objects,
            "context": context,
            "drift": {},
        }
        super().__init__(ObjectGuardProvider(), name, props, opts)

"""Objects of any kind, held to what was declared: what differs, and how it is put back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import (
    DynamicApiError,
    NotFoundError,
    ResourceNotFoundError,
    UnprocessibleEntityError,
)
from urllib3.exceptions import HTTPError

from dynamic_providers.kubernetes import drift
from dynamic_providers.kubernetes.cluster import ClusterError, reason
from dynamic_providers.kubernetes.drift import FIELD_MANAGER, Deviation
from dynamic_providers.kubernetes.releases import Object

Drift = dict[str, dict[str, str]]
"""Object -> field -> what it is and what it should be: ``{"Deployment/airbyte-server": {"spec.replicas": "3, …"}}``."""

_ATTEMPTS = 3
"""Writes meet those of the cluster's controllers, and are then tried on the newer object."""


@dataclass(frozen=True)
class Finding:
    """An object that is not as declared; without deviations, it is not there at all."""

    declared: Object
    deviations: tuple[Deviation, ...] = ()

    @property
    def name(self) -> str:
        """Kind and name, as kubectl writes them."""
        return f"{self.declared['kind']}/{self.declared['metadata']['name']}"

    @property
    def fields(self) -> dict[str, str]:
        """Field -> what is wrong with it."""
        return {each.label: each.text for each in self.deviations} or {"(object)": "deleted"}


class Objects:
    """Declared objects in a namespace of a cluster; `api` is a `kubernetes.client.ApiClient`."""

    def __init__(self, api: Any, namespace: str, declared: Sequence[Object]) -> None:
        # The client's own choice is a file below /tmp that outlives the cluster, and that anybody can put there.
        self._discovered = TemporaryDirectory()
        self._client = DynamicClient(api, cache_file=str(Path(self._discovered.name) / "discovered.json"))
        self._namespace, self._declared = namespace, declared

    def drift(self) -> Drift:
        """What is not as declared. Changes nothing."""
        return {finding.name: finding.fields for finding in self._findings()}

    def mend(self) -> None:
        """Put back what differs and take away what was added; raises ClusterError where that does not last."""
        for _ in range(_ATTEMPTS):
            findings = self._findings()
            if not findings:
                return
            for finding in findings:
                self._mend(finding)
        remaining = "; ".join(
            f"{finding.name}: {field} is {text}" for finding in findings for field, text in finding.fields.items()
        )
        raise ClusterError(
            f"What was put back in the namespace {self._namespace} did not stay: {remaining}. Somebody, perhaps a "
            "controller, sets it again: stop that, or declare the value in the platform's settings."
        )

    def _findings(self) -> list[Finding]:
        findings = [self._compare(declared) for declared in self._declared]
        return [finding for finding in findings if finding is not None]

    def _compare(self, declared: Object) -> Finding | None:
        kind, where = self._kind(declared)
        try:
            live: Object = self._client.get(kind, name=declared["metadata"]["name"], **where).to_dict()
        except NotFoundError:
            return Finding(declared)
        found = drift.deviations(declared, live, self._as_declared(declared, live))
        return Finding(declared, tuple(found)) if found else None

    def _as_declared(self, declared: Object, live: Object) -> Object:
        """The live object with what was declared put right, as the server would have it."""
        try:
            applied: Object = self._apply(declared, dry_run="All")
            return applied
        except UnprocessibleEntityError:
            # What was added may not go together with what was declared: `privileged` with no privilege escalation.
            # Then a dry run of creating it says how the server spells what was declared.
            kind, where = self._kind(declared)
            name = f"{declared['metadata']['name'][:40]}-as-declared"
            alone = {**declared, "metadata": {**declared["metadata"], "name": name}}
            spelled = self._client.create(kind, body=alone, dry_run="All", **where).to_dict()
            overlaid: Object = drift.overlaid(alone, spelled, live)
            return overlaid

    def _mend(self, finding: Finding) -> None:
        added = [deviation for deviation in finding.deviations if deviation.added is not None]
        if added:
            self._remove(finding, added)
        if len(added) < len(finding.deviations) or not finding.deviations:
            self._apply(finding.declared)

    def _remove(self, finding: Finding, added: list[Deviation]) -> None:
        kind, where = self._kind(finding.declared)
        # From the end of each list, so that the positions of those still to be removed stay what they are; and only
        # what was seen, should somebody be writing at the same time.
        patch = []
        for each in sorted(added, key=lambda each: _last_first(each.path), reverse=True):
            path = "".join(f"/{_escaped(step)}" for step in each.path)
            patch += [{"op": "test", "path": path, "value": each.added}, {"op": "remove", "path": path}]
        self._client.patch(
            kind,
            body=patch,
            name=finding.declared["metadata"]["name"],
            content_type="application/json-patch+json",
            field_manager=FIELD_MANAGER,
            **where,
        )

    def _apply(self, declared: Object, **options: Any) -> Any:
        kind, where = self._kind(declared)
        return self._client.server_side_apply(
            kind,
            body=declared,
            name=declared["metadata"]["name"],
            field_manager=FIELD_MANAGER,
            force_conflicts=True,
            **where,
            **options,
        ).to_dict()

    def _kind(self, declared: Object) -> tuple[Any, dict[str, str]]:
        kind = self._client.resources.get(api_version=declared["apiVersion"], kind=declared["kind"])
        named = (declared["metadata"].get("namespace") or self._namespace) if kind.namespaced else None
        return kind, {"namespace": named} if named else {}


def _last_first(path: tuple[drift.Step, ...]) -> tuple[tuple[int, int, str], ...]:
    return tuple((1, step, "") if isinstance(step, int) else (0, 0, step) for step in path)


def _escaped(step: drift.Step) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


@contextmanager
def readable_errors(what: str) -> Iterator[None]:
    """Turn what the cluster's client raises into ClusterError, one paragraph about the objects of `what`."""
    try:
        yield
    except (ApiException, DynamicApiError) as error:
        needs = (
            " Comparing reads Helm's Secrets and applies the objects in a dry run: whoever runs this needs list "
            "on Secrets, and get and patch on the objects."
            if error.status == 403
            else ""
        )
        raise ClusterError(f"The objects of {what} can't be compared: {reason(error)}.{needs}") from None
    except (HTTPError, ResourceNotFoundError) as error:
        raise ClusterError(f"The objects of {what} can't be compared: {reason(error)}.") from None

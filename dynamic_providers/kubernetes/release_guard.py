"""The objects inside a Helm release, held to what was released.

Pulumi's Release resource asks Helm, and Helm asks nobody: a Deployment scaled, edited or deleted by hand goes
unnoticed by a refresh, and a further `helm upgrade` with the same values leaves it so. The guard compares each
object with the live one, and puts back what differs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import DynamicApiError, NotFoundError, ResourceNotFoundError
from urllib3.exceptions import HTTPError

from dynamic_providers.crud import Checked, Difference, Live, changed_keys
from dynamic_providers.kubernetes import drift, releases
from dynamic_providers.kubernetes.cluster import ClusterError, connect, reason
from dynamic_providers.kubernetes.drift import FIELD_MANAGER, Deviation
from dynamic_providers.kubernetes.releases import Object, Release
from dynamic_providers.values import Properties

Drift = dict[str, dict[str, str]]
"""Object -> field -> what it is and what it should be: ``{"Deployment/airbyte-server": {"spec.replicas": "3, …"}}``."""

_ATTEMPTS = 3
"""Writes meet those of the cluster's controllers, and are then tried on the newer object."""


@dataclass(frozen=True)
class Finding:
    """An object that is not as released; without deviations, it is not there at all."""

    released: Object
    deviations: tuple[Deviation, ...] = ()

    @property
    def name(self) -> str:
        """Kind and name, as kubectl writes them."""
        return f"{self.released['kind']}/{self.released['metadata']['name']}"

    @property
    def fields(self) -> dict[str, str]:
        """Field -> what is wrong with it."""
        return {each.label: each.text for each in self.deviations} or {"(object)": "deleted"}


@dataclass(frozen=True)
class ReleaseGuardResource:
    """Inputs: ``namespace``, ``release``, ``revision``, ``context``; and ``drift``, which a program never sets.

    Outputs, beside those: ``chart``, ``objects``, how many are watched.
    """

    connect: Callable[[str | None], Any] = connect

    def check(self, olds: Properties, news: Properties) -> Checked:  # noqa: ARG002
        """A program declares that there is no drift."""
        return Checked({**news, "drift": {}})

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """Drift that a refresh found is a change back; another release is another guard."""
        replaces = changed_keys(olds, news, ("namespace", "release"))
        return Difference((*changed_keys(olds, news, ("revision", "drift")), *replaces), replaces)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Hold the release to itself from now on."""
        return f"{news['namespace']}/{news['release']}", self._mend(news)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG002
        """Put back what differs."""
        return self._mend(news)

    def read(self, id_: str, olds: Properties) -> Live | None:  # noqa: ARG002
        """What differs now; None where the release is gone."""
        with _ClusterErrors(olds):
            cluster = Cluster(self.connect(olds.get("context")))
            release = releases.deployed(cluster.api, olds["namespace"], olds["release"])
            if release is None:
                return None
            found = {finding.name: finding.fields for finding in cluster.compare(release)}
        inputs = {key: value for key, value in olds.items() if key not in ("chart", "objects")}
        return Live({**inputs, "drift": found}, {**olds, **_facts(release), "drift": found})

    def delete(self, id_: str, olds: Properties) -> None:
        """The release is Helm's to delete."""

    def _mend(self, news: Properties) -> Properties:
        with _ClusterErrors(news):
            cluster = Cluster(self.connect(news.get("context")))
            release = releases.deployed(cluster.api, news["namespace"], news["release"])
            if release is None:
                raise ClusterError(
                    f"There is no release {news['namespace']}/{news['release']} in the cluster. "
                    "Run `pulumi refresh`, then `pulumi up`, which installs it."
                )
            for _ in range(_ATTEMPTS):
                findings = cluster.compare(release)
                for finding in findings:
                    cluster.mend(finding, release.namespace)
                if not findings:
                    return {**news, **_facts(release), "drift": {}}
        remaining = "; ".join(
            f"{finding.name}: {field} is {text}" for finding in findings for field, text in finding.fields.items()
        )
        raise ClusterError(
            f"What was put back in the release {release.namespace}/{release.name} did not stay: {remaining}. Somebody, "
            "perhaps a controller, sets it again: stop that, or declare the value in the platform's settings."
        )


def _facts(release: Release) -> Properties:
    return {"chart": release.chart, "objects": len(release.objects)}


class Cluster:
    """The objects of one cluster, of any kind."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self._client = DynamicClient(api)

    def compare(self, release: Release) -> list[Finding]:
        """Every object of the release that is not as released. Changes nothing."""
        findings = [self._compare(released, release.namespace) for released in release.objects]
        return [finding for finding in findings if finding is not None]

    def _compare(self, released: Object, namespace: str) -> Finding | None:
        kind, where = self._kind(released, namespace)
        try:
            live: Object = self._client.get(kind, name=released["metadata"]["name"], **where).to_dict()
        except NotFoundError:
            return Finding(released)
        applied: Object = self._apply(released, namespace, dry_run="All")
        found = drift.deviations(released, live, applied)
        return Finding(released, tuple(found)) if found else None

    def mend(self, finding: Finding, namespace: str) -> None:
        """Put back what differs, and take away what was added."""
        added = [deviation for deviation in finding.deviations if deviation.added is not None]
        if added:
            self._remove(finding, added, namespace)
        if len(added) < len(finding.deviations) or not finding.deviations:
            self._apply(finding.released, namespace)

    def _remove(self, finding: Finding, added: list[Deviation], namespace: str) -> None:
        kind, where = self._kind(finding.released, namespace)
        # From the end of each list, so that the positions of those still to be removed stay what they are; and only
        # what was seen, should somebody be writing at the same time.
        patch = []
        for each in sorted(added, key=lambda each: _last_first(each.path), reverse=True):
            path = "".join(f"/{_escaped(step)}" for step in each.path)
            patch += [{"op": "test", "path": path, "value": each.added}, {"op": "remove", "path": path}]
        self._client.patch(
            kind,
            body=patch,
            name=finding.released["metadata"]["name"],
            content_type="application/json-patch+json",
            field_manager=FIELD_MANAGER,
            **where,
        )

    def _apply(self, released: Object, namespace: str, **options: Any) -> Any:
        kind, where = self._kind(released, namespace)
        return self._client.server_side_apply(
            kind,
            body=released,
            name=released["metadata"]["name"],
            field_manager=FIELD_MANAGER,
            force_conflicts=True,
            **where,
            **options,
        ).to_dict()

    def _kind(self, released: Object, namespace: str) -> tuple[Any, dict[str, str]]:
        kind = self._client.resources.get(api_version=released["apiVersion"], kind=released["kind"])
        named = (released["metadata"].get("namespace") or namespace) if kind.namespaced else None
        return kind, {"namespace": named} if named else {}


def _last_first(path: tuple[drift.Step, ...]) -> tuple[tuple[int, int, str], ...]:
    return tuple((1, step, "") if isinstance(step, int) else (0, 0, step) for step in path)


def _escaped(step: drift.Step) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


class _ClusterErrors:
    """Turns what the cluster's client raises into one paragraph that names the release."""

    def __init__(self, props: Mapping[str, Any]) -> None:
        self._release = f"{props['namespace']}/{props['release']}"

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (ApiException, DynamicApiError)) and error.status == 403:
            raise ClusterError(
                f"The objects of the release {self._release} can't be compared: {reason(error)}. Comparing applies "
                "them in a dry run, so whoever runs `pulumi refresh` needs the verbs get and patch on them."
            ) from None
        if isinstance(error, (ApiException, DynamicApiError, HTTPError, ResourceNotFoundError)):
            raise ClusterError(
                f"The objects of the release {self._release} can't be compared: {reason(error)}."
            ) from None

"""The objects inside a Helm release, held to what was released.

Pulumi's Release resource asks Helm, and Helm asks nobody: a Deployment scaled, edited or deleted by hand goes
unnoticed by a refresh, and a further `helm upgrade` with the same values leaves it so. The guard compares each
object with the live one, and puts back what differs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dynamic_providers.crud import Checked, Difference, Live, changed_keys
from dynamic_providers.kubernetes import releases
from dynamic_providers.kubernetes.cluster import ClusterError, connect
from dynamic_providers.kubernetes.cluster_identity import refuse_another
from dynamic_providers.kubernetes.objects import Objects, readable_errors
from dynamic_providers.kubernetes.releases import Release
from dynamic_providers.values import Properties


@dataclass(frozen=True)
class ReleaseGuardResource:
    """Inputs: ``namespace``, ``release``, ``revision``, ``context``, ``cluster``; and ``drift``, which no program sets.

    Outputs, beside those: ``chart``, ``objects``, how many are watched.
    """

    connect: Callable[..., Any] = connect

    def check(self, olds: Properties, news: Properties) -> Checked:  # noqa: ARG002
        """A program declares that there is no drift."""
        return Checked({**news, "drift": {}})

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """Drift that a refresh found is a change back; another release is another guard."""
        replaces = changed_keys(olds, news, ("namespace", "release"))
        return Difference((*changed_keys(olds, news, ("revision", "cluster", "drift")), *replaces), replaces)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Hold the release to itself from now on."""
        return _name(news), self._mend(news)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG002
        """Put back what differs."""
        return self._mend(news)

    def read(self, id_: str, olds: Properties) -> Live | None:  # noqa: ARG002
        """What differs now; None where the release is gone."""
        with readable_errors(f"the release {_name(olds)}"):
            api = self.connect(olds.get("context"))
            release = releases.deployed(api, olds["namespace"], olds["release"])
            if release is None:
                return None
            found = Objects(api, release.namespace, release.objects).drift()
        inputs = {key: value for key, value in olds.items() if key not in ("chart", "objects")}
        return Live({**inputs, "drift": found}, {**olds, **_facts(release), "drift": found})

    def delete(self, id_: str, olds: Properties) -> None:  # noqa: ARG002
        """The release is Helm's to delete, next, and only from the cluster that it was installed in."""
        refuse_another(self.connect, olds)

    def _mend(self, news: Properties) -> Properties:
        with readable_errors(f"the release {_name(news)}"):
            api = self.connect(news.get("context"))
            release = releases.deployed(api, news["namespace"], news["release"])
            if release is None:
                raise ClusterError(
                    f"There is no release {_name(news)} in the cluster. "
                    "Run `pulumi refresh`, then `pulumi up`, which installs it."
                )
            Objects(api, release.namespace, release.objects).mend()
        return {**news, **_facts(release), "drift": {}}


def _name(props: Properties) -> str:
    return f"{props['namespace']}/{props['release']}"


def _facts(release: Release) -> Properties:
    return {"chart": release.chart, "objects": len(release.objects)}

"""Helm releases: ``kubernetes:helm.sh/v3:Release``.

As the official plugin's, a release sees its own record and nothing else: its chart's version, the values it was given,
its status. What somebody changes in the objects that it installed (``kubectl scale``, a deleted Deployment) is not
noticed here, neither by a refresh nor by an update.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sandbox.plugins.kubernetes.cluster import Cluster
from sandbox.plugins.kubernetes.handler import (
    Checked,
    Comparison,
    Document,
    Found,
    HalfMadeError,
    Handler,
    Made,
    Naming,
    at,
    checkpoint,
)
from sandbox.plugins.kubernetes.helm import Chart, Helm, HelmError, LiveRelease, Source, resource_names
from sandbox.plugins.kubernetes.shape import Difference, differences, pruned
from sandbox.plugins.resource import PluginError
from sandbox.plugins.values import UNKNOWN, Path, Properties, Value, is_known

_TIMEOUT_SECONDS: Final = 300
_REPOSITORY: Final = frozenset({"repo", "username", "password", "caFile", "certFile", "keyFile"})

_BOTH: Final[Mapping[str, str]] = {
    "atomic": "--atomic",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "renderSubchartNotes": "--render-subchart-notes",
    "takeOwnership": "--take-ownership",
}
_INSTALL: Final[Mapping[str, str]] = {
    **_BOTH,
    "createNamespace": "--create-namespace",
    "disableWebhooks": "--no-hooks",
    "replace": "--replace",
    "skipCrds": "--skip-crds",
}
_UPGRADE: Final[Mapping[str, str]] = {
    **_BOTH,
    "cleanupOnFail": "--cleanup-on-fail",
    "disableCRDHooks": "--no-hooks",
    "forceUpdate": "--force",
    "resetValues": "--reset-values",
    "reuseValues": "--reuse-values",
}
_FLAGS: Final = frozenset(_INSTALL) | frozenset(_UPGRADE)
_TEXTS: Final = frozenset({"chart", "description", "keyring", "name", "namespace", "version"})
_OTHERS: Final = frozenset(
    {
        "dependencyUpdate",
        "devel",
        "maxHistory",
        "repositoryOpts",
        "skipAwait",
        "timeout",
        "values",
        "verify",
        "waitForJobs",
    }
)
_COVERED: Final = _FLAGS | _TEXTS | _OTHERS
_WITHOUT_EFFECT: Final = frozenset({"allowNullValues", "compat", "manifest", "resourceNames"})
_REFUSED: Final[Mapping[str, str]] = {
    "lint": "run `helm lint` in CI",
    "postrender": "change the chart, or its values",
    "recreatePods": "Helm 3 knows no such thing; annotate the pod template with what should restart it",
    "valueYamlFiles": "read the files in the program and pass them as values",
}
_INPUTS: Final[Path] = ("__inputs",)


class Releases(Handler):
    """Releases of Helm."""

    noun = "Helm release"

    def __init__(self, cluster: Cluster, helm: Helm) -> None:
        self._cluster = cluster
        self._helm = helm

    # -- what is declared

    def check(self, declared: Document, before: Properties, naming: Naming) -> Checked:
        """The release with its name, namespace and the very version of its chart, which is fetched for that."""
        values = {key: value for key, value in declared.values.items() if value is not None}
        failures = list(_complaints(values))
        values = {key: value for key, value in values.items() if key in _COVERED}
        if values.get("name") in (None, ""):
            values["name"] = before.get("name") or naming.proposed
        if values.get("namespace") in (None, ""):
            values["namespace"] = self._cluster.namespace
        if values.get("skipAwait") is not True:
            values.setdefault("timeout", _TIMEOUT_SECONDS)
        values.setdefault("values", {})
        if not failures and is_known({key: value for key, value in values.items() if key != "values"}):
            try:
                values["version"] = self._chart(values).version
            except HelmError as error:
                failures.append(("chart", f"{error}. Check the chart's name and version, and its repository"))
        return Checked(Document(values, frozenset(path for path in declared.secrets if at(values, path))), failures)

    def compare(self, state: Document, inputs: Document) -> Comparison:
        """Which chart, values and options differ from the last revision, key path by key path."""
        shape = _merged(state.inputs, inputs.values)
        changes: list[Difference] = list(
            differences(pruned(state.live, shape, literally=True), inputs.values, literally=True)
        )
        replacing = frozenset(change.path for change in changes if change.path in (("name",), ("namespace",)))
        return Comparison(changes, replacing)

    def _chart(self, values: Properties) -> Chart:
        options: Mapping[str, Any] = values.get("repositoryOpts") or {}
        source = Source(
            values["chart"],
            values.get("version") or None,
            repo=options.get("repo") or None,
            username=options.get("username"),
            password=options.get("password"),
            ca_file=options.get("caFile"),
            cert_file=options.get("certFile"),
            key_file=options.get("keyFile"),
            devel=bool(values.get("devel")),
            verify=bool(values.get("verify")),
            keyring=values.get("keyring"),
            dependency_update=bool(values.get("dependencyUpdate")),
        )
        return self._helm.chart(source)

    # -- what is done

    def create(self, inputs: Document, seconds: float, *, preview: bool) -> Made:
        """Install it."""
        if preview:
            return Made("", _planned(inputs))
        self._reach()
        declared = inputs.values
        namespace, name = declared["namespace"], declared["name"]
        chart = self._chart(declared)
        there = self._helm.release(namespace, name)
        if there and not (declared.get("replace") and there.status in ("uninstalled", "failed")):
            raise PluginError(_in_the_way(there, name, namespace))
        try:
            self._helm.install(namespace, name, chart, declared["values"], _options(declared, _INSTALL, seconds))
        except HelmError as error:
            raise self._failed(inputs, "installed", error) from error
        return self._made(inputs)

    def read(self, identifier: str, state: Document, inputs: Document) -> Found | None:
        """What Helm's record says, which is not what the objects are."""
        self._reach()
        importing = not state.values
        namespace, _, name = identifier.rpartition("/")
        if not importing:
            namespace, name = state.live["namespace"], state.live["name"]
        live = self._helm.release(namespace or self._cluster.namespace, name)
        if live is None:
            return None
        if importing:
            taken = {
                "name": live.name,
                "namespace": live.namespace,
                "chart": live.chart,
                "version": live.version,
                "values": live.values,
                "timeout": _TIMEOUT_SECONDS,
            }
            inputs = Document(taken)
        return Found(identifier, _state(inputs, live, {} if importing else state.live), inputs)

    def update(
        self,
        state: Document,
        inputs: Document,
        ignored: Sequence[Path],  # noqa: ARG002 - the engine has put the old values in their place
        seconds: float,
        *,
        preview: bool,
    ) -> Made:
        """Upgrade it."""
        if preview:
            return Made("", _planned(inputs))
        self._reach()
        declared = inputs.values
        namespace, name = state.live["namespace"], state.live["name"]
        chart = self._chart(declared)
        there = self._helm.release(namespace, name)
        if there is None:
            raise PluginError("there is no such release any more. Run `pulumi refresh`, then update again")
        if there.status.startswith("pending-"):
            raise PluginError(_interrupted(there))
        options = _options(declared, _UPGRADE, seconds)
        if declared.get("maxHistory") is not None:
            options += ["--history-max", str(declared["maxHistory"])]
        try:
            self._helm.upgrade(namespace, name, chart, declared["values"], options)
        except HelmError as error:
            raise self._failed(inputs, "upgraded", error) from error
        return self._made(inputs)

    def delete(self, state: Document, seconds: float) -> None:
        """Uninstall it."""
        self._reach()
        live = state.live
        waits = live.get("atomic") or not live.get("skipAwait")
        options = ["--wait", "--timeout", _seconds(live, seconds)] if waits else []
        self._helm.uninstall(live["namespace"], live["name"], options)

    # -- inside

    def _reach(self) -> None:
        if self._cluster.unreachable:
            raise PluginError(self._cluster.unreachable)

    def _made(self, inputs: Document) -> Made:
        declared = inputs.values
        live = self._helm.release(declared["namespace"], declared["name"])
        if live is None:
            raise PluginError("helm reported success, but there is no such release. Somebody else may have removed it")
        return Made(f"{live.namespace}/{live.name}", _state(inputs, live, {}))

    def _failed(self, inputs: Document, done: str, error: HelmError) -> PluginError:
        """What to tell of a release that could not be written, and what is there of it now."""
        declared = inputs.values
        live = self._helm.release(declared["namespace"], declared["name"])
        said = f"it could not be {done}: {error}"
        if live is None:
            return PluginError(f"{said}. Nothing was left behind" if done == "installed" else said)
        left = f"{said}. Its revision {live.revision} is {live.status}"
        if live.status == "deployed":
            return PluginError(f"{left}, as before")
        return HalfMadeError(
            f"{left}; the next update upgrades it", Made(f"{live.namespace}/{live.name}", _state(inputs, live, {}))
        )


def _complaints(values: Properties) -> list[tuple[str, str]]:
    failures = []
    for name, value in sorted(values.items()):
        if name in _COVERED | _WITHOUT_EFFECT or value in (False, "", [], {}):
            continue
        advice = _REFUSED.get(name, f"it covers: {', '.join(sorted(_COVERED))}")
        failures.append((name, f"not covered by this stand-in provider: {advice}"))
    if values.get("chart") in (None, ""):
        failures.append(("chart", "is required"))
    options = values.get("repositoryOpts")
    if isinstance(options, dict):
        failures += [
            (f"repositoryOpts.{name}", f"unknown; there are: {', '.join(sorted(_REPOSITORY))}")
            for name in sorted(options.keys() - _REPOSITORY)
        ]
    return failures


def _options(declared: Properties, flags: Mapping[str, str], seconds: float) -> list[str]:
    options = [option for name, option in flags.items() if declared.get(name)]
    options += ["--description", declared["description"]] if declared.get("description") else []
    if not declared.get("skipAwait"):
        options += ["--wait", *(["--wait-for-jobs"] if declared.get("waitForJobs") else [])]
    return [*options, "--timeout", _seconds(declared, seconds)]


def _seconds(declared: Properties, seconds: float) -> str:
    return f"{int(declared.get('timeout') or seconds or _TIMEOUT_SECONDS)}s"


def _planned(inputs: Document) -> Document:
    """What a preview can tell of a release: not what its objects will be."""
    unknown = {"status": UNKNOWN, "resourceNames": UNKNOWN}
    return _secretive(checkpoint({**inputs.values, **unknown}, inputs, {}))


def _state(inputs: Document, live: LiveRelease, before: Properties) -> Document:
    """The release as it is. Where there was a state `before`, values that are gone since are not noticed."""
    known = before.get("values") if before else inputs.values.get("values")
    told = {
        **inputs.values,
        "values": _merged(known or {}, live.values),
        "version": live.version,
        "resourceNames": resource_names(live.manifest),
        "status": {
            "appVersion": live.app_version,
            "chart": live.chart,
            "name": live.name,
            "namespace": live.namespace,
            "revision": live.revision,
            "status": live.status,
            "version": live.version,
        },
    }
    return _secretive(checkpoint(told, inputs, {}))


def _secretive(state: Document) -> Document:
    """As in the official plugin, the copy of what was declared is secret as a whole."""
    outside = frozenset(path for path in state.secrets if path[:1] != _INPUTS)
    return Document(state.values, outside | {_INPUTS})


def _merged(one: Value, other: Value) -> Value:
    """Helm's merge: maps by key, anything else replaced."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return copy.deepcopy(other)
    both = {key: _merged(one[key], other[key]) for key in one.keys() & other.keys()}
    return {**copy.deepcopy(one), **copy.deepcopy({key: other[key] for key in other.keys() - one.keys()}), **both}


def _in_the_way(there: LiveRelease, name: str, namespace: str) -> str:
    if there.status.startswith("pending-"):
        return _interrupted(there)
    return (
        f"there is a release of that name already: revision {there.revision}, {there.status}. Take it into the stack "
        f"with `pulumi import kubernetes:helm.sh/v3:Release NAME {namespace}/{name}`, give this one another name, or "
        f"remove the other with `helm uninstall {name} --namespace {namespace}`"
    )


def _interrupted(there: LiveRelease) -> str:
    remedy = (
        f"helm uninstall {there.name} --namespace {there.namespace}"
        if there.status == "pending-install"
        else f"helm rollback {there.name} --namespace {there.namespace}"
    )
    return (
        f"its revision {there.revision} is {there.status}: an operation of helm is under way, or was killed half-way "
        f"and nobody can tell. If nothing works on it any more, run `{remedy}`, then update again"
    )

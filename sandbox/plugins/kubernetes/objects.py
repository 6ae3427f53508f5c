"""Any object of a cluster's API, by its group, version and kind."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from typing import Final

from sandbox.plugins.kubernetes import immutable, manifest
from sandbox.plugins.kubernetes.cluster import ApiError, ApiKind, Cluster
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
from sandbox.plugins.kubernetes.ownership import CREATOR, created_by_us, is_anothers, taken_over
from sandbox.plugins.kubernetes.readiness import NotReadyError, annotation, wait_until_gone, wait_until_ready
from sandbox.plugins.kubernetes.settings import Settings
from sandbox.plugins.kubernetes.shape import differences, pruned
from sandbox.plugins.resource import PluginError
from sandbox.plugins.values import Path, Properties, Value, is_known

_MANAGER: Final = "__fieldManager"
_VERSION: Final = "__initialApiVersion"
_FORCE: Final = "pulumi.com/patchForce"
_MANAGER_WANTED: Final = "pulumi.com/patchFieldManager"
_PROPAGATION: Final = "pulumi.com/deletionPropagationPolicy"
_WAIT_FOR: Final = "pulumi.com/waitFor"
_NAMESPACE_SECONDS: Final = 30
"""How long a create waits for a namespace that another resource of the same update is about to make."""

_ATTEMPTS: Final = 5
"""To note down who manages what while a controller writes the object's status."""

_APPLY: Final = "application/apply-patch+yaml"
_STRICT: Final = {"fieldValidation": "Strict"}
_DRY: Final = {"dryRun": "All"}


class Objects(Handler):
    """Objects of one kind.

    :param version: the API version of the type, ``v1`` or ``apps/v1``.
    :param new_manager: the field manager of an object that state knows none of.
    """

    def __init__(self, cluster: Cluster, settings: Settings, version: str, kind: str, new_manager: str) -> None:
        self.noun = kind
        self._cluster = cluster
        self._settings = settings
        self._version = version
        self._new_manager = new_manager

    # -- what is declared

    def check(self, declared: Document, before: Properties, naming: Naming) -> Checked:
        """The object with its version, kind, name and namespace; `metadata` failures otherwise."""
        values = manifest.normal({"apiVersion": self._version, "kind": self.noun, **declared.values})
        namespaced = self._cluster.is_namespaced(self._version, self.noun)
        wrong = manifest.fill_in(values, before, naming, self._cluster.namespace if namespaced else None)
        failures = [("metadata", wrong)] if wrong else []
        if annotation(values, _WAIT_FOR):
            failures.append(
                ("metadata", f"the annotation {_WAIT_FOR} is not covered by this stand-in, which waits by kind alone")
            )
        document = Document(values, declared.secrets)
        secrets = {path for path in manifest.secret_paths(document) if at(values, path)}
        return Checked(Document(values, frozenset(secrets)), failures)

    def compare(self, state: Document, inputs: Document) -> Comparison:
        """Place by place, in what the live object as state knows it differs; see :mod:`.shape`."""
        declared = manifest.normal(inputs.values)
        old = pruned(state.live, manifest.normal(state.inputs))
        metadata = declared.get("metadata")
        if isinstance(metadata, dict) and metadata.get("name") and isinstance(old.get("metadata"), dict):
            old["metadata"]["name"] = state.live["metadata"]["name"]
        for side in (old, declared):
            self._place(side)
        changes = [change for change in differences(old, declared) if change.path[0] != "status"]
        fixed = immutable.fixed_paths(
            declared,
            mutable_secrets=self._settings.mutable_secrets,
            mutable_config_maps=self._settings.mutable_config_maps,
        )
        replacing = frozenset(change.path for change in changes if immutable.replaces(change, fixed))
        stays = (manifest.name_of(declared), manifest.namespace_of(declared)) == (
            manifest.name_of(state.live),
            manifest.namespace_of(state.live),
        )
        own_name = annotation(declared, manifest.AUTONAMED) != "true"
        return Comparison(changes, replacing, delete_first=bool(replacing) and stays and own_name)

    def _place(self, values: Properties) -> None:
        """Spell out the namespace that is meant, or none for a kind that has none."""
        metadata = values.get("metadata")
        if not isinstance(metadata, dict):
            return
        if not self._cluster.is_namespaced(self._version, self.noun):
            metadata.pop("namespace", None)
        elif not metadata.get("namespace"):
            metadata["namespace"] = "default"

    # -- what is done

    def create(self, inputs: Document, seconds: float, *, preview: bool) -> Made:
        """Create it; what exists already is refused unless the provider adopts it."""
        if preview and (self._cluster.unreachable or not is_known(inputs.values)):
            return Made("", inputs)
        kind = self._kind(optional=preview)
        if kind is None:
            return Made("", inputs)
        try:
            live = self._post(kind, inputs.values, dry=preview)
        except ApiError as error:
            if preview and (error.missing_namespace or error.status == 403 or error.reason == "AlreadyExists"):
                return Made("", inputs)  # what a dry run can't tell, for what is missing may be made before
            raise self._refusal(error) from error
        if preview:
            live.pop("status", None)
            return Made("", self._state(live, inputs, self._new_manager))
        return self._ready(kind, live, inputs, self._new_manager, seconds)

    def _post(self, kind: ApiKind, values: Properties, *, dry: bool) -> Properties:
        collection = kind.path(manifest.namespace_of(values))
        if self._settings.adopt:
            return self._apply(kind, values, self._new_manager, force=self._forced(values), dry=dry)
        query = {"fieldManager": CREATOR, **_STRICT, **(_DRY if dry else {})}
        end = time.monotonic() + _NAMESPACE_SECONDS
        while True:
            try:
                return self._cluster.request("POST", collection, values, query)
            except ApiError as error:
                late = time.monotonic() > end or self._cluster.stopping.wait(0 if dry else 0.5)
                if dry or late or not error.missing_namespace:
                    raise

    def read(self, identifier: str, state: Document, inputs: Document) -> Found | None:
        """The live object, of which what was declared is compared; an import takes all that nobody else sets."""
        known = manifest.normal(inputs.values)
        namespace, _, name = identifier.rpartition("/")
        kind = self._kind(optional=True)
        if kind is None:
            return None
        if kind.namespaced and not namespace:
            namespace = str(manifest.namespace_of(known) or self._cluster.namespace)
        try:
            live = self._cluster.request("GET", kind.path(namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise self._refusal(error) from error
        importing = not inputs.values
        ours = manifest.importable(live) if importing else pruned(live, known)
        secrets = inputs.secrets | manifest.secret_parts(live)
        found = Document(ours, frozenset(path for path in secrets if at(ours, path)))
        return Found(identifier, self._state(live, found, self._manager(state, ours)), found)

    def update(
        self, state: Document, inputs: Document, ignored: Sequence[Path], seconds: float, *, preview: bool
    ) -> Made:
        """Apply it; fields that others manage are a conflict unless force was asked for."""
        if preview and (self._cluster.unreachable or not is_known(inputs.values)):
            return Made("", inputs)
        kind = self._kind(optional=preview)
        if kind is None:
            return Made("", inputs)
        path = kind.path(manifest.namespace_of(state.live), state.live["metadata"]["name"])
        manager = self._manager(state, inputs.values)
        try:
            live = self._cluster.request("GET", path) if preview else self._taken_over(path, manager)
            body = self._left_to_others(inputs.values, live, ignored, manager)
            force = self._forced(body) or (preview and created_by_us(live))
            live = self._apply(kind, body, manager, force=force, dry=preview)
        except ApiError as error:
            if preview and error.status == 403:
                return Made("", inputs)
            raise self._refusal(error) from error
        if preview:
            return Made("", self._state(live, inputs, manager))
        return self._ready(kind, live, inputs, manager, seconds)

    def _taken_over(self, path: str, manager: str) -> Properties:
        """The live object, whose fields that were ours under another name are now our manager's."""
        for attempt in range(_ATTEMPTS):
            live = self._cluster.request("GET", path)
            fields = taken_over(live, manager)
            if fields is None:
                break
            patch = [
                {"op": "replace", "path": "/metadata/managedFields", "value": fields},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
            ]
            try:
                return self._cluster.request("PATCH", path, patch, content_type="application/json-patch+json")
            except ApiError as error:
                if error.reason != "Conflict" or attempt == _ATTEMPTS - 1:
                    raise
        return live

    def _apply(self, kind: ApiKind, values: Properties, manager: str, *, force: bool, dry: bool) -> Properties:
        path = kind.path(manifest.namespace_of(values), str(manifest.name_of(values)))
        query = {"fieldManager": manager, "force": str(force).lower(), **_STRICT, **(_DRY if dry else {})}
        return self._cluster.request("PATCH", path, values, query, _APPLY)

    def delete(self, state: Document, seconds: float) -> None:
        """Delete it with what it owns (foreground, unless an annotation says otherwise)."""
        kind = self._kind(optional=True)
        if kind is None:
            return  # a custom resource whose definition is gone is gone with it
        declared, live = state.inputs, state.live
        path = kind.path(manifest.namespace_of(live), live["metadata"]["name"])
        policy = (annotation(declared, _PROPAGATION) or "foreground").capitalize()
        try:
            self._cluster.request("DELETE", path, query={"propagationPolicy": policy})
        except ApiError as error:
            if error.status == 404:
                return
            raise self._refusal(error) from error
        wait_until_gone(self._cluster, path, live["metadata"].get("uid", ""), declared, seconds)

    # -- inside

    def _kind(self, *, optional: bool) -> ApiKind | None:
        """The kind as the API server knows it; None for an `optional` one that may be defined later."""
        known = self._cluster.kind(self._version, self.noun)
        if known is not None or (optional and not self._built_in()):
            return known
        raise PluginError(
            f"the API server knows no kind {self.noun} in {self._version}. Check the version, or define the kind "
            "(a CustomResourceDefinition) before its objects, with `depends_on`"
        )

    def _built_in(self) -> bool:
        """Whether the kind is Kubernetes' own, so that nobody will define it later."""
        group = self._version.rpartition("/")[0]
        return "." not in group or group in ("rbac.authorization.k8s.io", "networking.k8s.io", "storage.k8s.io")

    def _manager(self, state: Document, values: Properties) -> str:
        return annotation(values, _MANAGER_WANTED) or str(state.values.get(_MANAGER) or self._new_manager)

    def _forced(self, values: Properties) -> bool:
        return self._settings.force or annotation(values, _FORCE) == "true"

    def _left_to_others(
        self, values: Properties, live: Properties, ignored: Sequence[Path], manager: str
    ) -> Properties:
        """The declared object with ignored fields as they are: left out where somebody else manages them."""
        body = copy.deepcopy(values)
        for path in ignored:
            holder, known = _value(body, path[:-1]), _value(live, path)
            if not isinstance(holder, dict) or known is None:
                continue
            if is_anothers(live, path, manager):
                holder.pop(path[-1], None)
            else:
                holder[path[-1]] = known
        return body

    def _ready(self, kind: ApiKind, live: Properties, inputs: Document, manager: str, seconds: float) -> Made:
        try:
            live = wait_until_ready(self._cluster, kind, live, inputs.values, seconds)
        except NotReadyError as error:
            made = Made(manifest.identifier(error.live), self._state(error.live, inputs, manager))
            raise HalfMadeError(str(error), made) from error
        except (ApiError, PluginError) as error:
            made = Made(manifest.identifier(live), self._state(live, inputs, manager))
            raise HalfMadeError(f"it was written, but could not be read back: {error}", made) from error
        return Made(manifest.identifier(live), self._state(live, inputs, manager))

    def _state(self, live: Properties, inputs: Document, manager: str) -> Document:
        own = {_MANAGER: manager, _VERSION: self._version}
        return checkpoint(live, inputs, own, manifest.secret_parts(live))

    def _refusal(self, error: ApiError) -> PluginError:
        said = str(error).rstrip(".")
        if error.reason == "AlreadyExists":
            return PluginError(
                f"{said}. Take it into the stack with the option import_ (or `pulumi import`), give this one another "
                "name, delete the other, or set upsertExistingObjects on the provider to update what is there"
            )
        if error.reason == "Conflict" and "conflict with" in said:
            return PluginError(
                f"{said}. Who is named there changed these fields since. Leave them to them (ignore_changes), or take "
                f'them back with the annotation {_FORCE}: "true" or the provider\'s enablePatchForce'
            )
        return PluginError(said)


def _value(values: Value, path: Path) -> Value:
    for step in path:
        if isinstance(values, dict):
            values = values.get(step)
        elif isinstance(values, list) and isinstance(step, int) and step < len(values):
            values = values[step]
        else:
            return None
    return values

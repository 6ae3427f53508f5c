"""A connection with an API server: requests, discovery, and errors in its own words.

The official client reads the kubeconfig (certificates, tokens, exec plugins) and carries the requests. Its dynamic
client is not used: it leaves what it discovered in a file of the temporary folder, where it outlives the cluster, and
knows no ``fieldValidation``.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from sandbox.plugins.kubernetes.kubeconfig import expanded, is_path
from sandbox.plugins.resource import PluginError
from sandbox.plugins.values import Properties

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

_REQUEST_SECONDS: Final = (10, 60)
"""To connect, and to wait for an answer."""

_CLUSTER_SCOPED: Final = frozenset(
    [
        "APIService",
        "ClusterRole",
        "ClusterRoleBinding",
        "CSIDriver",
        "CSINode",
        "CustomResourceDefinition",
        "FlowSchema",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
    ]
)
"""Built-in kinds without a namespace: for when there is no API server to ask."""


class ApiError(Exception):
    """What the API server refused, and why in its words."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason

    @property
    def missing_namespace(self) -> bool:
        """Whether the namespace is what isn't there."""
        return self.status == 404 and str(self).startswith("namespaces ")


class UnreachableError(PluginError):
    """There is no API server to talk to."""


@dataclass(frozen=True)
class ApiKind:
    """A kind of object as the API server knows it."""

    version: str
    name: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str = "") -> str:
        """Where the object is, or the collection when it has no name yet."""
        root = "/api/v1" if self.version == "v1" else f"/apis/{self.version}"
        place = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}{place}/{self.plural}" + (f"/{name}" if name else "")


class Cluster:
    """The cluster that a kubeconfig names.

    :param kubeconfig: a path, several joined by ``:``, or the contents; None for ``~/.kube/config``.
    :param context: the context of it; None for its current one.
    :param namespace: the namespace of objects that name none; None for the context's, or ``default``.
    """

    def __init__(self, kubeconfig: str | None, context: str | None = None, namespace: str | None = None) -> None:
        self.context = context
        self.stopping = threading.Event()
        self._folder = tempfile.TemporaryDirectory(prefix="kubernetes-plugin-")
        self._lock = threading.Lock()
        self._kinds: dict[str, dict[str, ApiKind] | None] = {}
        self._client: ApiClient | None = None
        self.kubeconfig_file = self._file_of(kubeconfig)
        self.namespace = namespace or "default"
        self.unreachable: str | None = None
        try:
            self._client, its_namespace = _client(self.kubeconfig_file, context)
            self.namespace = namespace or its_namespace or "default"
            self.request("GET", "/version")
        except (ApiError, UnreachableError) as error:
            self.unreachable = str(error)

    @property
    def folder(self) -> Path:
        """A private folder that ends with the connection."""
        return Path(self._folder.name)

    def close(self) -> None:
        """Let go of the connection and of what was written down for it."""
        self.stopping.set()
        self._folder.cleanup()

    def _file_of(self, kubeconfig: str | None) -> str | None:
        """The kubeconfig as a path; contents are written to a file that only we can read."""
        if not kubeconfig:
            return None
        if is_path(kubeconfig):
            return expanded(kubeconfig)
        path = self.folder / "kubeconfig"
        path.touch(mode=0o600)
        path.write_text(kubeconfig)
        return str(path)

    # -- requests

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Properties:
        """The API server's answer. Raises :class:`ApiError` or :class:`UnreachableError`."""
        from urllib3.exceptions import HTTPError

        if self._client is None:
            raise UnreachableError(self.unreachable or "There is no cluster.")
        request = self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._client.call_api(*request, _request_timeout=_REQUEST_SECONDS)
            text = response.read() or b"{}"
        except (HTTPError, OSError) as error:
            raise UnreachableError(
                f"The Kubernetes cluster at {self._client.configuration.host} is unreachable: {_reason(error)}. "
                "Check that it runs and that the kubeconfig and context of the kubernetes provider (or KUBECONFIG) "
                "name the right one."
            ) from error
        if 200 <= response.status <= 299:
            answer = json.loads(text)
            return answer if isinstance(answer, dict) else {}
        raise _api_error(response.status, text)

    # -- discovery

    def kind(self, version: str, name: str) -> ApiKind | None:
        """The kind of that name in an API version (``v1``, ``apps/v1``); None when the server knows none.

        What was not found is asked for again: a custom resource may have been defined since.
        """
        with self._lock:
            kinds = self._kinds.get(version)
        if kinds is None or name not in kinds:
            kinds = self._discover(version)
            with self._lock:
                self._kinds[version] = kinds
        return kinds.get(name)

    def _discover(self, version: str) -> dict[str, ApiKind]:
        try:
            answer = self.request("GET", "/api/v1" if version == "v1" else f"/apis/{version}")
        except ApiError as error:
            if error.status == 404:
                return {}
            raise
        found: Sequence[Mapping[str, Any]] = answer.get("resources", [])
        return {
            entry["kind"]: ApiKind(version, entry["kind"], entry["name"], entry["namespaced"])
            for entry in found
            if "/" not in entry["name"]
        }

    def is_namespaced(self, version: str, name: str) -> bool:
        """Whether objects of a kind live in a namespace; a kind that nobody knows yet is taken to."""
        known = None if self.unreachable else self.kind(version, name)
        return known.namespaced if known else name not in _CLUSTER_SCOPED


def _client(kubeconfig: str | None, context: str | None) -> tuple[ApiClient, str | None]:
    """A client, and the namespace that the context names."""
    # Half a second of imports, which a plugin that is only asked for its version need not wait for.
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import ConfigException, list_kube_config_contexts, load_kube_config

    configuration = Configuration()
    try:
        load_kube_config(kubeconfig, context, configuration, persist_config=False)
        contexts, current = list_kube_config_contexts(kubeconfig)
    except (ConfigException, OSError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        # A parser's complaint quotes what it could not read, which may be a token.
        reason = _reason(error) if isinstance(error, ConfigException | OSError) else "it is not one"
        raise UnreachableError(
            f"There is no Kubernetes cluster to talk to: the kubeconfig can't be used ({reason}). Give the "
            "provider one, as a path or its contents, or set KUBECONFIG."
        ) from error
    chosen = next((entry for entry in contexts if entry["name"] == context), current)
    configuration.retries = False
    return ApiClient(configuration), chosen.get("context", {}).get("namespace")


def _reason(error: Exception) -> str:
    """The innermost reason, in one line; urllib3 wraps it several times."""
    inner: BaseException = error
    while (reason := getattr(inner, "reason", None)) and isinstance(reason, BaseException):
        inner = reason
    return " ".join(str(inner).rpartition(": ")[2].split()).rstrip(".") or type(inner).__name__


def _api_error(status: int, text: bytes) -> ApiError:
    try:
        told = json.loads(text)
        return ApiError(status, str(told.get("reason", "")), str(told["message"]))
    except (ValueError, KeyError, AttributeError):
        return ApiError(status, "", f"HTTP {status} {text[:200].decode(errors='replace')}".strip())

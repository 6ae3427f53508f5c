"""A connection to a cluster, found as kubectl finds it."""

import json
import os
from typing import Any

from kubernetes import client, config

from dynamic_providers.errors import ReadableError

_LONGEST = 500


class ClusterError(ReadableError):
    """The cluster can't be reached, or will not do what it is asked; its text is one readable paragraph."""


def connect(context: str | None = None, *, retry: bool = True) -> Any:
    """A `kubernetes.client.ApiClient` for a context of KUBECONFIG or ~/.kube/config, else for the cluster we run in.

    `retry` is whether it sends a request again, up to three times, where no answer came. Raises ClusterError where
    there is no configuration, or not that context in it.
    """
    configuration = client.Configuration()
    if not retry:
        configuration.retries = False
    try:
        # The client itself looks at the variable only once, when it is imported.
        return config.new_client_from_config(
            config_file=os.environ.get("KUBECONFIG"), context=context, client_configuration=configuration
        )
    except config.ConfigException as error:
        if context is None and "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(client_configuration=configuration)
            return client.ApiClient(configuration)
        wanted = f"the context {context}" if context else "a cluster"
        raise ClusterError(
            f"There is no way to {wanted}: {error}. Set KUBECONFIG to a file that `kubectl` works with."
        ) from None


def reason(error: Exception) -> str:
    """What a cluster's API said, without the headers that the client's exceptions print."""
    status = getattr(error, "status", None) or getattr(error, "status_code", None)  # the latter, of a websocket
    words = getattr(error, "reason", None) or getattr(error, "status_message", None)
    if not status:
        return f"{type(error).__name__}: {words or error}"
    body = getattr(error, "body", None) or getattr(error, "resp_body", None)
    return f"HTTP {status} {_message(body) or words}"


def _message(body: Any) -> str:
    """The message of a Status object (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/)."""
    try:
        answer = json.loads(body)
    except (TypeError, ValueError):
        return ""
    return str(answer.get("message") or "")[:_LONGEST] if isinstance(answer, dict) else ""

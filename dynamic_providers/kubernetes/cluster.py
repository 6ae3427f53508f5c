"""A connection to a cluster, found as kubectl finds it."""

import os
from typing import Any

from kubernetes import client, config

from dynamic_providers.errors import ReadableError


class ClusterError(ReadableError):
    """The cluster can't be reached, or will not do what it is asked; its text is one readable paragraph."""


def connect(context: str | None = None) -> Any:
    """A `kubernetes.client.ApiClient` for a context of KUBECONFIG or ~/.kube/config, else for the cluster we run in.

    Raises ClusterError where there is no configuration, or not that context in it.
    """
    try:
        # The client itself looks at the variable only once, when it is imported.
        return config.new_client_from_config(config_file=os.environ.get("KUBECONFIG"), context=context)
    except config.ConfigException as error:
        if context is None and "KUBERNETES_SERVICE_HOST" in os.environ:
            configuration = client.Configuration()
            config.load_incluster_config(client_configuration=configuration)
            return client.ApiClient(configuration)
        wanted = f"the context {context}" if context else "a cluster"
        raise ClusterError(
            f"There is no way to {wanted}: {error}. Set KUBECONFIG to a file that `kubectl` works with."
        ) from None


def reason(error: Exception) -> str:
    """What a cluster's API said, without the headers and bodies that the client's exceptions print."""
    status, words = getattr(error, "status", None), getattr(error, "reason", None)
    return f"HTTP {status} {words}" if status else f"{type(error).__name__}: {words or error}"

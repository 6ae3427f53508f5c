"""Your own Kubernetes cluster in place of the sandbox's: the one that AIRBYTE_AS_CODE_KUBECONFIG names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from kubernetes import client

VARIABLE = "AIRBYTE_AS_CODE_KUBECONFIG"
TITLE = f"your own Kubernetes cluster, as {VARIABLE} said"
ANSWER_SECONDS = 5


def chosen(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the kubeconfig of the cluster that the user wants used; None where it is the sandbox's own.

    Raises:
        SandboxError: there is no such file.
    """
    if not (given := environment.get(VARIABLE)):
        return None
    file = Path(given).expanduser().absolute()
    if not file.is_file():
        raise SandboxError(f"{VARIABLE} names the kubeconfig {file}, which does not exist. Correct it, or unset it.")
    return file


def address(kubeconfig: Path) -> str:
    """Return the URL of the API server of its current context.

    Raises:
        SandboxError: the file is no kubeconfig with a current context.
    """
    return str(_configuration(kubeconfig).host)


def answers(kubeconfig: Path) -> bool:
    """Tell whether the cluster lets its user in."""
    from kubernetes import client  # takes half a second, which who has no such cluster need not wait for

    try:
        with client.ApiClient(_configuration(kubeconfig)) as api:
            client.VersionApi(api).get_code(_request_timeout=ANSWER_SECONDS)
    except Exception:  # of the network, of TLS, of a plugin for credentials: there is no base class for them
        return False
    return True


def _configuration(kubeconfig: Path) -> client.Configuration:
    from kubernetes import client, config

    configuration = client.Configuration()
    configuration.retries = False
    try:
        config.load_kube_config(str(kubeconfig), client_configuration=configuration, persist_config=False)
    except config.ConfigException as error:
        raise SandboxError(f"{kubeconfig}, which {VARIABLE} names, cannot be used: {error}") from None
    return configuration

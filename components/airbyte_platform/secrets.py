"""The Secrets that the chart reads, made beforehand and named in its values.

The bootloader adds two keys of its own to `airbyte-auth-secrets`, the data plane's credentials, and every sync needs
them. They survive because server-side apply takes part of an object only: what we don't send, we don't own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from components.airbyte_platform.model import Credential
from components.airbyte_platform.settings import PlatformSettings
from components.airbyte_platform.workloads import (
    AUTH_SECRET,
    DATABASE_SECRET,
    SECRETS_MANAGER_SECRET,
    STORAGE_SECRET,
)


@dataclass(frozen=True)
class SecretObject:
    """A Secret to be made."""

    name: str
    data: Mapping[str, Credential]
    type: str = "Opaque"
    holds_data: bool = False
    """Whether what it opens outlives the installation, so that it must too."""


def secret_objects(settings: PlatformSettings, client_id: str, client_secret: str) -> list[SecretObject]:
    """All of them; the client is the one that this project itself talks to the server with."""
    auth: dict[str, Credential] = {
        "instance-admin-client-id": SecretStr(client_id),
        "instance-admin-client-secret": SecretStr(client_secret),
        **settings.auth.credentials(),
    }
    made = [
        SecretObject(AUTH_SECRET, auth, holds_data=True),
        SecretObject(DATABASE_SECRET, settings.database.credentials(), holds_data=True),
        SecretObject(STORAGE_SECRET, settings.storage.credentials(), holds_data=True),
    ]
    if settings.secrets_manager:
        made.append(SecretObject(SECRETS_MANAGER_SECRET, settings.secrets_manager.credentials(), holds_data=True))
    image = settings.image
    if image.pull_secret and image.docker_config:
        made.append(
            SecretObject(
                image.pull_secret, {".dockerconfigjson": image.docker_config}, "kubernetes.io/dockerconfigjson"
            )
        )
    return [each for each in made if each.data]

"""Coordinates: where the server keeps each secret, and so whether somebody else has written it.

A coordinate, as ``secret_coordinate::airbyte_workspace_…_secret_…_v3``, is no secret. The server moves its version at
every raw write and keeps it for a mask, so a coordinate that moved without us is a secret changed outside. Asking
costs a call for every source and destination with secrets, hence the stack setting ``airbyteWatchSecrets``. See
https://reference.airbyte.com/reference/getsource (``includeSecretCoordinates``, since 1.7).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from dynamic_providers.airbyte import actor_config, secrets
from dynamic_providers.airbyte.errors import ApiError
from dynamic_providers.airbyte.kinds import Kind
from dynamic_providers.airbyte.notices import warn
from dynamic_providers.airbyte.session import Session

Coordinates = dict[str, str]
"""Coordinate by the path of the secret."""


def read(session: Session, kind: Kind, actor_id: str, secret_paths: Iterable[str], config: Any) -> Coordinates | None:
    """Where the server keeps an actor's secrets; None where nobody watches or the server does not tell.

    An actor without secrets costs no call. What the server can't tell is said once, as a warning.
    """
    if not session.watch_secrets or not (list(secret_paths) or references(config)):
        return None
    if not session.client.release.tells_coordinates:
        warn(
            session,
            f"airbyteWatchSecrets has no effect on Airbyte {session.client.instance().version}: it tells where it "
            "keeps a secret only since 1.7, so a secret that is changed outside this program is not noticed.",
        )
        return None
    try:
        shown = session.client.get_public(f"{kind.collection}/{actor_id}", includeSecretCoordinates="true")
    except ApiError as error:
        said = f"HTTP {error.status} {error.message}".strip()
        warn(
            session,
            f"airbyteWatchSecrets: Airbyte does not tell where it keeps a secret ({said}), so one that is changed "
            "outside this program may not be noticed.",
        )
        return None
    found = map(_at, secrets.scalars(shown.get("configuration") or {}))
    return {path: value for path, value in found if secrets.is_coordinate(value)}


def changed(before: Mapping[str, str], now: Mapping[str, str], secret_paths: Iterable[str]) -> set[str]:
    """The secret paths whose secret, or a part of it, is no longer the one that was there."""
    moved = [path for path in before if now.get(path) != before[path]]
    return {marked for marked in secret_paths for path in moved if actor_config.within(path, [marked])}


def with_references(config: dict[str, Any], now: Mapping[str, str]) -> dict[str, Any]:
    """The configuration with its references as the server has them now; a mask where it has a secret of its own."""
    return secrets.replaced(config, {path: now.get(path, secrets.MASK) for path in references(config)})


def references(config: Any) -> list[str]:
    """The paths of a configuration that refer to the platform's secret manager instead of holding a secret."""
    return [path for path, value in secrets.scalars(config) if secrets.is_coordinate(value)]


def _at(leaf: tuple[str, Any]) -> tuple[str, Any]:
    """A leaf, with the form in which a coordinate is stored turned into the one in which it is shown."""
    path, value = leaf
    holder, _, key = path.rpartition(".")
    return (holder, f"{secrets.COORDINATE_PREFIX}{value}") if key == secrets.STORED else leaf

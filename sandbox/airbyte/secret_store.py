"""Where secrets really are: values by coordinate, a new version at every raw write."""

from __future__ import annotations

import copy
import re
from typing import Any

from sandbox.airbyte.entities import Secret, new_id
from sandbox.airbyte.masking import COORDINATE_PREFIX, SECRET_KEY, Path, is_coordinate, replace_at
from sandbox.airbyte.store import Store
from sandbox.airbyte.wire import Json

_VERSIONED = re.compile(r"(?P<base>.+)_v(?P<number>\d+)")


class SecretStore:
    """Splits secrets off configurations, and puts them back for a connector."""

    def __init__(self, store: Store) -> None:
        self._secrets = store.secrets

    def split(self, configuration: Json, paths: set[Path], workspace_id: str, previous: Json | None = None) -> Json:
        """A copy of a configuration with every raw secret stored and replaced by its coordinate.

        Args:
            configuration: Raw secrets are written, even when equal to what is stored; coordinates are kept.
            paths: Where the specification has secrets.
            workspace_id: Part of the coordinates.
            previous: The stored configuration. A raw value at the place of a coordinate becomes its next version; the
                versions that nothing refers to any more are deleted.
        """
        held = dict(_coordinates(previous, ()))
        stored = copy.deepcopy(configuration)
        for path in sorted(paths):
            _replace_each(stored, path, (), lambda place, node: self._write(node, workspace_id, held.get(place)))
        kept = {coordinate for _, coordinate in _coordinates(stored, ())}
        for coordinate in set(held.values()) - kept:
            self.forget(coordinate)
        return stored

    def _write(self, node: Any, workspace_id: str, held: str | None) -> Any:
        if node is None or is_coordinate(node):
            return node
        if isinstance(node, str) and node.startswith(COORDINATE_PREFIX):
            return {SECRET_KEY: node.removeprefix(COORDINATE_PREFIX)}
        match = _VERSIONED.fullmatch(held or "")
        if match and self._is_managed(held):
            coordinate = f"{match['base']}_v{int(match['number']) + 1}"
        else:
            coordinate = f"airbyte_workspace_{workspace_id}_secret_{new_id()}_v1"
        self._secrets.save(Secret(coordinate, node))
        return {SECRET_KEY: coordinate}

    def _is_managed(self, coordinate: str | None) -> bool:
        secret = self._secrets.find(coordinate)
        return secret is not None and not secret.external

    def forget(self, coordinate: str) -> None:
        """Delete a secret of ours; the customer's own stay."""
        if self._is_managed(coordinate):
            self._secrets.remove(coordinate)

    def forget_all(self, configuration: Json | None) -> None:
        """Delete every secret that a configuration refers to."""
        for _, coordinate in _coordinates(configuration, ()):
            self.forget(coordinate)

    def hydrate(self, configuration: Any) -> Any:
        """A copy with the values in place of the coordinates, as a connector gets it.

        Raises:
            KeyError: a coordinate that no secret has; the argument is the coordinate.
        """
        if is_coordinate(configuration):
            secret = self._secrets.find(configuration[SECRET_KEY])
            if secret is None:
                raise KeyError(configuration[SECRET_KEY])
            return secret.value
        if isinstance(configuration, dict):
            return {name: self.hydrate(value) for name, value in configuration.items()}
        if isinstance(configuration, list):
            return [self.hydrate(item) for item in configuration]
        return configuration


def _replace_each(node: Any, path: Path, place: tuple[object, ...], change: Any) -> None:
    """Like ``replace_at``, but tells the change the concrete place, array positions included."""
    if len(path) == 1 or not path:
        if path and isinstance(node, list):
            node[:] = [change((*place, index), item) for index, item in enumerate(node)]
        elif path:
            replace_at(node, path, lambda found: change((*place, path[0]), found))
        return
    if isinstance(node, list):
        for index, item in enumerate(node):
            _replace_each(item, path[1:], (*place, index), change)
    elif isinstance(node, dict) and path[0] in node:
        _replace_each(node[path[0]], path[1:], (*place, path[0]), change)


def _coordinates(node: Any, place: tuple[object, ...]) -> list[tuple[tuple[object, ...], str]]:
    """Every coordinate in a configuration, with its place."""
    if is_coordinate(node):
        return [(place, node[SECRET_KEY])]
    children: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for key, child in children for found in _coordinates(child, (*place, key))]

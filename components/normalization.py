"""Typed, deduplicated tables: how each destination is told to make them, and since which version it can.

Airbyte's normalization step is gone; destinations type and deduplicate by themselves. Sources: each
destination's migration guide (docs.airbyte.com/integrations/destinations/<name>-migrations).
"""

from collections.abc import Mapping
from typing import Any

from packaging.version import InvalidVersion, Version

from components.errors import ConfigurationError, Problem

_TYPED_SINCE = {
    "destination-bigquery": "2.0.0",
    "destination-postgres": "2.0.0",
    "destination-redshift": "2.0.0",
    "destination-snowflake": "3.0.0",
}
"""Warehouses that write final tables themselves, unless `disable_type_dedupe` is set."""

_FLATTENS = frozenset({"destination-s3", "destination-gcs"})
"""Object stores whose JSON Lines and CSV files can hold one column a field instead of one JSON blob."""

_FLATTENABLE_FORMATS = frozenset({"CSV", "JSONL"})


def configure(connector: str, version: str, config: Mapping[str, Any], *, typed: bool, where: str) -> dict[str, Any]:
    """The destination's config with typed tables switched on (or, for a reason given, off).

    Raises ConfigurationError where this version can't type tables, naming the version that can.
    """
    if connector in _TYPED_SINCE:
        if typed and _older(version, _TYPED_SINCE[connector]):
            raise ConfigurationError(
                [
                    Problem(
                        where,
                        f"{connector} {version} lands raw JSON and can't make typed tables.",
                        f"Pin {_TYPED_SINCE[connector]} or newer.",
                    )
                ]
            )
        return {**config, "disable_type_dedupe": not typed}
    file_format = config.get("format")
    if typed and connector in _FLATTENS and isinstance(file_format, Mapping) and _can_flatten(file_format):
        return {**config, "format": {"flattening": "Root level flattening", **file_format}}
    return dict(config)


def is_typed(connector: str, config: Mapping[str, Any]) -> bool:
    """Whether a live destination's config says what `configure` would with typed tables switched on."""
    if connector in _TYPED_SINCE:
        return not config.get("disable_type_dedupe")
    file_format = config.get("format")
    if connector in _FLATTENS and isinstance(file_format, Mapping) and _can_flatten(file_format):
        return file_format.get("flattening") == "Root level flattening"
    return True


def decides(connector: str) -> frozenset[str]:
    """The fields of a destination's config that `normalization` in a pipeline file stands for."""
    return frozenset({"disable_type_dedupe"}) if connector in _TYPED_SINCE else frozenset()


def _can_flatten(file_format: Mapping[str, Any]) -> bool:
    return file_format.get("format_type") in _FLATTENABLE_FORMATS


def _older(version: str, than: str) -> bool:
    try:
        return Version(version) < Version(than)
    except InvalidVersion:  # a build of one's own, such as `1.2.3-acme`: its author knows
        return False

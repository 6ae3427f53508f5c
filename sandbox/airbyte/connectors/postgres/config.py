"""What a ``source-postgres`` configuration says, with the specification's defaults."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.airbyte.connectors.base import CrashError, Json


@dataclass(frozen=True)
class Replication:
    """How changes are found.

    Attributes:
        slot, publication: Set for CDC only.
        resync_when_lost: What to do when the slot has moved past the saved position.
    """

    slot: str | None = None
    publication: str | None = None
    resync_when_lost: bool = False

    @property
    def is_cdc(self) -> bool:
        """Whether changes come from the write-ahead log."""
        return self.slot is not None


def replication(config: Json) -> Replication:
    """Read ``replication_method``.

    Raises:
        CrashError: a method that the sandbox does not offer.
    """
    method = config.get("replication_method") or {"method": "Standard"}
    match method.get("method"):
        case "CDC":
            resync = method.get("invalid_cdc_cursor_position_behavior") == "Re-sync data"
            return Replication(method["replication_slot"], method["publication"], resync)
        case "Standard":
            return Replication()
        case other:
            raise CrashError(f"this sandbox does not offer the replication method {other}; use CDC or Standard")


def schemas(config: Json) -> list[str]:
    """The schemas to look at; empty means all."""
    found = config.get("schemas")
    return ["public"] if found is None else list(found)

"""Connectors whose image cannot run here: the registry knows their specification, and no more."""

from __future__ import annotations

from .base import ConfiguredStream, Crash, Json, Placement, Reader, State, Writer


class SpecOnly:
    """A connector that the sandbox has no implementation of.

    Args:
        image: The docker image, for the message.
        checks_pass: Let checks succeed, and discover one empty stream, so that tests can make actors and connections.
    """

    def __init__(self, image: str, *, checks_pass: bool) -> None:
        self._image = image
        self._checks_pass = checks_pass

    def _refuse(self) -> Crash:
        return Crash(f"this sandbox cannot run {self._image}")

    def check(self, config: Json) -> None:  # noqa: ARG002 - the shape of a connector
        """Nothing to check with."""
        if not self._checks_pass:
            raise self._refuse()

    def discover(self, config: Json) -> list[Json]:  # noqa: ARG002
        """One stream of one column, when checks are assumed to pass."""
        if not self._checks_pass:
            raise self._refuse()
        schema = {"type": "object", "properties": {"id": {"type": "string"}}}
        return [{"name": "records", "jsonSchema": schema, "supportedSyncModes": ["full_refresh"]}]

    def read(self, config: Json, streams: list[ConfiguredStream], state: State) -> Reader:  # noqa: ARG002
        """Cannot be done, whatever the knob says."""
        raise self._refuse()

    def write(  # noqa: ARG002
        self, config: Json, streams: list[ConfiguredStream], placement: Placement, sync_id: int
    ) -> Writer:
        """Cannot be done, whatever the knob says."""
        raise self._refuse()

    def clear(  # noqa: ARG002
        self, config: Json, streams: list[ConfiguredStream], placement: Placement
    ) -> None:
        """Cannot be done, whatever the knob says."""
        raise self._refuse()

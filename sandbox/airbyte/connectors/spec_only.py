"""Connectors whose image cannot run here: the registry knows their specification, and no more."""

from __future__ import annotations

from sandbox.airbyte.connectors.base import CrashError, Json, Reader, Writer


class SpecOnly:
    """A connector that the sandbox has no implementation of.

    Args:
        image: The docker image, for the message.
        checks_pass: Let checks succeed, and discover one empty stream, so that tests can make actors and connections.
    """

    def __init__(self, image: str, *, checks_pass: bool) -> None:
        self._image = image
        self._checks_pass = checks_pass

    def _refuse(self) -> CrashError:
        return CrashError(f"this sandbox cannot run {self._image}")

    def check(self, _: Json) -> None:
        """Nothing to check with."""
        if not self._checks_pass:
            raise self._refuse()

    def discover(self, _: Json) -> list[Json]:
        """One stream of one column, when checks are assumed to pass."""
        if not self._checks_pass:
            raise self._refuse()
        schema = {"type": "object", "properties": {"id": {"type": "string"}}}
        return [{"name": "records", "jsonSchema": schema, "supportedSyncModes": ["full_refresh"]}]

    def read(self, *_: object) -> Reader:
        """Cannot be done, whatever the knob says."""
        raise self._refuse()

    def write(self, *_: object) -> Writer:
        """Cannot be done, whatever the knob says."""
        raise self._refuse()

    def clear(self, *_: object) -> None:
        """Cannot be done, whatever the knob says."""
        raise self._refuse()

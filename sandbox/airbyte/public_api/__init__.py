"""The public API (``/api/public/v1``): reads, jobs and tokens, over the same state as the Config API.

Writing sources, destinations and connections through it is not offered, except ``PATCH`` and ``PUT`` of actors, whose
treatment of masks clients get wrong.
"""

from __future__ import annotations

from sandbox.airbyte.public_api import actors, connections, general, jobs
from sandbox.airbyte.public_api._call import Call, Operation
from sandbox.airbyte.versions import Release

__all__ = ["Call", "Operation", "routes"]


def routes(release: Release) -> dict[str, dict[str, Operation]]:  # noqa: ARG001 - the offered part is the same in all
    """Operations by path below the prefix and by method."""
    found: dict[str, dict[str, Operation]] = {}
    for module in (general, actors, connections, jobs):
        for operation in module.api.all:
            found.setdefault(operation.path, {})[operation.method] = operation
    return found

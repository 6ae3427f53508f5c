"""Declarative definitions: sources whose specification comes with a manifest instead of an image.

All of them run the same image, which is given its manifest with the configuration; so the specification also takes the
fields that bring it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.airbyte.registry import Connector
from sandbox.airbyte.wire import Json

if TYPE_CHECKING:
    from sandbox.airbyte.entities import Definition, Manifest
    from sandbox.airbyte.store import Store

IMAGE = "airbyte/source-declarative-manifest"

_INJECTED: Json = {
    "__injected_declarative_manifest": {"type": "object", "additionalProperties": True, "airbyte_hidden": True},
    "__injected_components_py": {"type": "string", "airbyte_hidden": True},
    "__injected_components_py_checksums": {"type": "object", "additionalProperties": True, "airbyte_hidden": True},
}


def versions(store: Store, definition_id: str) -> list[Manifest]:
    """The versions of a definition's manifest, ascending; none for a definition of another kind."""
    found = [manifest for manifest in store.manifests if manifest.definition_id == definition_id]
    return sorted(found, key=lambda manifest: manifest.version)


def active(store: Store, definition_id: str) -> Manifest | None:
    """The version that counts."""
    return next((manifest for manifest in versions(store, definition_id) if manifest.active), None)


def activate(store: Store, chosen: Manifest) -> None:
    """Make a version the one that counts."""
    for manifest in versions(store, chosen.definition_id):
        manifest.active = manifest.version == chosen.version
        store.manifests.save(manifest)


def image_tag(manifest: Json) -> str:
    """The image's version for a manifest: the newest of the major version that it was written for."""
    return f"{str(manifest['version']).partition('.')[0]}.60.0"


def connector(store: Store, definition: Definition) -> Connector | None:
    """The connector that the active manifest describes."""
    manifest = active(store, definition.id) if definition.repository == IMAGE else None
    if manifest is None:
        return None
    schema = manifest.spec["connectionSpecification"]
    spec = {**schema, "properties": {**schema.get("properties", {}), **_INJECTED}}
    return Connector(
        id=definition.id,
        kind="source",
        name=definition.name,
        repository=IMAGE,
        default_tag=definition.tag,
        latest_tag=definition.tag,
        tags=[definition.tag],
        specs=[((0, 0, 0), spec)],
        facts={"releaseStage": "custom", "supportLevel": "none", "sourceType": "custom", "language": "manifest-only"},
    )

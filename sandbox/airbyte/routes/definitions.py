"""Connector definitions and their specifications."""

from __future__ import annotations

from sandbox.airbyte.definitions import Version
from sandbox.airbyte.entities import Definition, new_id
from sandbox.airbyte.errors import NotFoundError, ServerFaultError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.kinds import DESTINATION, KINDS, SOURCE, ActorKind
from sandbox.airbyte.registry import Connector
from sandbox.airbyte.wire import Answer, Body, Endpoints, Json, present

api = Endpoints()


def read(version: Version) -> Json:
    """``SourceDefinitionRead`` or ``DestinationDefinitionRead`` of a version."""
    definition = version.definition
    facts = version.connector.facts if version.connector else {}
    kind = KINDS[definition.kind]
    is_source = kind is SOURCE
    return present(
        {
            kind.definition_key: definition.id,
            "name": definition.name,
            "dockerRepository": definition.repository,
            "dockerImageTag": version.tag,
            "documentationUrl": definition.documentation_url,
            "protocolVersion": "0.2.0",
            "custom": definition.custom,
            "enterprise": False,
            "supportLevel": facts.get("supportLevel", "none"),
            "releaseStage": facts.get("releaseStage", "custom"),
            "sourceType": facts.get("sourceType", "custom") if is_source else None,
            "supportsDataActivation": None if is_source else False,
            "resourceRequirements": definition.resource_requirements,
            "language": facts.get("language"),
        }
    )


def _latest(connector: Connector, definition: Definition) -> Json:
    return read(Version(definition, connector, connector.latest_tag))


def _register(kind: ActorKind) -> None:
    prefix = f"/v1/{kind.name}_definitions"
    listing = f"{kind.name}Definitions"

    def found(instance: Instance, body: Body) -> Definition:
        return instance.definitions.get(kind, body.id(kind.definition_key))

    @api.post(f"{prefix}/list")
    def list_defaults(instance: Instance, _: Body) -> Json:
        """The instance's defaults; pins play no part."""
        definitions = instance.definitions
        return {listing: [read(definitions.default(definition)) for definition in definitions.of_kind(kind)]}

    @api.post(f"{prefix}/list_latest")
    def list_latest(instance: Instance, _: Body) -> Json:
        """What the registry advertises; nothing when it cannot be reached."""
        if not instance.registry.online:
            return {listing: []}
        connectors = {c.id: c for c in instance.registry.connectors(kind.name)}
        known = [d for d in instance.definitions.of_kind(kind) if d.id in connectors]
        return {listing: [_latest(connectors[definition.id], definition) for definition in known]}

    @api.post(f"{prefix}/list_for_workspace")
    def list_for_workspace(instance: Instance, body: Body) -> Json:
        """The versions that count in a workspace."""
        workspace = instance.store.workspaces.get(body.id("workspaceId"))
        definitions = instance.definitions
        return {
            listing: [
                read(definitions.resolve(definition, workspace.id))
                for definition in definitions.of_kind(kind)
                if definition.workspace_id in (None, workspace.id)
                and (not body.flag("filterByUsed") or definitions.in_use(definition))
            ]
        }

    @api.post(f"{prefix}/get")
    def get(instance: Instance, body: Body) -> Json:
        """The instance's default of one definition."""
        return read(instance.definitions.default(found(instance, body)))

    @api.post(f"{prefix}/get_for_workspace")
    def get_for_workspace(instance: Instance, body: Body) -> Json:
        """The version of one definition that counts in a workspace."""
        definition = found(instance, body)
        workspace = instance.store.workspaces.get(body.id("workspaceId"))
        return read(instance.definitions.resolve(definition, workspace.id))

    @api.post(f"{prefix}/update")
    def update(instance: Instance, body: Body) -> Json:
        """Move the default version; crossing a breaking change pins the actors that have no pin."""
        definition = found(instance, body)
        if instance.release.definition_update_needs_workspace(kind.name):
            body.id("workspaceId")
        change(instance, definition, body)
        return read(instance.definitions.default(definition))

    @api.post(f"{prefix}/create_custom", slow=True)
    def create_custom(instance: Instance, body: Body) -> Json:
        """A definition of the user's own; the image must be one that the registry here was told of."""
        with instance.store.lock:
            definition = make_custom(instance, kind, body, body.body(f"{kind.name}Definition"))
            return read(instance.definitions.default(definition))

    @api.post(f"{prefix}/delete", status=204)
    def delete(instance: Instance, body: Body) -> Answer:
        """Delete a definition, its actors, and their connections."""
        definition = found(instance, body)
        for actor in instance.store.actors:
            if actor.definition_id == definition.id:
                instance.actors.delete(actor)
        definition.tombstone = True
        instance.store.definitions.save(definition)
        return None

    specifications = f"/v1/{kind.name}_definition_specifications"

    @api.post(f"{specifications}/get")
    def get_specification(instance: Instance, body: Body) -> Json:
        """The specification that counts in a workspace."""
        definition = found(instance, body)
        return specification(kind, instance.definitions.resolve(definition, body.id("workspaceId")))

    @api.post(f"{specifications}/get_for_{kind.name}")
    def get_specification_for_actor(instance: Instance, body: Body) -> Json:
        """The specification of the version that an actor runs."""
        actor = instance.actors.get(kind, body.id(kind.id_key))
        return specification(kind, instance.definitions.resolve_actor(actor))


def make_custom(instance: Instance, kind: ActorKind, body: Body, wanted: Body) -> Definition:
    """A definition of the user's own; ServerFaultError for an image that the registry here was not told of."""
    repository, tag = wanted.text("dockerRepository"), wanted.text("dockerImageTag")
    connector = instance.registry.by_repository(repository)
    if connector is None or tag not in connector.tags:
        raise ServerFaultError(f"Get Spec job failed: cannot pull image {repository}:{tag}")
    return instance.store.definitions.save(
        Definition(
            new_id(),
            kind.name,
            wanted.text("name"),
            repository,
            tag,
            custom=True,
            workspace_id=body.optional_id("workspaceId") or body.optional_id("scopeId"),
            documentation_url=wanted.text("documentationUrl"),
            resource_requirements=wanted.optional_object("resourceRequirements"),
        )
    )


def change(instance: Instance, definition: Definition, body: Body) -> None:
    """Another default version; of a custom definition also another name."""
    instance.definitions.update_default(definition, body.text("dockerImageTag"))
    if definition.custom and body.has("name"):
        definition.name = body.text("name")
    if body.has("resourceRequirements"):
        definition.resource_requirements = body.object("resourceRequirements")
    instance.store.definitions.save(definition)


def specification(kind: ActorKind, version: Version) -> Json:
    """``SourceDefinitionSpecificationRead`` or its twin."""
    if version.connector is None:
        raise NotFoundError("ACTOR_DEFINITION_VERSION", version.id)
    answer: Json = {
        kind.definition_key: version.definition.id,
        "documentationUrl": version.definition.documentation_url or "",
        "connectionSpecification": version.spec,
        "advancedAuthGlobalCredentialsAvailable": False,
        "jobInfo": {
            "id": new_id(),
            "configType": "get_spec",
            "configId": version.definition.id,
            "createdAt": 0,
            "endedAt": 0,
            "succeeded": True,
            "connectorConfigurationUpdated": False,
        },
    }
    if kind is DESTINATION:
        answer["supportedDestinationSyncModes"] = destination_sync_modes(version)
    return answer


def destination_sync_modes(version: Version) -> list[str]:
    """The specification's modes, and ``overwrite_dedup`` where the destination can refresh, overwrite and dedup."""
    modes = list(version.connector.facts.get("destinationSyncModes", [])) if version.connector else []
    if version.supports_refreshes and {"append_dedup", "overwrite"} <= set(modes):
        modes.append("overwrite_dedup")
    return modes


for _kind in KINDS.values():
    _register(_kind)

"""The version an actor really runs, and tags turned into version ids."""

from __future__ import annotations

from sandbox.airbyte.actors import breaking_changes_read
from sandbox.airbyte.definitions import Version
from sandbox.airbyte.errors import NotFoundError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.kinds import KINDS, ActorKind
from sandbox.airbyte.wire import Body, Endpoints, Json, present

api = Endpoints()


def read(instance: Instance, version: Version) -> Json:
    """``ActorDefinitionVersionRead``."""
    facts = version.connector.facts if version.connector else {}
    return present(
        {
            "dockerRepository": version.definition.repository,
            "dockerImageTag": version.tag,
            "supportsRefreshes": version.supports_refreshes,
            "isVersionOverrideApplied": version.is_override,
            "supportLevel": facts.get("supportLevel", "none"),
            "supportState": instance.definitions.support_state(version),
            "breakingChanges": breaking_changes_read(instance.definitions.upcoming_breaking_changes(version)),
            "supportsFileTransfer": False,
            "supportsDataActivation": False,
        }
    )


def _register(kind: ActorKind) -> None:
    @api.post(f"/v1/actor_definition_versions/get_for_{kind.name}")
    def get_for_actor(instance: Instance, body: Body) -> Json:
        """The version that an actor runs, pins considered."""
        actor = instance.actors.get(kind, body.id(kind.id_key))
        return read(instance, instance.definitions.resolve_actor(actor))


for _kind in KINDS.values():
    _register(_kind)


@api.post("/v1/actor_definition_versions/get_default", since=(1, 3))
def get_default(instance: Instance, body: Body) -> Json:
    """The instance's default of a definition."""
    definition = instance.store.definitions.get(body.id("actorDefinitionId"))
    return read(instance, instance.definitions.default(definition))


@api.post("/v1/actor_definition_versions/resolve")
def resolve(instance: Instance, body: Body) -> Json:
    """The version id of a tag, looked up in the database and then in the registry; 404 when neither has it."""
    kind = KINDS[body.choice("actorType", KINDS)]
    definition = instance.definitions.get(kind, body.id("actorDefinitionId"))
    tag = body.text("dockerImageTag")
    if not instance.definitions.knows(definition, tag):
        raise NotFoundError("ACTOR_DEFINITION_VERSION", f"{definition.repository}:{tag}")
    version = instance.definitions.at(definition, tag)
    return {
        "versionId": version.id,
        "dockerRepository": definition.repository,
        "dockerImageTag": tag,
        "supportRefreshes": version.supports_refreshes,
        "isVersionOverrideApplied": False,
        "supportsFileTransfer": False,
        "supportsDataActivation": False,
    }

"""The Connector Builder: projects, and the manifests of the definitions that they were published as."""

from __future__ import annotations

from sandbox.airbyte import declarative
from sandbox.airbyte.entities import BuilderProject, Definition, Manifest, new_id, now
from sandbox.airbyte.errors import NotFoundError, RefusedError, ServerFaultError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.kinds import SOURCE
from sandbox.airbyte.wire import Answer, Body, Endpoints, Json, present

api = Endpoints()

_PROJECTS = "/v1/connector_builder_projects"
_MANIFESTS = "/v1/declarative_source_definitions"


@api.post(f"{_PROJECTS}/create", status=201)
def create(instance: Instance, body: Body) -> Json:
    """A new project with a draft; names may repeat."""
    workspace = instance.store.workspaces.get(body.id("workspaceId"))
    details = body.body("builderProject")
    project = BuilderProject(
        new_id(),
        workspace.id,
        details.text("name"),
        draft=details.optional_object("draftManifest"),
        components=details.optional_text("componentsFileContent"),
    )
    instance.store.builder_projects.save(project)
    return {"workspaceId": workspace.id, "builderProjectId": project.id}


@api.post(f"{_PROJECTS}/update", status=204)
def update(instance: Instance, body: Body) -> Answer:
    """Name and draft; a draft that is not sent is dropped, and the definition is named alike."""
    project = _project(instance, body)
    details = body.body("builderProject")
    project.name = details.text("name")
    project.draft = details.optional_object("draftManifest")
    project.components = details.optional_text("componentsFileContent")
    project.updated_at = now()
    instance.store.builder_projects.save(project)
    if project.definition_id:
        definition = instance.store.definitions.get(project.definition_id)
        definition.name = project.name
        instance.store.definitions.save(definition)
    return None


@api.post(f"{_PROJECTS}/delete", status=204)
def delete(instance: Instance, body: Body) -> Answer:
    """Remove a project; its definition stays."""
    instance.store.builder_projects.remove(_project(instance, body).id)
    return None


@api.post(f"{_PROJECTS}/list")
def list_projects(instance: Instance, body: Body) -> Json:
    """The projects of a workspace."""
    workspace_id = body.id("workspaceId")
    projects = [p for p in instance.store.builder_projects if p.workspace_id == workspace_id]
    return {"projects": [read(instance, project) for project in projects]}


@api.post(f"{_PROJECTS}/get_with_manifest")
def get_with_manifest(instance: Instance, body: Body) -> Json:
    """A project with the manifest of a version or, without one, with its draft, else with the active manifest."""
    project = _project(instance, body)
    answer: Json = {"builderProject": read(instance, project)}
    manifest: Manifest | None = None
    if body.has("version"):
        manifest = _version(instance, project.definition_id or "", body.integer("version"))
    elif project.draft is not None:
        answer["declarativeManifest"] = {"manifest": project.draft, "isDraft": True}
        answer["builderProject"] |= present({"componentsFileContent": project.components})
    elif project.definition_id:
        manifest = declarative.active(instance.store, project.definition_id)
    if manifest is not None:
        answer["declarativeManifest"] = {
            "manifest": manifest.manifest,
            "isDraft": False,
            "version": manifest.version,
            "description": manifest.description,
        }
        answer["builderProject"] |= present({"componentsFileContent": manifest.components})
    return answer


@api.post(f"{_PROJECTS}/get_for_definition_id")
def get_for_definition(instance: Instance, body: Body) -> Json:
    """The project that a definition was published from; nothing where there is none."""
    definition_id, workspace_id = body.id("actorDefinitionId"), body.id("workspaceId")
    found = (p for p in instance.store.builder_projects if p.definition_id == definition_id)
    return next(({"builderProjectId": p.id, "workspaceId": workspace_id} for p in found), {})


@api.post(f"{_PROJECTS}/publish")
def publish(instance: Instance, body: Body) -> Json:
    """Make a definition of a project; doing so again makes another one, and the project follows that."""
    project, name = _project(instance, body), body.text("name")
    sent = body.body("initialDeclarativeManifest")
    manifest = _manifest(sent, new_id(), body.optional_text("componentsFileContent"))
    instance.store.definitions.save(
        Definition(
            manifest.definition_id,
            SOURCE.name,
            name,
            declarative.IMAGE,
            declarative.image_tag(manifest.manifest),
            custom=True,
            workspace_id=project.workspace_id,
            documentation_url=manifest.spec.get("documentationUrl", ""),
        )
    )
    instance.store.manifests.save(manifest)
    declarative.activate(instance.store, manifest)
    project.definition_id, project.name, project.draft = manifest.definition_id, name, None
    instance.store.builder_projects.save(project)
    return {"sourceDefinitionId": manifest.definition_id}


@api.post(f"{_MANIFESTS}/list_manifests")
def list_manifests(instance: Instance, body: Body) -> Json:
    """The versions of a definition's manifest, without their content."""
    found = _declared(instance, body)
    listed = [{"version": m.version, "isActive": m.active, "description": m.description} for m in found]
    return {"manifestVersions": listed}


@api.post(f"{_MANIFESTS}/create_manifest", status=201)
def create_manifest(instance: Instance, body: Body) -> Answer:
    """A further version; 409 where its number is taken. The project's draft is dropped."""
    known = _declared(instance, body)
    manifest = _manifest(
        body.body("declarativeManifest"), known[0].definition_id, body.optional_text("componentsFileContent")
    )
    if any(version.version == manifest.version for version in known):
        raise RefusedError(409, f"Version '{manifest.version}' for source {manifest.definition_id} already exists")
    instance.store.manifests.save(manifest)
    if body.flag("setAsActiveManifest"):
        _use(instance, manifest)
    for project in instance.store.builder_projects:
        if project.definition_id == manifest.definition_id:
            project.draft = None
            instance.store.builder_projects.save(project)
    return None


@api.post(f"{_MANIFESTS}/update_active_manifest", status=204)
def update_active(instance: Instance, body: Body) -> Answer:
    """Let another version count."""
    known = _declared(instance, body)
    _use(instance, _version(instance, known[0].definition_id, body.integer("version")))
    return None


def _use(instance: Instance, manifest: Manifest) -> None:
    declarative.activate(instance.store, manifest)
    definition = instance.store.definitions.get(manifest.definition_id)
    definition.tag = declarative.image_tag(manifest.manifest)
    instance.store.definitions.save(definition)


def _project(instance: Instance, body: Body) -> BuilderProject:
    project, workspace_id = instance.store.builder_projects.get(body.id("builderProjectId")), body.id("workspaceId")
    if project.workspace_id != workspace_id:
        raise NotFoundError("CONNECTOR_BUILDER_PROJECT", project.id)
    return project


def _declared(instance: Instance, body: Body) -> list[Manifest]:
    definition = instance.definitions.get(SOURCE, body.id("sourceDefinitionId"))
    if definition.workspace_id != body.id("workspaceId"):
        raise NotFoundError("DECLARATIVE_SOURCE", definition.id)
    found = declarative.versions(instance.store, definition.id)
    if not found:
        raise RefusedError(400, f"Source {definition.id} does not have a declarative manifest")
    return found


def _version(instance: Instance, definition_id: str, version: int) -> Manifest:
    return instance.store.manifests.get(f"{definition_id}:{version}")


def _manifest(sent: Body, definition_id: str, components: str | None) -> Manifest:
    manifest, spec, version = sent.object("manifest"), sent.object("spec"), sent.integer("version")
    # Airbyte casts both without looking.
    if not isinstance((spec.get("connectionSpecification") or {}).get("properties"), dict):
        raise ServerFaultError("class MissingNode cannot be cast to class ObjectNode", "java.lang.ClassCastException")
    if "version" not in manifest:
        raise ServerFaultError('manifest["version"] must not be null', "java.lang.NullPointerException")
    return Manifest(
        f"{definition_id}:{version}", definition_id, version, sent.text("description"), manifest, spec, components
    )


def read(instance: Instance, project: BuilderProject) -> Json:
    """``ConnectorBuilderProjectDetailsRead``."""
    manifest = declarative.active(instance.store, project.definition_id) if project.definition_id else None
    return present(
        {
            "name": project.name,
            "builderProjectId": project.id,
            "sourceDefinitionId": project.definition_id,
            "activeDeclarativeManifestVersion": manifest.version if manifest else None,
            "hasDraft": project.draft is not None,
            "updatedAt": project.updated_at,
        }
    )

"""DeclarativeConnector: a source connector that is a manifest of Airbyte's low-code CDK and no image of one's own.

Made as Airbyte's own Connector Builder makes it, through the Config API: a builder project holds a draft, publishing it
makes a source definition with version 1 of the manifest, and every change is a further version that becomes the active
one. The public API offers the same since 1.6 without saying which version is active.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from dynamic_providers.airbyte import takeover
from dynamic_providers.airbyte.definition_use import refuse_if_used
from dynamic_providers.airbyte.errors import AlreadyExistsError, NotFoundError, OutcomeUnknownError, RefusedError
from dynamic_providers.airbyte.kinds import SOURCE
from dynamic_providers.airbyte.manifest import canonical, problems, specification
from dynamic_providers.airbyte.models import BuilderProject, Definition
from dynamic_providers.airbyte.session import Session
from dynamic_providers.crud import Checked, Difference, Live, changed_keys, present
from dynamic_providers.values import Properties, contains_unknown, known

_CONFLICT: Final = 409
_IN_PLACE: Final = ("connector_name", "manifest", "components")
_COMPUTED: Final = ("builder_project_id", "manifest_version", "connector_version")


@dataclass(frozen=True)
class DeclarativeConnectorResource:
    """A declarative source connector. Its id is the server's definition id.

    Inputs: ``connector_name``, ``manifest``, ``components`` (Python source of custom components), ``workspace_id``,
    ``adopt``, ``delete_in_use``. Outputs: also ``builder_project_id``, ``manifest_version`` (the active one) and
    ``connector_version`` (the tag of the image that runs manifests).
    """

    session: Session

    def check(self, olds: Properties, news: Properties) -> Checked:
        """A manifest has the parts that the server needs to make a connector of it."""
        inputs = dict(news)
        if inputs.get("workspace_id") is None:
            inputs["workspace_id"] = self.session.declared_workspace or olds.get("workspace_id")
        if contains_unknown(inputs.get("manifest")):
            return Checked(present(inputs))
        inputs["manifest"] = canonical(inputs.get("manifest") or {})
        title = f"Connector {known(inputs.get('connector_name'), '')}"
        return Checked(present(inputs), tuple(f"{title}: {problem}" for problem in problems(inputs["manifest"])))

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """All but the workspace changes in place."""
        replaces = tuple(key for key in changed_keys(olds, news, ("workspace_id",)) if known(news.get(key)) is not None)
        return Difference(changed_keys(olds, news, (*_IN_PLACE, "delete_in_use")) + replaces, replaces)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Make a project and publish it; go on where an interrupted run stopped."""
        workspace_id = self.session.workspace(news.get("workspace_id"))
        project = self._named(news["connector_name"], workspace_id)
        if project is None:
            project = self._draft(news, workspace_id)
        published = project.source_definition_id
        if published is None or self._definition(published, workspace_id) is None:  # never, or deleted since
            self._refuse_other(project, news, workspace_id)
            project = self._publish(project, news, workspace_id)
        if self._content(project, workspace_id) != _declared(news):
            self._refuse_other(project, news, workspace_id)
            self._write_manifest(project, news, workspace_id)
        return str(project.source_definition_id), self._outputs(str(project.source_definition_id), news, workspace_id)

    def read(self, id_: str, olds: Properties) -> Live | None:
        """The name, and the manifest that is active, whoever made it so."""
        workspace_id = olds["workspace_id"]
        project, definition = self._project(id_, workspace_id), self._definition(id_, workspace_id)
        if project is None or definition is None:
            return None
        manifest, components = self._content(project, workspace_id)
        outputs = {
            **olds,
            "connector_name": definition.name,
            "manifest": manifest,
            "components": components or None,
            **_computed(project, definition),
        }
        inputs = {key: value for key, value in outputs.items() if key not in _COMPUTED}
        return Live(present(inputs), {key: value for key, value in outputs.items() if value is not None})

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """A changed manifest becomes a new version, the active one; a draft in the Connector Builder is dropped."""
        workspace_id = str(news.get("workspace_id") or olds["workspace_id"])
        project = self._project(id_, workspace_id)
        if project is None:
            raise AlreadyExistsError(
                f"Connector {news['connector_name']} was deleted outside this program",
                fix="Run `pulumi refresh`, then `pulumi up` makes a new one.",
            )
        if changed_keys(olds, news, ("manifest", "components")) and self._content(project, workspace_id) != _declared(
            news
        ):
            self._write_manifest(project, news, workspace_id)
        if changed_keys(olds, news, ("connector_name",)):
            self._rename(project, news, workspace_id)
        return self._outputs(id_, news, workspace_id)

    def delete(self, id_: str, olds: Properties) -> None:
        """Delete project and definition, unless sources are made of it: the server would delete those as well."""
        workspace_id = olds["workspace_id"]
        refuse_if_used(self.session, SOURCE, id_, olds["connector_name"], workspace_id, olds.get("delete_in_use"))
        client = self.session.client
        with suppress(NotFoundError):
            body = {"workspaceId": workspace_id, "builderProjectId": olds["builder_project_id"]}
            client.post("connector_builder_projects/delete", body)
        with suppress(NotFoundError):
            client.post("source_definitions/delete", {"sourceDefinitionId": id_})
        self._forget(workspace_id)
        self.session.inventory.forget(("actors", SOURCE.name, workspace_id))

    # -- what is there already ------------------------------------------------------------------------------------

    def _projects(self, workspace_id: str) -> list[BuilderProject]:
        def fetch() -> list[BuilderProject]:
            answer = self.session.client.post("connector_builder_projects/list", {"workspaceId": workspace_id})
            return [BuilderProject.model_validate(read) for read in answer.get("projects", [])]

        projects: list[BuilderProject] = self.session.inventory.listed(("builder_projects", workspace_id), fetch)
        return projects

    def _project(self, definition_id: str, workspace_id: str) -> BuilderProject | None:
        projects = self._projects(workspace_id)
        return next((p for p in projects if p.source_definition_id == definition_id), None)

    def _named(self, name: str, workspace_id: str) -> BuilderProject | None:
        found = [project for project in self._projects(workspace_id) if project.name == name]
        takeover.only_one(f"connector {name}", [project.builder_project_id for project in found], None)
        return found[0] if found else None

    def _definition(self, id_: str, workspace_id: str) -> Definition | None:
        definitions = self.session.inventory.definitions(SOURCE, workspace_id)
        return next((definition for definition in definitions if definition.definition_id == id_), None)

    def _content(self, project: BuilderProject, workspace_id: str) -> tuple[dict[str, Any], str]:
        """Manifest and components: those that are active or, of a project never published, the draft."""
        body: dict[str, Any] = {"workspaceId": workspace_id, "builderProjectId": project.builder_project_id}
        if project.active_declarative_manifest_version is not None:
            # Without a version it would be the draft, where somebody is editing one.
            body["version"] = project.active_declarative_manifest_version
        answer = self.session.client.post("connector_builder_projects/get_with_manifest", body)
        manifest = (answer.get("declarativeManifest") or {}).get("manifest") or {}
        return canonical(manifest), str((answer.get("builderProject") or {}).get("componentsFileContent") or "")

    def _refuse_other(self, project: BuilderProject, news: Properties, workspace_id: str) -> None:
        """Raise AlreadyExistsError for somebody else's project; one as declared is what an interrupted run left."""
        if not news.get("adopt") and self._content(project, workspace_id) != _declared(news):
            raise AlreadyExistsError(
                f"The workspace has a connector builder project {news['connector_name']} "
                f"({project.builder_project_id}) with another manifest, and it is not known to this stack; nothing "
                "was written",
                fix="Set adopt: true to manage it from here on, or use another name.",
            )

    # -- writing --------------------------------------------------------------------------------------------------

    def _draft(self, news: Properties, workspace_id: str) -> BuilderProject:
        details = {"name": news["connector_name"], "draftManifest": news["manifest"], **_components(news)}
        return self._made(
            "connector_builder_projects/create",
            {"workspaceId": workspace_id, "builderProject": details},
            workspace_id,
            lambda: self._named(news["connector_name"], workspace_id),
        )

    def _publish(self, project: BuilderProject, news: Properties, workspace_id: str) -> BuilderProject:
        body = {
            "workspaceId": workspace_id,
            "builderProjectId": project.builder_project_id,
            "name": news["connector_name"],
            "initialDeclarativeManifest": _manifest_version(news, 1),
            **_components(news),
        }

        def published() -> BuilderProject | None:
            found = self._named(news["connector_name"], workspace_id)
            fresh = found is not None and found.source_definition_id not in (None, project.source_definition_id)
            return found if fresh else None

        return self._made("connector_builder_projects/publish", body, workspace_id, published)

    def _made(
        self, operation: str, body: dict[str, Any], workspace_id: str, look: Callable[[], BuilderProject | None]
    ) -> BuilderProject:
        """Do what makes something, once, and find what it made."""
        lost: OutcomeUnknownError | None = None
        try:
            self.session.client.post(operation, body)
        except OutcomeUnknownError as error:
            lost = error
        made = takeover.after_lost_answer(lambda: self._forget(workspace_id), look, self.session.client.sleep)
        if made is None:
            raise lost or NotFoundError(f"What {operation} made is not to be found", operation=operation)
        return made

    def _write_manifest(self, project: BuilderProject, news: Properties, workspace_id: str) -> None:
        """Make the next version, and the active one; somebody may take the same number at the same time."""
        ids = {"workspaceId": workspace_id, "sourceDefinitionId": project.source_definition_id}
        client = self.session.client
        for last in (False, True):
            versions = client.post("declarative_source_definitions/list_manifests", ids).get("manifestVersions", [])
            number = 1 + max((int(version["version"]) for version in versions), default=0)
            body = {
                **ids,
                "setAsActiveManifest": True,
                "declarativeManifest": _manifest_version(news, number),
                **_components(news),
            }
            try:
                client.post("declarative_source_definitions/create_manifest", body)
            except RefusedError as error:
                if last or error.status != _CONFLICT:
                    raise
            except OutcomeUnknownError:
                self._forget(workspace_id)
                live = self._project(str(project.source_definition_id), workspace_id)
                if live is not None and self._content(live, workspace_id) == _declared(news):
                    break
                if last:
                    raise
            else:
                break
        self._forget(workspace_id)

    def _rename(self, project: BuilderProject, news: Properties, workspace_id: str) -> None:
        """Name the project, which names the definition; a draft is sent along, or the server would drop it."""
        details: dict[str, Any] = {"name": news["connector_name"], **_components(news)}
        ids = {"workspaceId": workspace_id, "builderProjectId": project.builder_project_id}
        if project.has_draft:
            answer = self.session.client.post("connector_builder_projects/get_with_manifest", ids)
            details["draftManifest"] = (answer.get("declarativeManifest") or {}).get("manifest")
        self.session.client.post("connector_builder_projects/update", {**ids, "builderProject": details})
        self._forget(workspace_id)

    def _forget(self, workspace_id: str) -> None:
        self.session.inventory.forget(("builder_projects", workspace_id))
        self.session.inventory.forget_versions()

    def _outputs(self, id_: str, news: Properties, workspace_id: str) -> Properties:
        self._forget(workspace_id)
        project, definition = self._project(id_, workspace_id), self._definition(id_, workspace_id)
        computed = _computed(project, definition) if project is not None and definition is not None else {}
        return {**news, "workspace_id": workspace_id, **computed}


def _computed(project: BuilderProject, definition: Definition) -> Properties:
    return {
        "builder_project_id": project.builder_project_id,
        "manifest_version": project.active_declarative_manifest_version,
        "connector_version": definition.docker_image_tag,
    }


def _declared(news: Properties) -> tuple[dict[str, Any], str]:
    return canonical(news["manifest"]), str(news.get("components") or "")


def _components(news: Properties) -> dict[str, str]:
    return {"componentsFileContent": news["components"]} if news.get("components") else {}


def _manifest_version(news: Properties, number: int) -> dict[str, Any]:
    return {
        "description": "",
        "version": number,
        "manifest": news["manifest"],
        "spec": specification(news["manifest"]),
    }

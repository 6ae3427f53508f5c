"""The Connector Builder: projects, publishing, versions of manifests."""

from __future__ import annotations

from tests.sandbox.airbyte.harness import POSTGRES, Api, Json

MANIFEST: Json = {"version": "6.48.0", "type": "DeclarativeSource", "streams": []}
SCHEMA: Json = {"type": "object", "properties": {"api_key": {"type": "string", "airbyte_secret": True}}}


def version(number: int, **schema: object) -> Json:
    spec = {"connectionSpecification": SCHEMA | schema}
    return {"version": number, "description": f"number {number}", "manifest": MANIFEST, "spec": spec}


def project(api: Api, name: str = "Shops") -> str:
    answer = api.call(
        "connector_builder_projects/create",
        workspaceId=api.workspace,
        builderProject={"name": name, "draftManifest": MANIFEST},
    )
    assert answer.status_code == 201
    return str(answer.json()["builderProjectId"])


def published(api: Api) -> tuple[str, str]:
    project_id = project(api)
    answer = api.post(
        "connector_builder_projects/publish",
        workspaceId=api.workspace,
        builderProjectId=project_id,
        name="Shops",
        initialDeclarativeManifest=version(1),
    )
    return project_id, answer["sourceDefinitionId"]


def listed(api: Api) -> list[Json]:
    found: list[Json] = api.post("connector_builder_projects/list", workspaceId=api.workspace)["projects"]
    return found


def test_a_project_has_a_draft_until_it_is_published(api: Api) -> None:
    project_id = project(api)
    (drafted,) = listed(api)
    assert drafted["hasDraft"] is True
    assert "sourceDefinitionId" not in drafted
    ids = {"workspaceId": api.workspace, "builderProjectId": project_id}
    shown = api.post("connector_builder_projects/get_with_manifest", **ids)["declarativeManifest"]
    assert shown == {"manifest": MANIFEST, "isDraft": True}


def test_publishing_makes_a_custom_source_definition_of_the_shared_image(api: Api) -> None:
    _, definition = published(api)
    (project_read,) = listed(api)
    assert (project_read["sourceDefinitionId"], project_read["hasDraft"]) == (definition, False)
    assert project_read["activeDeclarativeManifestVersion"] == 1
    read = api.post("source_definitions/get_for_workspace", sourceDefinitionId=definition, workspaceId=api.workspace)
    assert (read["dockerRepository"], read["custom"]) == ("airbyte/source-declarative-manifest", True)
    spec = api.post("source_definition_specifications/get", sourceDefinitionId=definition, workspaceId=api.workspace)
    assert {"api_key", "__injected_declarative_manifest"} <= set(spec["connectionSpecification"]["properties"])


def test_names_may_repeat_and_publishing_twice_makes_two(api: Api) -> None:
    published(api)
    published(api)
    assert len({read["sourceDefinitionId"] for read in listed(api)}) == 2


def test_versions_are_numbered_by_the_client_and_one_counts(api: Api) -> None:
    _, definition = published(api)
    ids = {"workspaceId": api.workspace, "sourceDefinitionId": definition}
    made = api.call(
        "declarative_source_definitions/create_manifest",
        **ids,
        setAsActiveManifest=True,
        declarativeManifest=version(2),
    )
    assert (made.status_code, made.content) == (201, b"")
    taken = api.call(
        "declarative_source_definitions/create_manifest",
        **ids,
        setAsActiveManifest=True,
        declarativeManifest=version(2),
    )
    assert taken.status_code == 409
    active = [(v["version"], v["isActive"]) for v in _versions(api, ids)]
    assert active == [(1, False), (2, True)]
    assert api.call("declarative_source_definitions/update_active_manifest", **ids, version=1).status_code == 204
    assert [v["isActive"] for v in _versions(api, ids)] == [True, False]


def _versions(api: Api, ids: Json) -> list[Json]:
    found: list[Json] = api.post("declarative_source_definitions/list_manifests", **ids)["manifestVersions"]
    return found


def test_an_update_drops_a_draft_that_it_does_not_bring_and_names_the_definition(api: Api) -> None:
    project_id, definition = published(api)
    ids = {"workspaceId": api.workspace, "builderProjectId": project_id}
    draft = {"name": "Stores", "draftManifest": MANIFEST}
    assert api.call("connector_builder_projects/update", **ids, builderProject=draft).status_code == 204
    assert listed(api)[0]["hasDraft"] is True
    assert api.call("connector_builder_projects/update", **ids, builderProject={"name": "Stores"}).status_code == 204
    assert listed(api)[0]["hasDraft"] is False
    read = api.post("source_definitions/get", sourceDefinitionId=definition)
    assert read["name"] == "Stores"


def test_a_definition_with_an_image_has_no_manifests(api: Api) -> None:
    ids = {"workspaceId": api.workspace, "sourceDefinitionId": POSTGRES}
    assert api.call("declarative_source_definitions/list_manifests", **ids).status_code == 404


def test_a_manifest_without_a_specification_breaks_the_server(api: Api) -> None:
    broken = version(1) | {"spec": {}}
    answer = api.call(
        "connector_builder_projects/publish",
        workspaceId=api.workspace,
        builderProjectId=project(api),
        name="Shops",
        initialDeclarativeManifest=broken,
    )
    assert answer.status_code == 500


def test_a_tag_is_changed_only_in_its_workspace(api: Api) -> None:
    tag = api.post("tags/create", workspaceId=api.workspace, name="finance", color="00AA7F")
    other = api.post("workspaces/create", name="other", organizationId="00000000-0000-0000-0000-000000000000")
    body = {"tagId": tag["tagId"], "name": "finance", "color": "000000"}
    assert api.call("tags/update", **body).status_code == 400
    assert api.call("tags/update", **body, workspaceId=other["workspaceId"]).status_code == 404
    assert api.call("tags/delete", tagId=tag["tagId"], workspaceId=other["workspaceId"]).status_code == 404

"""CustomConnector: a connector of one's own, from a Docker image, as a definition in a workspace."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from dynamic_providers.airbyte import definition_writes, takeover
from dynamic_providers.airbyte.connection_api import RESOURCES
from dynamic_providers.airbyte.definition_use import refuse_if_used
from dynamic_providers.airbyte.errors import (
    AlreadyExistsError,
    InvalidConfigError,
    NotFoundError,
    OutcomeUnknownError,
)
from dynamic_providers.airbyte.kinds import DESTINATION, SOURCE, Kind
from dynamic_providers.airbyte.models import Definition
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.suggestions import nearest
from dynamic_providers.crud import Checked, Difference, Live, changed_keys, present
from dynamic_providers.values import Properties, is_unknown, known

_KINDS: Final = {kind.name: kind for kind in (SOURCE, DESTINATION)}
_IN_PLACE: Final = ("connector_name", "docker_image_tag", "resources")
_MOVING_TAGS: Final = frozenset({"latest", "edge", "nightly", "dev"})


@dataclass(frozen=True)
class CustomConnectorResource:
    """A custom definition. Its id is the server's definition id.

    Inputs: ``kind``, ``connector_name``, ``docker_repository``, ``docker_image_tag``, ``documentation_url``,
    ``resources``, ``workspace_id``, ``adopt``, ``delete_in_use``.
    """

    session: Session

    def check(self, olds: Properties, news: Properties) -> Checked:
        """What can be told without a server; the image itself is tried when it is written."""
        inputs = dict(news)
        if inputs.get("workspace_id") is None:
            inputs["workspace_id"] = self.session.declared_workspace or olds.get("workspace_id")
        tag, resources = inputs.get("docker_image_tag"), known(inputs.get("resources"), {})
        title = f"Connector {known(inputs.get('connector_name'), '')}"
        failures = []
        if inputs.get("kind") not in _KINDS:
            failures.append(f"{title}: kind is source or destination, not {inputs.get('kind')!r}.")
        if not is_unknown(tag) and (not tag or tag in _MOVING_TAGS):
            failures.append(f"{title}: {tag!r} is no version that stays what it is; name one, as 1.4.0.")
        failures += [
            f"{title}: resources.{key} is unknown. {nearest(key, RESOURCES)}".rstrip()
            for key in resources
            if key not in RESOURCES
        ]
        return Checked(present(inputs), tuple(failures))

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """Another image is another connector, and so is one of another workspace."""
        replaces = tuple(
            key
            for key in changed_keys(olds, news, ("kind", "docker_repository", "workspace_id"))
            if known(news.get(key)) is not None
        )
        changed = changed_keys(olds, news, (*_IN_PLACE, "documentation_url", "delete_in_use"))
        return Difference(changed + replaces, replaces)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Have the server pull the image and ask it for its spec, which may take minutes."""
        workspace_id = self.session.workspace(news.get("workspace_id"))
        existing = self._existing(news, workspace_id)
        if existing is not None:
            return self._take_over(existing, news, workspace_id)
        kind = _KINDS[news["kind"]]
        wanted = {
            "name": news["connector_name"],
            "dockerRepository": news["docker_repository"],
            "dockerImageTag": news["docker_image_tag"],
            "documentationUrl": news.get("documentation_url") or "",
            "resourceRequirements": {"default": dict(news.get("resources") or {})},
        }
        try:
            definition_id = definition_writes.create(self.session, kind, workspace_id, wanted)
            self.session.inventory.forget_versions()
        except OutcomeUnknownError:
            made = takeover.after_lost_answer(
                self.session.inventory.forget_versions,
                lambda: self._existing(news, workspace_id),
                self.session.client.sleep,
            )
            if made is None:
                raise
            return self._take_over(made, news, workspace_id)
        return definition_id, _outputs(news, workspace_id)

    def read(self, id_: str, olds: Properties) -> Live | None:
        """What the server has; its documentation's address is not compared, since the connector may set it."""
        kind = _KINDS[olds["kind"]]
        definitions = self.session.inventory.definitions(kind, olds["workspace_id"])
        definition = next((d for d in definitions if d.definition_id == id_), None)
        if definition is None:
            return None
        outputs = {
            **olds,
            "connector_name": definition.name,
            "docker_repository": definition.docker_repository,
            "docker_image_tag": definition.docker_image_tag,
            "resources": _resources(definition),
        }
        return Live(present({key: value for key, value in outputs.items() if key != "definition_id"}), outputs)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Another name, version or resources; a new version is asked for its spec first."""
        if olds.get("documentation_url") != news.get("documentation_url"):
            raise InvalidConfigError(
                f"Connector {news['connector_name']}: Airbyte keeps the documentation_url that a connector was made "
                "with; nothing was written",
                fix=f"Write {olds.get('documentation_url') or 'none'!r} again.",
            )
        workspace_id = str(news.get("workspace_id") or olds["workspace_id"])
        if changed_keys(olds, news, _IN_PLACE):
            self._write(id_, news, workspace_id)
        return _outputs(news, workspace_id)

    def delete(self, id_: str, olds: Properties) -> None:
        """Delete it, unless sources or destinations are made of it: the server would delete those as well."""
        kind = _KINDS[olds["kind"]]
        refuse_if_used(self.session, kind, id_, olds["connector_name"], olds["workspace_id"], olds.get("delete_in_use"))
        with suppress(NotFoundError):
            self.session.client.post(f"{kind.definitions}/delete", {kind.definition_field: id_})
        self.session.inventory.forget_versions()
        self.session.inventory.forget(("actors", kind.name, olds["workspace_id"]))

    def _existing(self, news: Properties, workspace_id: str) -> Definition | None:
        found = [
            definition
            for definition in self.session.inventory.definitions(_KINDS[news["kind"]], workspace_id)
            if definition.custom
            and (definition.name, definition.docker_repository) == (news["connector_name"], news["docker_repository"])
        ]
        takeover.only_one(f"connector {news['connector_name']}", [d.definition_id for d in found], None)
        return found[0] if found else None

    def _take_over(self, definition: Definition, news: Properties, workspace_id: str) -> tuple[str, Properties]:
        same = definition.docker_image_tag == news["docker_image_tag"] and _resources(definition) == (
            news.get("resources") or {}
        )
        if not same and not news.get("adopt"):
            raise AlreadyExistsError(
                f"Connector {news['connector_name']} exists as {definition.definition_id}, at version "
                f"{definition.docker_image_tag} or with other resources, and is not known to this stack; nothing was "
                "written",
                fix="Set adopt: true to manage it from here on, or use another name.",
            )
        if not same:
            self._write(definition.definition_id, news, workspace_id)
        return definition.definition_id, _outputs(news, workspace_id)

    def _write(self, id_: str, news: Properties, workspace_id: str) -> None:
        kind: Kind = _KINDS[news["kind"]]
        changes = {
            "workspaceId": workspace_id,
            "name": news["connector_name"],
            "dockerImageTag": news["docker_image_tag"],
            # Left out it would stay, so that none is sent as none.
            "resourceRequirements": {"default": dict(news.get("resources") or {})},
        }
        image = f"{news['docker_repository']}:{news['docker_image_tag']}"
        definition_writes.update(self.session, kind, id_, image, changes)
        self.session.inventory.forget_versions()


def _resources(definition: Definition) -> dict[str, Any]:
    default = (definition.resource_requirements or {}).get("default") or {}
    return {key: value for key, value in default.items() if value}


def _outputs(news: Properties, workspace_id: str) -> Properties:
    return {**news, "workspace_id": workspace_id}

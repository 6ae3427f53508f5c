"""ConnectorVersion: a connector held at one version in a workspace."""

from dataclasses import dataclass

from dynamic_providers.airbyte import versions
from dynamic_providers.airbyte.crud import Checked, Difference, Live, changed_keys, present
from dynamic_providers.airbyte.errors import (
    ApiError,
    BreakingChangeError,
    OutcomeUnknownError,
    UnauthorizedError,
    UnknownConnectorError,
)
from dynamic_providers.airbyte.kinds import kind_of
from dynamic_providers.airbyte.models import Definition, Pin
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.values import Properties, is_unknown, known

_DECLARED = ("connector", "version", "workspace_id", "accept_breaking", "pin")
_TYPE = "ConnectorVersion"
_WORKSPACE = "workspace"
_NONE = "none"


@dataclass(frozen=True)
class ConnectorVersionResource:
    """A version pin. Its id is the connector's definition id.

    Inputs: ``connector``, ``version``, ``workspace_id``, ``accept_breaking``, and ``pin``, which is ``workspace``
    and reads ``none`` where somebody removed the pin. Outputs: also ``definition_id`` and ``docker_repository``.
    """

    session: Session

    def check(self, olds: Properties, news: Properties) -> Checked:
        """Fill in the workspace and refuse an unknown connector, if the server can be asked already."""
        origin = news.pop("origin", None)
        inputs = {**news, "pin": _WORKSPACE}
        connector = known(inputs.get("connector"), "")
        if origin:
            self.session.origins[_TYPE, connector] = origin
        same = olds.get("connector") == connector and olds.get("workspace_id")
        if inputs.get("workspace_id") is None:
            inputs["workspace_id"] = self.session.declared_workspace or (olds["workspace_id"] if same else None)
        # The platform may be part of the same program and not be up yet.
        if not same and not is_unknown(inputs["workspace_id"]) and self.session.client.answers():
            inputs["workspace_id"] = self.session.workspace(inputs["workspace_id"])
            try:
                versions.find_definition(self.session, connector, inputs["workspace_id"], origin)
            except (UnknownConnectorError, UnauthorizedError) as error:
                return Checked(present(inputs), (str(error),))
            except ApiError:
                pass  # whatever is wrong, create will meet it again
        return Checked(present(inputs))

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """A version moves in place; another connector or workspace is another pin."""
        replaces = tuple(
            key for key in changed_keys(olds, news, ("connector", "workspace_id")) if known(news.get(key)) is not None
        )
        return Difference(changed_keys(olds, news, ("version", "pin")) + replaces, replaces)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Pin; a pin that is already there is moved."""
        workspace_id = self.session.workspace(news.get("workspace_id"))
        origin = self._origin(news)
        definition = versions.find_definition(self.session, news["connector"], workspace_id, origin)
        if definition.docker_image_tag != news["version"]:
            self._refuse_breaking(definition, workspace_id, definition.docker_image_tag, news)
        self._pin(definition, workspace_id, news)
        return definition.definition_id, self._outputs(news, workspace_id, definition)

    def read(self, id_: str, olds: Properties) -> Live | None:
        """The version the workspace resolves to, and whether that is by its own pin."""
        workspace_id = olds["workspace_id"]
        kind = kind_of(olds["connector"])
        definitions = self.session.inventory.definitions(kind, workspace_id)
        definition = next((d for d in definitions if d.definition_id == id_), None)
        if definition is None:
            return None
        pin = versions.workspace_pin(self.session, id_, workspace_id)
        version = (pin.value_name if pin else None) or definition.docker_image_tag
        outputs = {**olds, "version": version, "pin": _WORKSPACE if pin else _NONE}
        return Live(present({key: outputs[key] for key in _DECLARED if key in outputs}), outputs)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Move the pin, unless that crosses a breaking change that is not accepted."""
        workspace_id = self.session.workspace(news.get("workspace_id") or olds["workspace_id"])
        definition = Definition(
            definition_id=id_,
            docker_repository=olds["docker_repository"],
            docker_image_tag=olds["version"],
        )
        self._refuse_breaking(definition, workspace_id, olds["version"], news)
        self._pin(definition, workspace_id, news)
        return self._outputs(news, workspace_id, definition)

    def delete(self, id_: str, olds: Properties) -> None:
        """Remove the workspace's pin."""
        pin = versions.workspace_pin(self.session, id_, olds["workspace_id"])
        if pin is not None:
            versions.delete_pin(self.session, pin)

    def _pin(self, definition: Definition, workspace_id: str, news: Properties) -> Pin:
        origin = self._origin(news)
        kind = kind_of(news["connector"])
        version_id = versions.resolve(self.session, definition, kind, news["version"], origin)
        try:
            return versions.write_pin(self.session, definition.definition_id, workspace_id, version_id)
        except OutcomeUnknownError:
            # Asking again what is there makes this safe: it is moved if it was made, and made if not.
            return versions.write_pin(self.session, definition.definition_id, workspace_id, version_id)

    def _refuse_breaking(self, definition: Definition, workspace_id: str, current: str, news: Properties) -> None:
        """Raise BreakingChangeError for a breaking change on the way up that `accept_breaking` does not name.

        Only an actor's version tells the breaking changes above it, so a connector nobody uses has none to cross.
        """
        kind = kind_of(news["connector"])
        start, end = versions.ordinal(current), versions.ordinal(news["version"])
        if start is None or end is None or end <= start:
            return
        actors = self.session.inventory.actors(kind, workspace_id).values()
        user = next((a.actor_id for a in actors if a.definition_id == definition.definition_id), None)
        if user is None:
            return
        for change in versions.upcoming_breaking_changes(self.session, kind, user):
            at = versions.ordinal(str(change.get("version")))
            crossed = at is not None and start < at <= end
            if crossed and change["version"] not in (news.get("accept_breaking") or []):
                raise BreakingChangeError(
                    f"{news['connector']} {current} to {news['version']} crosses the breaking change "
                    f"{change['version']}; nothing was changed",
                    origin=self._origin(news),
                    why=str(change.get("message") or ""),
                    fix=f"Read {change.get('migrationDocumentationUrl') or 'its migration guide'}, then accept it: "
                    f'accept_breaking: ["{change["version"]}"]',
                )

    def _origin(self, news: Properties) -> str | None:
        return self.session.origins.get((_TYPE, news["connector"]))

    @staticmethod
    def _outputs(news: Properties, workspace_id: str, definition: Definition) -> Properties:
        return {
            **news,
            "workspace_id": workspace_id,
            "definition_id": definition.definition_id,
            "docker_repository": definition.docker_repository,
            "pin": _WORKSPACE,
        }

"""ConnectorVersion: a connector held at one version in a workspace."""

from dataclasses import dataclass

from dynamic_providers.airbyte import breaking_changes, known_bad, notices, versions
from dynamic_providers.airbyte.errors import AirbyteError, ApiError, UnauthorizedError, VersionHeldError
from dynamic_providers.airbyte.kinds import kind_of
from dynamic_providers.airbyte.models import Actor, Definition
from dynamic_providers.airbyte.session import Session
from dynamic_providers.crud import Checked, Difference, Live, changed_keys, present
from dynamic_providers.values import Properties, is_unknown, known

_DECLARED = ("connector", "version", "workspace_id", "accept_breaking", "adopt", "pin")
_TYPE = "ConnectorVersion"
_WORKSPACE = "workspace"
_NONE = "none"


@dataclass(frozen=True)
class ConnectorVersionResource:
    """A version pin. Its id is the connector's definition id.

    Inputs: ``connector``, ``version``, ``workspace_id``, ``accept_breaking``, ``adopt``, and ``pin``, which is
    ``workspace`` and reads ``none`` where somebody removed the pin. Outputs: also ``definition_id`` and
    ``docker_repository``.
    """

    session: Session

    def check(self, olds: Properties, news: Properties) -> Checked:
        """Fill in the workspace and refuse an unknown connector, if the server can be asked already."""
        origin = news.pop("origin", None)
        # Adopting asks for the version, by whatever holds it; otherwise a pin of the workspace must hold it.
        inputs = {**news, **({} if news.get("adopt") else {"pin": _WORKSPACE})}
        connector = known(inputs.get("connector"), "")
        if origin:
            self.session.origins[_TYPE, connector] = origin
        same = olds.get("connector") == connector and olds.get("workspace_id")
        if inputs.get("workspace_id") is None:
            inputs["workspace_id"] = self.session.declared_workspace or (olds["workspace_id"] if same else None)
        moved = not same or any(olds.get(key) != inputs.get(key) for key in ("version", "pin"))
        failures: list[str] = []
        # The platform may be part of the same program and not be up yet.
        if moved and not is_unknown(inputs["workspace_id"]) and self.session.client.answers():
            inputs["workspace_id"] = self.session.workspace(inputs["workspace_id"])
            try:
                definition = versions.find_definition(self.session, connector, inputs["workspace_id"], origin)
                if not is_unknown(inputs.get("version")):
                    known_bad.refuse(connector, inputs["version"], origin)
                    self._refuse_breaking(definition, inputs["workspace_id"], inputs)
            except ApiError as error:
                # Whatever else is wrong, create or update will meet it again.
                failures += [str(error)] if isinstance(error, UnauthorizedError) else []
            except AirbyteError as error:
                failures.append(str(error))
        return Checked(present(inputs), tuple(failures))

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """A version moves in place; another connector or workspace is another pin."""
        replaces = tuple(
            key for key in changed_keys(olds, news, ("connector", "workspace_id")) if known(news.get(key)) is not None
        )
        kept = ("version", "pin") if "pin" in news else ("version",)
        return Difference(changed_keys(olds, news, kept) + replaces, replaces)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Pin; a pin that is already there is moved."""
        workspace_id = self.session.workspace(news.get("workspace_id"))
        origin = self._origin(news)
        definition = versions.find_definition(self.session, news["connector"], workspace_id, origin)
        if news.get("adopt") and definition.docker_image_tag == news["version"]:
            pin = versions.workspace_pin(self.session, definition.definition_id, workspace_id)
            outputs = self._outputs(news, workspace_id, definition)
            return definition.definition_id, {**outputs, "pin": _WORKSPACE if pin else _NONE}
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
        declared = [key for key in _DECLARED if key in outputs and not (key == "pin" and olds.get("adopt"))]
        return Live(present({key: outputs[key] for key in declared}), outputs)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG002
        """Move the pin, unless that crosses a breaking change that is not accepted."""
        workspace_id = self.session.workspace(news.get("workspace_id") or olds["workspace_id"])
        definition = versions.find_definition(self.session, news["connector"], workspace_id, self._origin(news))
        self._pin(definition, workspace_id, news)
        return self._outputs(news, workspace_id, definition)

    def delete(self, id_: str, olds: Properties) -> None:
        """Remove the workspace's pin, and say what the server made of that."""
        workspace_id, kind = olds["workspace_id"], kind_of(olds["connector"])
        pin = versions.workspace_pin(self.session, id_, workspace_id)
        if pin is None:
            return
        before = {actor.actor_id for actor in self._held_back(id_, workspace_id, olds)}
        versions.delete_pin(self.session, pin)
        if versions.workspace_pin(self.session, id_, workspace_id) is not None:
            raise VersionHeldError(
                f"The pin of {olds['connector']} was deleted, and is still there", fix="Remove it in Airbyte."
            )
        kept = [actor for actor in self._held_back(id_, workspace_id, olds) if actor.actor_id not in before]
        if kept:
            names = ", ".join(sorted(actor.name for actor in kept))
            notices.warn(
                self.session,
                f"Airbyte holds {kind.name} {names} at {olds['connector']} {olds['version']} although its pin is gone, "
                f"since its default version lies beyond a breaking change.",
            )

    def _pin(self, definition: Definition, workspace_id: str, news: Properties) -> None:
        """Pin, and let actors that a breaking change held back follow; all is asked and refused before a write."""
        self._refuse_breaking(definition, workspace_id, news)
        kind, origin = kind_of(news["connector"]), self._origin(news)
        version_id = versions.resolve(self.session, definition, kind, news["version"], origin)
        versions.write_pin(self.session, definition.definition_id, "workspace", workspace_id, version_id)
        for actor in self._held_back(definition.definition_id, workspace_id, news):
            if (
                versions.resolved(self.session, kind, definition.definition_id, workspace_id, actor.actor_id)
                != (news["version"])
            ):
                versions.hold(self.session, kind, actor, news["version"], origin)
        versions.forget_actors(self.session, workspace_id)

    def _users(self, definition_id: str, workspace_id: str, properties: Properties) -> list[Actor]:
        actors = self.session.inventory.actors(kind_of(properties["connector"]), workspace_id).values()
        return [actor for actor in actors if actor.definition_id == definition_id]

    def _held_back(self, definition_id: str, workspace_id: str, properties: Properties) -> list[Actor]:
        """The actors that the server, and not a user, pinned at a version."""
        held = []
        for actor in self._users(definition_id, workspace_id, properties):
            pin = versions.actor_pin(self.session, definition_id, actor.actor_id)
            if pin is not None and pin.origin_type == "breaking_change":
                held.append(actor)
        return held

    def _refuse_breaking(self, definition: Definition, workspace_id: str, news: Properties) -> None:
        """Raise BreakingChangeError for a breaking change on the way up that `accept_breaking` does not name.

        Each actor counts with the version that it really runs; a connector that nobody uses has nothing to break. One
        that a user pinned by itself stays where it is.
        """
        kind, target = kind_of(news["connector"]), str(news["version"])
        users = []
        for actor in self._users(definition.definition_id, workspace_id, news):
            pin = versions.actor_pin(self.session, definition.definition_id, actor.actor_id)
            version = versions.resolved(self.session, kind, definition.definition_id, workspace_id, actor.actor_id)
            if version and (pin is None or pin.origin_type == "breaking_change"):
                users.append(breaking_changes.User(version, tuple(actor.upcoming)))
        breaking_changes.refuse(
            news["connector"],
            min((user.version for user in users), key=lambda tag: versions.ordinal(tag) or (), default=""),
            target,
            breaking_changes.crossed(users, target, by_major=not definition.custom),
            news.get("accept_breaking") or [],
            self._origin(news),
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

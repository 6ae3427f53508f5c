"""Sources and destinations: one implementation, since the API treats both alike."""

from dataclasses import dataclass
from typing import Any

from dynamic_providers.airbyte import actor_config, gates, secrets, takeover, versions
from dynamic_providers.airbyte.crud import Checked, Difference, Live, changed_keys, present
from dynamic_providers.airbyte.errors import AlreadyExistsError, InvalidConfigError, OutcomeUnknownError
from dynamic_providers.airbyte.kinds import Kind
from dynamic_providers.airbyte.models import Actor, Pin, Specification
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.values import Properties, contains_unknown, known


@dataclass(frozen=True)
class ActorResource:
    """A source or a destination. Its id is the server's.

    Inputs: ``source_name`` or ``destination_name``, ``connector``, ``definition_id``, ``connector_version``,
    ``workspace_id``, ``config``, ``secret_paths``, ``fingerprint_key``, ``adopt``, ``skip_check``; check adds
    ``secret_fingerprints``. Outputs: also ``server_filled``, the fields the server holds beyond the program's.
    """

    session: Session
    kind: Kind

    def check(self, olds: Properties, news: Properties) -> Checked:
        """Add the fingerprints; what the spec says is checked when the server can be asked, before any write."""
        inputs = dict(news)
        name = known(inputs.get(self.kind.name_input), "")
        origin = inputs.pop("origin", None)
        if origin:
            self.session.origins[self.kind.name, name] = origin
        config = known(inputs.get("config"), {})
        inputs["secret_paths"] = sorted(inputs.get("secret_paths") or [])
        inputs["secret_fingerprints"] = secrets.fingerprints(
            config, inputs["secret_paths"], inputs.get("fingerprint_key")
        )
        if inputs.get("workspace_id") is None:
            inputs["workspace_id"] = self.session.declared_workspace or olds.get("workspace_id")
        for path in inputs["secret_paths"]:
            self.session.redactor.add(secrets.get(config, path))
        absent = [path for path in inputs["secret_paths"] if not secrets.leaves(config, [path])]
        failures = [
            self._message(name, f"secret_paths names {path}, which config does not have")
            for path in absent
            if not contains_unknown(config)
        ]
        return Checked({**present(inputs), "config": config}, tuple(failures))

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """Everything but the connector and the workspace changes in place."""
        changed = changed_keys(
            olds,
            news,
            (
                self.kind.name_input,
                "config",
                "connector_version",
                "secret_fingerprints",
                "secret_paths",
                "skip_check",
            ),
        )
        # Not known yet does not mean another one: a pin that is moved keeps its connector.
        replaces = tuple(
            key
            for key in changed_keys(olds, news, ("definition_id", "workspace_id"))
            if known(news.get(key)) is not None
        )
        return Difference(changed + replaces, replaces)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Check, then make it; or take over the one that an interrupted run made or `adopt` asks for."""
        workspace_id = self.session.workspace(news.get("workspace_id"))
        self._guard(news)
        specification = self._valid(news, workspace_id)
        existing = self._existing(news, workspace_id)
        if existing is not None:
            return self._take_over(existing, news, specification)
        self._gate(news, workspace_id, None)
        body = {
            self.kind.definition_field: news["definition_id"],
            "workspaceId": workspace_id,
            "name": news[self.kind.name_input],
            "connectionConfiguration": news["config"],
        }
        try:
            actor = self.kind.actor(self.session.client.post(f"{self.kind.collection}/create", body))
        except OutcomeUnknownError:
            made = takeover.after_lost_answer(
                lambda: self.session.inventory.forget(("actors", self.kind.name, workspace_id)),
                lambda: self._existing(news, workspace_id),
                self.session.client.sleep,
            )
            if made is None:
                raise
            return self._take_over(made, news, specification)
        self.session.inventory.remember_actor(self.kind, actor)
        return actor.actor_id, self._outputs(news, actor)

    def read(self, id_: str, olds: Properties) -> Live | None:
        """What the server has, secrets taken from state."""
        actor = self.session.inventory.actors(self.kind, olds["workspace_id"]).get(id_)
        if actor is None:
            return None
        self._guard(olds)
        config = actor_config.live(
            actor.connection_configuration or {}, olds["config"], olds.get("server_filled") or {}
        ).declared
        paths = olds.get("secret_paths") or []
        there = set(secrets.leaves(config, paths))
        outputs = {
            **olds,
            self.kind.name_input: actor.name,
            "config": config,
            "connector_version": self._version(actor) or olds["connector_version"],
            "secret_fingerprints": {
                path: value for path, value in (olds.get("secret_fingerprints") or {}).items() if path in there
            },
        }
        computed = {"server_filled", f"{self.kind.name}_id"}
        inputs = {key: value for key, value in outputs.items() if key not in computed}
        return Live({**present(inputs), "config": config}, outputs)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Check, then replace the configuration; unchanged secrets go as masks."""
        workspace_id = self.session.workspace(news.get("workspace_id") or olds.get("workspace_id"))
        news = {**news, "workspace_id": workspace_id}
        self._guard(olds)
        self._guard(news)
        actor = self._live(id_, workspace_id)
        pin = versions.actor_pin(self.session, actor.definition_id, id_)
        moves = pin is not None and self._version(actor) != news["connector_version"]
        configured = not actor_config.same(olds["config"], news["config"])
        renamed = olds[self.kind.name_input] != news[self.kind.name_input]
        if pin is not None and moves:
            self._unpin(actor, pin)
        if configured or moves or olds.get("connector_version") != news.get("connector_version"):
            specification = self._valid(news, workspace_id)
            self._gate(news, workspace_id, id_)
        elif renamed:
            specification = self._specification(news, workspace_id)
        else:
            return self._outputs(news, actor, olds.get("server_filled"))
        if configured or renamed:
            actor = self._write(actor, news, olds, specification)
        return self._outputs(news, actor)

    def delete(self, id_: str, olds: Properties) -> None:
        """Delete it; the server deletes its connections along with it, and does not mind a second time."""
        self.session.client.post(f"{self.kind.collection}/delete", {self.kind.id_field: id_})
        self.session.inventory.forget_actor(self.kind, str(olds.get("workspace_id")), id_)

    # -- before anything is written -------------------------------------------------------------------------------

    def _guard(self, properties: Properties) -> None:
        for path in properties.get("secret_paths") or []:
            self.session.redactor.add(secrets.get(properties["config"], path))

    def _specification(self, news: Properties, workspace_id: str) -> Specification:
        return self.session.inventory.specification(self.kind, news["definition_id"], workspace_id)

    def _valid(self, news: Properties, workspace_id: str) -> Specification:
        specification = self._specification(news, workspace_id)
        found = actor_config.problems(news["config"], specification, news.get("secret_paths") or [])
        if found:
            raise InvalidConfigError(
                f"The config of {self._subject(news)} does not fit this connector: "
                + "; ".join(problem.rstrip(".") for problem in found),
                origin=self._subject(news).origin,
                fix=f"Correct it; {specification.documentation_url or 'its documentation'} describes the fields.",
            )
        return specification

    def _gate(self, news: Properties, workspace_id: str, actor_id: str | None) -> None:
        if not news.get("skip_check"):
            gates.check(
                self.session,
                self._subject(news),
                definition_id=news["definition_id"],
                workspace_id=workspace_id,
                config=news["config"],
                actor_id=actor_id,
            )

    # -- what is there already ------------------------------------------------------------------------------------

    def _existing(self, news: Properties, workspace_id: str) -> Actor | None:
        name, definition_id = news[self.kind.name_input], news["definition_id"]
        actors = self.session.inventory.actors(self.kind, workspace_id).values()
        found = [actor for actor in actors if (actor.name, actor.definition_id) == (name, definition_id)]
        takeover.only_one(
            f"{self.kind.name} {name} ({news['connector']})",
            [actor.actor_id for actor in found],
            self._subject(news).origin,
        )
        return found[0] if found else None

    def _take_over(self, actor: Actor, news: Properties, specification: Specification) -> tuple[str, Properties]:
        differing = actor_config.differences(
            actor.connection_configuration or {}, news["config"], specification.connection_specification
        )
        if differing and not news.get("adopt"):
            raise AlreadyExistsError(
                f"{self._subject(news)} exists as {actor.actor_id}, with other values for {', '.join(differing)}, "
                "and is not known to this stack; nothing was written",
                origin=self._subject(news).origin,
                fix="Set adopt: true to manage it from here on, or use another name.",
            )
        if differing or not news.get("adopt"):
            # Only an adopted object that is as declared is left alone. One that an interrupted run of ours left may
            # lack the present secrets, so these are checked and sent.
            self._gate(news, actor.workspace_id, actor.actor_id)
            actor = self._write(actor, news, {}, specification)
        return actor.actor_id, self._outputs(news, actor)

    def _live(self, id_: str, workspace_id: str) -> Actor:
        actor = self.session.inventory.actors(self.kind, workspace_id).get(id_)
        if actor is None:
            raise AlreadyExistsError(
                f"{self.kind.title} {id_} was deleted outside this program",
                fix="Run `pulumi refresh`, then `pulumi up` makes a new one.",
            )
        return actor

    def _version(self, actor: Actor) -> str | None:
        """The version that this very actor is held at; None where the workspace's counts."""
        pin = versions.actor_pin(self.session, actor.definition_id, actor.actor_id)
        return pin.value_name if pin else None

    # -- writing --------------------------------------------------------------------------------------------------

    def _write(self, actor: Actor, news: Properties, olds: Properties, specification: Specification) -> Actor:
        config = actor_config.to_send(
            news["config"],
            olds.get("config") or {},
            actor.connection_configuration,
            news.get("secret_paths") or [],
            specification.connection_specification,
        )
        body: dict[str, Any] = {
            self.kind.id_field: actor.actor_id,
            "name": news[self.kind.name_input],
            "connectionConfiguration": config,
        }
        if actor.resource_allocation is not None:
            body["resourceAllocation"] = actor.resource_allocation  # left out, the server would clear it
        # Not partial_update: that one stores a mask as if it were the secret.
        written = self.kind.actor(self.session.client.post(f"{self.kind.collection}/update", body))
        self.session.inventory.remember_actor(self.kind, written)
        return written

    def _unpin(self, actor: Actor, pin: Pin) -> None:
        """Let the workspace's version count again for an actor that was held at its own."""
        if pin.origin_type == "breaking_change":
            body = {self.kind.id_field: actor.actor_id}
            self.session.client.post(f"{self.kind.collection}/upgrade_version", body)
            self.session.inventory.forget_versions()
        else:
            versions.delete_pin(self.session, pin)

    def _outputs(self, news: Properties, actor: Actor, filled: dict[str, Any] | None = None) -> Properties:
        if filled is None:
            filled = actor_config.live(actor.connection_configuration or {}, news["config"], {}).extras
        return {
            **news,
            "workspace_id": actor.workspace_id,
            f"{self.kind.name}_id": actor.actor_id,
            **({"server_filled": filled} if filled else {}),
        }

    def _subject(self, news: Properties) -> gates.Subject:
        name = news[self.kind.name_input]
        origin = self.session.origins.get((self.kind.name, name))
        return gates.Subject(self.kind, name, news["connector"], str(news.get("connector_version", "")), origin)

    def _message(self, name: str, text: str) -> str:
        origin = self.session.origins.get((self.kind.name, name))
        return f"{origin + ': ' if origin else ''}{self.kind.title} {name}: {text}."

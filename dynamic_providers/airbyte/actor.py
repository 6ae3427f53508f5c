"""Sources and destinations: one implementation, since the API treats both alike."""

from dataclasses import dataclass
from typing import Any

from dynamic_providers.airbyte import (
    actor_config,
    allocation,
    breaking_changes,
    coordinates,
    gates,
    secrets,
    takeover,
    twins,
    versions,
)
from dynamic_providers.airbyte.errors import AirbyteError, AlreadyExistsError, InvalidConfigError, OutcomeUnknownError
from dynamic_providers.airbyte.kinds import Kind
from dynamic_providers.airbyte.models import Actor, Specification
from dynamic_providers.airbyte.session import Session
from dynamic_providers.crud import Checked, Difference, Live, changed_keys, present
from dynamic_providers.values import Properties, contains_unknown, known


@dataclass(frozen=True)
class ActorResource:
    """A source or a destination. Its id is the server's.

    Inputs: ``source_name`` or ``destination_name``, ``connector``, ``definition_id``, ``connector_version``,
    ``workspace_id``, ``config``, ``secret_paths``, ``fingerprint_key``, ``resources``, ``adopt``, ``skip_check``; check
    adds ``secret_fingerprints``. Outputs: also ``server_filled``, the fields the server holds beyond the program's,
    ``server_defaults``, the program's that the server lacks because they are its defaults, and after an adoption that
    wrote nothing ``adopted_secrets``, which is ``verified`` (by a check) or ``unverified``.
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
        # A reference is no secret: it stays readable, and shows when it changes.
        inputs["secret_paths"] = sorted(
            path for path in inputs.get("secret_paths") or [] if not secrets.is_coordinate(secrets.get(config, path))
        )
        inputs["secret_fingerprints"] = secrets.fingerprints(
            config, inputs["secret_paths"], inputs.get("fingerprint_key")
        )
        if inputs.get("workspace_id") is None:
            inputs["workspace_id"] = self.session.declared_workspace or olds.get("workspace_id")
        self._guard({**inputs, "config": config})
        absent = [path for path in inputs["secret_paths"] if not secrets.leaves(config, [path])]
        failures = [
            self._message(name, f"secret_paths names {path}, which config does not have")
            for path in absent
            if not contains_unknown(config)
        ]
        failures += [
            self._message(
                name,
                f"config.{path} is {secrets.MASK}, which is what Airbyte shows instead of a secret: it would become "
                "the secret. Declare the secret itself",
            )
            for path in secrets.masks(config)
        ]
        resources = {} if inputs.get("resources") is None else inputs["resources"]
        if not contains_unknown(resources):
            failures += [self._message(name, problem.rstrip(".")) for problem in allocation.problems(resources)]
            inputs["resources"] = allocation.canonical(resources)
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
                "resources",
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
        existing = self._existing(news, workspace_id)
        if existing is not None:
            return self._take_over(existing, news)
        self._valid(news, workspace_id)
        self._refuse_unknown_version(news, workspace_id)
        self._gate(news, workspace_id, None)
        body = {
            self.kind.definition_field: news["definition_id"],
            "workspaceId": workspace_id,
            "name": news[self.kind.name_input],
            "connectionConfiguration": news["config"],
            **allocation.to_api(news.get("resources")),
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
            return self._take_over(made, news)
        twins.withdraw_if_second(self.session, self.kind, actor, self._subject(news).origin)
        self._hold_new(actor, news)
        return actor.actor_id, self._outputs(news, actor)

    def read(self, id_: str, olds: Properties) -> Live | None:
        """What the server has, secrets taken from state."""
        actor = self.session.inventory.actors(self.kind, olds["workspace_id"]).get(id_)
        if actor is None:
            return None
        self._guard(olds)
        paths = olds.get("secret_paths") or []
        live = actor_config.live(
            actor.connection_configuration or {}, olds["config"], olds.get("server_filled") or {}, paths
        )
        config = actor_config.with_absent(live.declared, olds.get("server_defaults") or {})
        changed_outside = set(live.changed_secrets)
        kept_at = coordinates.read(self.session, self.kind, id_, paths, olds["config"])
        if kept_at is not None:
            changed_outside |= coordinates.changed(olds.get("secret_coordinates") or {}, kept_at, paths)
            config = coordinates.with_references(config, kept_at)
        there = set(secrets.leaves(config, paths))
        outputs = {
            **olds,
            self.kind.name_input: actor.name,
            "config": config,
            "connector_version": self._version(actor) or olds["connector_version"],
            "secret_fingerprints": {
                path: secrets.CHANGED_OUTSIDE if path in changed_outside else value
                for path, value in (olds.get("secret_fingerprints") or {}).items()
                if path in there
            },
            **({"secret_coordinates": kept_at} if kept_at is not None else {}),
        }
        outputs.pop("resources", None)
        if resources := allocation.live(self.session, actor, olds):
            outputs["resources"] = resources
        computed = {"secret_coordinates", "server_filled", "server_defaults", "adopted_secrets", f"{self.kind.name}_id"}
        inputs = {key: value for key, value in outputs.items() if key not in computed}
        return Live({**present(inputs), "config": config}, outputs)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Check, then replace the configuration; unchanged secrets go as masks."""
        workspace_id = self.session.workspace(news.get("workspace_id") or olds.get("workspace_id"))
        news = {**news, "workspace_id": workspace_id}
        self._guard(olds)
        self._guard(news)
        actor = self._live(id_, workspace_id)
        # A version that nobody changed here is left alone: what else moved it is for a refresh to tell.
        told = olds.get("connector_version") != news.get("connector_version")
        pin = versions.actor_pin(self.session, actor.definition_id, id_)
        moves = (told or pin is not None) and self._version(actor) != news["connector_version"]
        configured = not actor_config.same(olds["config"], news["config"]) or bool(_changed_outside(olds))
        described = bool(changed_keys(olds, news, (self.kind.name_input, "resources")))
        tried = moves and self._move(actor, news)
        if configured or moves or told:
            specification = self._valid(news, workspace_id, actor)
            if not tried:
                self._gate(news, workspace_id, id_)
        elif described:
            specification = self._specification(news, workspace_id, actor)
        else:
            return self._outputs(news, actor, olds)
        if not configured and not described:
            return self._outputs(news, actor, olds)
        return self._outputs(news, self._write(actor, news, olds, specification))

    def delete(self, id_: str, olds: Properties) -> None:
        """Delete it; the server deletes its connections along with it, and does not mind a second time."""
        self.session.client.post(f"{self.kind.collection}/delete", {self.kind.id_field: id_})
        self.session.inventory.forget_actor(self.kind, str(olds.get("workspace_id")), id_)

    # -- before anything is written -------------------------------------------------------------------------------

    def _guard(self, properties: Properties) -> None:
        for path in properties.get("secret_paths") or []:
            for text in secrets.texts(secrets.get(properties["config"], path)):
                self.session.redactor.add(text)

    def _specification(self, news: Properties, workspace_id: str, actor: Actor | None) -> Specification:
        """The spec of the version that this very actor is held at, or that a new one is made at."""
        actor_id = actor.actor_id if actor is not None else ""
        return self.session.inventory.specification(self.kind, news["definition_id"], workspace_id, actor_id)

    def _valid(self, news: Properties, workspace_id: str, actor: Actor | None = None) -> Specification:
        """Refuse a configuration that breaks the spec; one with a version of its own meets that once it is pinned."""
        specification = self._specification(news, workspace_id, actor)
        elsewhere = actor is None and self._version_of_workspace(news, workspace_id) != news["connector_version"]
        marked = news.get("secret_paths") or []
        found = actor_config.problems(news["config"], specification, marked, other_version=elsewhere)
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
        actors = self.session.inventory.actors(self.kind, workspace_id)
        what = f"{self.kind.name} {name} ({news['connector']})"
        of_connector = {id_: actor for id_, actor in actors.items() if actor.definition_id == definition_id}
        chosen = takeover.named(what, news.get("adopt"), of_connector, self._subject(news).origin)
        if chosen is not None:
            return chosen
        found = [actor for actor in of_connector.values() if actor.name == name]
        takeover.only_one(
            what,
            [actor.actor_id for actor in found],
            self._subject(news).origin,
        )
        return found[0] if found else None

    def _take_over(self, actor: Actor, news: Properties) -> tuple[str, Properties]:
        moves = self._version(actor) != news["connector_version"]
        judge = self._specification if moves else self._valid
        specification = judge(news, actor.workspace_id, actor)
        differing = actor_config.differences(
            actor.connection_configuration or {}, news["config"], specification.connection_specification
        )
        if actor.name != news[self.kind.name_input]:
            differing = [self.kind.name_input, *differing]
        if allocation.live(self.session, actor, news) != (news.get("resources") or {}):
            differing = [*differing, "resources"]
        if differing and not news.get("adopt"):
            raise AlreadyExistsError(
                f"{self._subject(news)} exists as {actor.actor_id}, with other values for {', '.join(differing)}, "
                "and is not known to this stack; nothing was written",
                origin=self._subject(news).origin,
                fix="Set adopt: true to manage it from here on, or use another name.",
            )
        if moves:
            self._move(actor, news)
            specification = self._valid(news, actor.workspace_id, actor)
        if news.get("adopt") and not differing:
            return actor.actor_id, self._adopted(actor, news)
        # What an interrupted run of ours left may lack the present secrets, so these are checked and sent.
        self._gate(news, actor.workspace_id, actor.actor_id)
        actor = self._write(actor, news, {}, specification)
        return actor.actor_id, self._outputs(news, actor)

    def _adopted(self, actor: Actor, news: Properties) -> Properties:
        """Outputs of an object that is as declared, and so not written to.

        Its secrets can't be compared, so the declared ones are tried; where that is waived, state says so.
        """
        outputs = self._outputs(news, actor)
        if not news.get("secret_paths"):
            return outputs
        self._gate(news, actor.workspace_id, actor.actor_id)
        return {**outputs, "adopted_secrets": "unverified" if news.get("skip_check") else "verified"}

    def _live(self, id_: str, workspace_id: str) -> Actor:
        actor = self.session.inventory.actors(self.kind, workspace_id).get(id_)
        if actor is None:
            raise AlreadyExistsError(
                f"{self.kind.title} {id_} was deleted outside this program",
                fix="Run `pulumi refresh`, then `pulumi up` makes a new one.",
            )
        return actor

    def _version(self, actor: Actor) -> str | None:
        """The version that this very actor runs, by whatever pin or default."""
        return versions.resolved(self.session, self.kind, actor.definition_id, actor.workspace_id, actor.actor_id)

    def _version_of_workspace(self, news: Properties, workspace_id: str) -> str | None:
        return versions.resolved(self.session, self.kind, news["definition_id"], workspace_id)

    def _move(self, actor: Actor, news: Properties) -> bool:
        """Make it run the declared version; gives whether it was tried before, as its workspace's version can be."""
        wanted, origin = news["connector_version"], self._subject(news).origin
        shared: bool = versions.resolved(self.session, self.kind, actor.definition_id, actor.workspace_id) == wanted
        if shared:
            self._gate(news, actor.workspace_id, None)
        else:
            users = [breaking_changes.User(self._version(actor) or "", tuple(actor.upcoming))]
            crossed = breaking_changes.crossed(users, wanted, by_major=True)
            accepted = news.get("accept_breaking") or []
            breaking_changes.refuse(news["connector"], users[0].version, wanted, crossed, accepted, origin)
        versions.hold(self.session, self.kind, actor, wanted, origin)
        return shared

    def _refuse_unknown_version(self, news: Properties, workspace_id: str) -> None:
        """Raise UnknownVersionError for one of its own, not the workspace's, that does not exist."""
        definitions = self.session.inventory.definitions(self.kind, workspace_id)
        definition = next((d for d in definitions if d.definition_id == news["definition_id"]), None)
        if definition is not None and definition.docker_image_tag != news["connector_version"]:
            origin = self._subject(news).origin
            versions.resolve(self.session, definition, self.kind, news["connector_version"], origin)

    def _hold_new(self, actor: Actor, news: Properties) -> None:
        """Pin a new actor whose version is not its workspace's, and try it at that; it is deleted if it fails."""
        if self._version(actor) == news["connector_version"]:
            return
        try:
            versions.hold(self.session, self.kind, actor, news["connector_version"], self._subject(news).origin)
            self._valid(news, actor.workspace_id, actor)
            self._gate(news, actor.workspace_id, actor.actor_id)
        except AirbyteError:
            pin = versions.actor_pin(self.session, actor.definition_id, actor.actor_id)
            if pin is not None:
                versions.delete_pin(self.session, pin)
            self.delete(actor.actor_id, {"workspace_id": actor.workspace_id})
            raise

    # -- writing --------------------------------------------------------------------------------------------------

    def _write(self, actor: Actor, news: Properties, olds: Properties, specification: Specification) -> Actor:
        config = actor_config.to_send(
            news["config"],
            olds.get("config") or {},
            actor.connection_configuration,
            news.get("secret_paths") or [],
            specification.connection_specification,
            push=_changed_outside(olds),
        )
        body: dict[str, Any] = {
            self.kind.id_field: actor.actor_id,
            "name": news[self.kind.name_input],
            "connectionConfiguration": config,
            **allocation.to_api(news.get("resources")),  # left out, the server clears it
        }
        # Not partial_update: that one stores a mask as if it were the secret.
        written = self.kind.actor(self.session.client.post(f"{self.kind.collection}/update", body))
        self.session.inventory.remember_actor(self.kind, written)
        return written

    def _outputs(self, news: Properties, actor: Actor, olds: Properties | None = None) -> Properties:
        """Outputs after an operation; `olds` are given where it did not write, so that what they say still holds."""
        read, marked = actor.connection_configuration or {}, news.get("secret_paths") or []
        if olds is not None:
            filled, kept_at = olds.get("server_filled"), olds.get("secret_coordinates")
        else:
            schema = self._specification(news, actor.workspace_id, actor).connection_specification
            filled = actor_config.filled(read, news["config"], marked, schema)
            kept_at = coordinates.read(self.session, self.kind, actor.actor_id, marked, news["config"])
        computed = {
            "server_filled": filled,
            "server_defaults": actor_config.without_secrets(actor_config.absent(read, news["config"]), marked),
            "secret_coordinates": kept_at,
        }
        return {
            **news,
            "workspace_id": actor.workspace_id,
            f"{self.kind.name}_id": actor.actor_id,
            **{key: value for key, value in computed.items() if value},
        }

    def _subject(self, news: Properties) -> gates.Subject:
        name = news[self.kind.name_input]
        origin = self.session.origins.get((self.kind.name, name))
        return gates.Subject(self.kind, name, news["connector"], str(news.get("connector_version", "")), origin)

    def _message(self, name: str, text: str) -> str:
        origin = self.session.origins.get((self.kind.name, name))
        return f"{origin + ': ' if origin else ''}{self.kind.title} {name}: {text}."


def _changed_outside(properties: Properties) -> set[str]:
    """The paths of secrets that a refresh found changed by somebody else."""
    prints = properties.get("secret_fingerprints") or {}
    return {path for path, value in prints.items() if value == secrets.CHANGED_OUTSIDE}

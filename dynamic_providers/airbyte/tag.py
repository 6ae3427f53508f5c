"""Tag: a name and a colour that connections can bear, in one workspace. Servers have them since 1.5."""

import contextlib
import re
from dataclasses import dataclass
from typing import Any, Final

from dynamic_providers.airbyte import takeover
from dynamic_providers.airbyte.connection_api import TAG_COLOR
from dynamic_providers.airbyte.errors import AlreadyExistsError, NotFoundError, OutcomeUnknownError, RefusedError
from dynamic_providers.airbyte.session import Session
from dynamic_providers.crud import Checked, Difference, Live, changed_keys, present
from dynamic_providers.values import Properties, is_unknown, known

_LONGEST: Final = 30
"""Letters in a name; the server's own limit."""
_CONFLICT: Final = 409


@dataclass(frozen=True)
class TagResource:
    """A tag. Its id is the server's; inputs: ``tag_name``, ``color``, ``workspace_id``, ``adopt``."""

    session: Session

    def check(self, olds: Properties, news: Properties) -> Checked:
        """A colour is six hexadecimal digits, in capitals and without the ``#``."""
        inputs = dict(news)
        color, name = inputs.get("color"), inputs.get("tag_name")
        failures = []
        if not is_unknown(color):
            inputs["color"] = str(color).removeprefix("#").upper()
            if not re.fullmatch(r"[0-9A-F]{6}", inputs["color"]):
                failures.append(f"Tag {known(name, '')}: {color!r} is no colour; write six hexadecimal digits.")
        if not is_unknown(name) and not 0 < len(str(name)) <= _LONGEST:
            failures.append(f"Tag {name}: a name has between 1 and {_LONGEST} letters.")
        if inputs.get("workspace_id") is None:
            inputs["workspace_id"] = self.session.declared_workspace or olds.get("workspace_id")
        return Checked(present(inputs), tuple(failures))

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """Name and colour change in place, on the connections that bear the tag too."""
        replaces = tuple(key for key in changed_keys(olds, news, ("workspace_id",)) if known(news.get(key)) is not None)
        return Difference(changed_keys(olds, news, ("tag_name", "color")) + replaces, replaces)

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Make it; take over one that is as declared, or that a connection made in passing."""
        workspace_id = self.session.workspace(news.get("workspace_id"))
        found = self._named(news["tag_name"], workspace_id)
        if found is None:
            body = {"workspaceId": workspace_id, "name": news["tag_name"], "color": news["color"]}
            try:
                found = self.session.client.post("tags/create", body)
                self._forget(workspace_id)
            except OutcomeUnknownError:
                found = takeover.after_lost_answer(
                    lambda: self._forget(workspace_id),
                    lambda: self._named(news["tag_name"], workspace_id),
                    self.session.client.sleep,
                )
                if found is None:
                    raise
            except RefusedError as error:
                # A connection of the same program may have made it in the meantime.
                self._forget(workspace_id)
                found = self._named(news["tag_name"], workspace_id) if error.status == _CONFLICT else None
                if found is None:
                    raise
        return str(found["tagId"]), self._take_over(found, news, workspace_id)

    def read(self, id_: str, olds: Properties) -> Live | None:
        """What the server has."""
        found = next((tag for tag in self._tags(olds["workspace_id"]) if tag["tagId"] == id_), None)
        if found is None:
            return None
        outputs = {**olds, "tag_name": found["name"], "color": str(found["color"]).upper()}
        return Live(present(outputs), outputs)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:
        """Rename or recolour."""
        workspace_id = str(news.get("workspace_id") or olds["workspace_id"])
        self._write(id_, news, workspace_id)
        return {**news, "workspace_id": workspace_id}

    def delete(self, id_: str, olds: Properties) -> None:
        """Delete it; the server takes it from the connections that bear it."""
        with contextlib.suppress(NotFoundError):
            self.session.client.post("tags/delete", {"tagId": id_, "workspaceId": olds["workspace_id"]})
        self._forget(olds["workspace_id"])

    def _take_over(self, found: dict[str, Any], news: Properties, workspace_id: str) -> Properties:
        color = str(found["color"]).upper()
        if color != news["color"]:
            if color != TAG_COLOR and not news.get("adopt"):
                raise AlreadyExistsError(
                    f"Tag {news['tag_name']} exists as {found['tagId']} in another colour ({color}), and is not known "
                    "to this stack; nothing was written",
                    fix="Set adopt: true to manage it from here on, or use another name.",
                )
            self._write(found["tagId"], news, workspace_id)
        return {**news, "workspace_id": workspace_id}

    def _write(self, id_: str, news: Properties, workspace_id: str) -> None:
        body = {"tagId": id_, "workspaceId": workspace_id, "name": news["tag_name"], "color": news["color"]}
        self.session.client.post("tags/update", body)
        self._forget(workspace_id)
        self.session.inventory.forget(("connections", workspace_id))  # they show the tags they bear

    def _named(self, name: str, workspace_id: str) -> dict[str, Any] | None:
        return next((tag for tag in self._tags(workspace_id) if tag["name"] == name), None)

    def _tags(self, workspace_id: str) -> list[dict[str, Any]]:
        def fetch() -> list[dict[str, Any]]:
            return self.session.client.post_many("tags/list", {"workspaceId": workspace_id})

        tags: list[dict[str, Any]] = self.session.inventory.listed(("tags", workspace_id), fetch)
        return tags

    def _forget(self, workspace_id: str) -> None:
        self.session.inventory.forget(("tags", workspace_id))

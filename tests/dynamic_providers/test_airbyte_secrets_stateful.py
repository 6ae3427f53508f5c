"""A source with generated secrets through any sequence of changes: what is stored is what was declared, no mask."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dynamic_providers.airbyte import secrets, spec
from dynamic_providers.airbyte.actor import ActorResource
from dynamic_providers.airbyte.actor_config import within
from dynamic_providers.airbyte.kinds import SOURCE
from dynamic_providers.airbyte.secrets import CHANGED_OUTSIDE, MASK
from sandbox.airbyte import masking
from tests.dynamic_providers import generated
from tests.dynamic_providers.conftest import FINGERPRINT_KEY, Life

if TYPE_CHECKING:
    from tests.dynamic_providers.conftest import Airbyte, Properties

STEPS = 6


@pytest.fixture(scope="module")
def shared(start_airbyte: Callable[[], AbstractContextManager[Airbyte]]) -> Iterator[Airbyte]:
    """One server for all examples; each has a connector of its own."""
    with start_airbyte() as server:
        yield server


class Story:
    """One source, its connector's two versions, and what happens to it."""

    def __init__(self, airbyte: Airbyte, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.airbyte, self.draw = airbyte, draw
        first = draw(generated.specs())
        self.specs = [first, draw(generated.marked_otherwise(first))]
        self.version = 0
        self.definition = generated.publish(airbyte, *self.specs)
        self.config: Properties = draw(generated.configs(first))
        self.name = "a source"
        self.ever_secret: set[str] = set()
        self.ever_plain: set[str] = set()
        self.life = Life(lambda session: ActorResource(self._watching(session), SOURCE), airbyte)

    @staticmethod
    def _watching(session: Any) -> Any:
        session.watch_secrets = True
        return session

    def program(self) -> Properties:
        paths = generated.secret_paths(self.config, *self.specs)
        self.ever_secret |= {text for path in paths for text in secrets.texts(secrets.get(self.config, path))}
        plain = secrets.replaced(self.config, dict.fromkeys(paths))
        self.ever_plain |= {self.name, *(str(value) for _, value in secrets.scalars(plain))}
        return {
            "source_name": self.name,
            "connector": "source-generated",
            "definition_id": self.definition,
            "connector_version": f"{self.version + 1}.0.0",
            "config": copy.deepcopy(self.config),
            "secret_paths": paths,
            "fingerprint_key": FINGERPRINT_KEY,
        }

    # -- what may happen ---------------------------------------------------------------------------------------------

    def rotate(self) -> None:
        self._change([p for p, _ in self._leaves() if within(p, generated.secret_paths(self.config, *self.specs))])

    def change_a_plain_field(self) -> None:
        marked = generated.secret_paths(self.config, *self.specs)
        self._change([p for p, _ in self._leaves() if not within(p, marked)])

    def rename(self) -> None:
        self.name = self.draw(generated.TEXT)

    def declare_something_else(self) -> None:
        self.config = self.draw(generated.configs(self.specs[0]))

    def move_the_version(self) -> None:
        self.version = 1 - self.version
        self.airbyte.post(
            "source_definitions/update",
            {
                "sourceDefinitionId": self.definition,
                "dockerImageTag": f"{self.version + 1}.0.0",
                "workspaceId": self.airbyte.session().workspace(),
            },
        )

    def refresh(self) -> None:
        assert self.life.refresh() == ()

    def somebody_writes_a_secret(self) -> None:
        """Somebody writes the same configuration with one other secret; the server stores all secrets anew."""
        paths = [p for p in generated.secret_paths(self.config, self.specs[self.version]) if self._is_text(p)]
        if not paths:
            return
        theirs = secrets.replaced(self.config, {self.draw(st.sampled_from(paths)): "0therwise"})
        self._write(theirs)
        assert "secret_fingerprints" in self.life.refresh()
        assert CHANGED_OUTSIDE in self.life.inputs["secret_fingerprints"].values()

    def somebody_changes_a_plain_field(self) -> None:
        marked = generated.secret_paths(self.config, *self.specs)
        plain = [p for p, value in self._leaves() if not within(p, marked) and self._is_text(p)]
        if not plain:
            return
        path = self.draw(st.sampled_from(plain))
        live = self.airbyte.read("sources", self.life.id)["connectionConfiguration"]
        if not any(p for p in secrets.masks(live) if any(part.isdigit() for part in p.split("."))):
            self._write(secrets.replaced(self.config, {path: "0therwise"}))
            assert "config" in self.life.refresh()
            self.no_secret_in_plain_sight()

    def _is_text(self, path: str) -> bool:
        value = secrets.get(self.config, path)
        return isinstance(value, str) and not value.startswith("branch-")

    def _leaves(self) -> list[tuple[str, Any]]:
        return [(p, v) for p, v in secrets.scalars(self.config) if not str(v).startswith("branch-")]

    def _change(self, paths: list[str]) -> None:
        if not paths:
            return
        path = self.draw(st.sampled_from(paths))
        old = secrets.get(self.config, path)
        strategy = generated.NUMBERS if isinstance(old, int) else generated.TEXT
        if isinstance(old, int | str):
            self.config = secrets.replaced(self.config, {path: self.draw(strategy)})

    def _write(self, config: Properties) -> None:
        body = {"sourceId": self.life.id, "name": self.name, "connectionConfiguration": config}
        self.airbyte.post("sources/update", body)

    # -- what must hold ----------------------------------------------------------------------------------------------

    def up(self) -> None:
        """Bring it up, and see that it is as declared and that nothing else was touched."""
        before = generated.kept_at(self.airbyte, self.life.id) if self.life.id else {}
        changed_outside = {
            path for path, value in self.life.inputs.get("secret_fingerprints", {}).items() if value == CHANGED_OUTSIDE
        }
        olds = self.life.inputs.get("config", {})
        program = self.program()
        self.life.up(program)
        assert generated.stored(self.airbyte, self.life.id) == self.config
        assert not secrets.masked(self.airbyte.stored_secrets())
        assert self.life.refresh() == ()
        assert self.life.up(program) == ()
        self.no_secret_in_plain_sight()
        after = generated.kept_at(self.airbyte, self.life.id)
        for path in set(before) & set(after) - changed_outside:
            same = secrets.get(olds, path) == secrets.get(self.config, path)
            if same and self._a_mask_would_do(path):
                assert before[path] == after[path], f"{path} was written although it had not changed"

    def _a_mask_would_do(self, path: str) -> bool:
        """Whether the server would put its own secret in place of a mask there, and let the mask pass."""
        current = self.specs[self.version]
        masked = secrets.replaced(self.config, {path: MASK})
        kept = secrets.replaced(self.config, {path: {masking.SECRET_KEY: "it"}})
        put_back = secrets.get(masking.restore_masks(kept, masked, current), path)
        return put_back == {masking.SECRET_KEY: "it"} and not spec.problems(masked, current)

    def no_secret_in_plain_sight(self) -> None:
        """The engine keeps secret what is secret in the program, at the same path; so no secret may be elsewhere."""
        for properties in (self.life.inputs, self.life.outputs):
            hidden = {f"config.{path}" for path in properties.get("secret_paths", ())}
            for path, value in secrets.scalars(properties):
                kept_secret = any(path == h or path.startswith(f"{h}.") for h in hidden)
                assert kept_secret or str(value) not in self.ever_secret - self.ever_plain, path


HAPPENINGS = [
    Story.rotate,
    Story.change_a_plain_field,
    Story.rename,
    Story.declare_something_else,
    Story.move_the_version,
    Story.refresh,
    Story.somebody_writes_a_secret,
    Story.somebody_changes_a_plain_field,
]


def tell(shared: Airbyte, data: st.DataObject) -> None:
    """One story: the source comes into being, and then things happen to it."""
    story = Story(shared, data.draw)
    story.up()
    for _ in range(STEPS):
        data.draw(st.sampled_from(HAPPENINGS))(story)
        story.up()


# Each example is a story of many calls, so it is not shrunk.
STORIES = settings(deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.reuse, Phase.generate))


@settings(STORIES, max_examples=4, derandomize=True)
@given(data=st.data())
def test_what_is_stored_is_what_was_declared_whatever_happened(shared: Airbyte, data: st.DataObject) -> None:
    tell(shared, data)


@pytest.mark.slow
@settings(STORIES, max_examples=60)
@given(data=st.data())
def test_what_is_stored_is_what_was_declared_in_many_stories(shared: Airbyte, data: st.DataObject) -> None:
    tell(shared, data)

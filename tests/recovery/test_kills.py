"""An engine killed at a call of a first `up`: recovery ends with every object exactly once, and nothing to do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from tests.recovery.conftest import Airbyte, Content, Killer, MakeStack, Reference, Stack

pytestmark = pytest.mark.e2e
Poll = Callable[[Callable[[], bool | None], float], bool]
BULK = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
MOST_CALLS = 130
"""More than an `up` of 31 resources makes."""
MARGIN = 4
"""By so much the number of calls differs from run to run, with what finds a list that another has just fetched."""
WALKED = "walked"
"""The property of a test that holds what its kill left behind."""
CREATED = {"scoped_configuration": 2, "destinations": 2, "sources": 13, "connections": 13}


class Walk(Protocol):
    """Kills an `up` of 31 resources at a call, recovers, and compares with an `up` that nobody disturbed."""

    def __call__(self, *, plugins_too: bool, **where: Any) -> None: ...


def assert_converged(airbyte: Airbyte, stack: Stack) -> None:
    live = airbyte.names()
    assert len(live.pop("pins")) == 2
    assert live == {
        "sources": sorted(f"source-{number}" for number in range(stack.pairs)),
        "destinations": ["warehouse-0", "warehouse-1"],
        "connections": sorted(f"connection-{number}" for number in range(stack.pairs)),
    }
    stack.run("preview", "--refresh", "--expect-no-changes", "--diff", "--stack=test")
    state = stack.state()
    assert not state.get("pending_operations")
    ours = [resource["id"] for resource in state["resources"] if "dynamic/airbyte" in resource["type"]]
    assert len(ours) == len(set(ours)) == 2 * stack.pairs + 5


def killed_at(
    airbyte: Airbyte, stack: Stack, killer: Killer, poll: Poll, *, plugins_too: bool = True, **where: Any
) -> None:
    """An `up` whose engine is killed while the server holds the call that `where` says."""
    airbyte.fault(hold=True, **where)
    assert killed(airbyte, stack, killer, poll, plugins_too=plugins_too), stack.printed


def killed(airbyte: Airbyte, stack: Stack, killer: Killer, poll: Poll, *, plugins_too: bool) -> bool:
    """An `up` that is killed when a fault strikes; gives False where it ends before."""
    engine = stack.start("up", "--yes", "--skip-preview", "--stack=test")
    poll(lambda: airbyte.struck() or (engine.poll() is not None or None), 240)
    if engine.poll() is not None:
        stack.finish(engine, None)
        return False
    killer.kill(engine, plugins_too=plugins_too)
    return True


def let_go(airbyte: Airbyte, poll: Poll) -> None:
    """The server does what it was held at, whether or not anybody still waits for the answer."""
    airbyte.let_go()
    poll(lambda: not airbyte.underway() or None, 30)


@pytest.mark.parametrize(
    "where",
    [
        pytest.param({"path": "/v1/applications/token"}, id="before the first write"),
        pytest.param({"path": "/v1/sources/create", "skip": 1}, id="during a source's create", marks=pytest.mark.slow),
        pytest.param(
            {"path": "/v1/destinations/create", "skip": 1, "when": "after"}, id="after the write, before the answer"
        ),
        pytest.param(
            {"path": "/v1/connections/create", "skip": 1}, id="during a connection's create", marks=pytest.mark.slow
        ),
    ],
)
def test_an_up_killed_with_its_plugins_is_recovered(
    airbyte: Airbyte, stack: Stack, killer: Killer, poll: Poll, where: dict[str, Any]
) -> None:
    killed_at(airbyte, stack, killer, poll, **where)
    let_go(airbyte, poll)
    stack.recover()
    assert_converged(airbyte, stack)


def test_an_orphaned_plugin_that_finishes_its_create_does_no_harm(
    airbyte: Airbyte, stack: Stack, killer: Killer, poll: Poll
) -> None:
    killed_at(airbyte, stack, killer, poll, plugins_too=False, path="/v1/sources/create", skip=1, when="after")
    let_go(airbyte, poll)
    stack.recover()
    assert_converged(airbyte, stack)
    poll(lambda: not killer.still_running("pulumi.dynamic") or None, 15)


@pytest.mark.slow
def test_an_orphaned_plugin_makes_nothing_behind_the_back_of_the_next_up(
    airbyte: Airbyte, stack: Stack, killer: Killer, poll: Poll
) -> None:
    """It was checking when its engine was killed, and is let go on when the next `up` is done."""
    killed_at(airbyte, stack, killer, poll, plugins_too=False, path="/v1/*check*", skip=2)
    stack.recover()
    let_go(airbyte, poll)
    poll(lambda: not killer.still_running("pulumi.dynamic") or None, 15)
    assert_converged(airbyte, stack)


@pytest.fixture
def whole_stack(airbyte: Airbyte, make_stack: MakeStack) -> Stack:
    """31 resources."""
    return make_stack(airbyte, 13)


@pytest.fixture
def walk(
    airbyte: Airbyte,
    whole_stack: Stack,
    undisturbed: Reference,
    killer: Killer,
    poll: Poll,
    record_property: Callable[[str, object], None],
) -> Walk:
    """One kill of a walk, to its end."""

    def one(*, plugins_too: bool, **where: Any) -> None:
        airbyte.fault(hold=True, **where)
        if not killed(airbyte, whole_stack, killer, poll, plugins_too=plugins_too):
            pytest.skip(f"this up made {len(airbyte.calls())} calls only")
        let_go(airbyte, poll)
        whole_stack.recover()
        found = airbyte.content()
        counts = found_counts(found, undisturbed.server)
        record_property(WALKED, counts)
        assert not counts["duplicates"]
        assert not counts["lost"]
        # What an undisturbed run leaves has nothing to do for the next preview, so neither has its like.
        assert found == undisturbed.server
        assert whole_stack.content() == undisturbed.state
        assert not whole_stack.state().get("pending_operations")

    return one


def found_counts(found: Content, wanted: Content) -> dict[str, int]:
    """How many objects there are too many and too few, by their names."""
    surplus = missing = 0
    for kind, reads in wanted.items():
        there, expected = (Counter(identity(read) for read in each) for each in (found[kind], reads))
        surplus += (there - expected).total()
        missing += (expected - there).total()
    return {"duplicates": surplus, "lost": missing}


def identity(read: str) -> str:
    """What an object is known by: its name, or what a pin pins."""
    members = json.loads(read)
    return str(members.get("name") or members["resource_name"])


@pytest.mark.slow
@pytest.mark.parametrize("number", range(MOST_CALLS))
def test_an_up_killed_at_any_call_is_recovered(walk: Walk, undisturbed: Reference, number: int) -> None:
    assert undisturbed.calls < MOST_CALLS - MARGIN, "an up makes more calls than are tried here"
    if number > undisturbed.calls + MARGIN:
        pytest.skip(f"an up makes about {undisturbed.calls} calls")
    walk(plugins_too=True, path="/v1/*", skip=number)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "number"), [(kind, n) for kind, count in CREATED.items() for n in range(count)])
def test_an_up_orphaned_at_any_create_is_recovered(walk: Walk, kind: str, number: int) -> None:
    walk(plugins_too=False, path=f"/v1/{kind}/create", skip=number, when="after")


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "number"), [(kind, n) for kind, count in CREATED.items() for n in range(0, count, 2)])
def test_an_up_without_checkpoints_killed_while_it_creates_is_recovered(
    walk: Walk, whole_stack: Stack, kind: str, number: int
) -> None:
    """State then knows nothing of what was made; it is found by name."""
    whole_stack.env |= BULK
    walk(plugins_too=True, path=f"/v1/{kind}/create", skip=number, when="after")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(0, MOST_CALLS, 5))
def test_an_up_without_checkpoints_killed_at_any_call_is_recovered(
    walk: Walk, whole_stack: Stack, undisturbed: Reference, number: int
) -> None:
    if number > undisturbed.calls + MARGIN:
        pytest.skip(f"an up makes about {undisturbed.calls} calls")
    whole_stack.env |= BULK
    walk(plugins_too=True, path="/v1/*", skip=number)

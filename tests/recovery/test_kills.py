"""An engine killed at a call of a first `up`: recovery ends with every object exactly once, and nothing to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.recovery.conftest import Airbyte, Killer, MakeStack, Stack

pytestmark = pytest.mark.e2e
Poll = Callable[[Callable[[], bool | None], float], bool]
BULK = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
MOST_CALLS = 110
"""More than an `up` of 31 resources makes."""
CREATED = {"scoped_configuration": 2, "destinations": 2, "sources": 13, "connections": 13}


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
    poll(lambda: airbyte.struck() or (engine.poll() is not None or None), 120)
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
        pytest.param({"path": "/v1/sources/create", "skip": 1}, id="during a source's create"),
        pytest.param(
            {"path": "/v1/destinations/create", "skip": 1, "when": "after"}, id="after the write, before the answer"
        ),
        pytest.param({"path": "/v1/connections/create", "skip": 1}, id="during a connection's create"),
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


@pytest.mark.slow
@pytest.mark.parametrize("number", range(MOST_CALLS))
def test_an_up_killed_at_any_call_is_recovered(
    airbyte: Airbyte, whole_stack: Stack, killer: Killer, poll: Poll, number: int
) -> None:
    airbyte.fault(hold=True, path="/v1/*", skip=number)
    if not killed(airbyte, whole_stack, killer, poll, plugins_too=True):
        pytest.skip(f"an up makes {len(airbyte.calls())} calls only")
    assert number < MOST_CALLS - 1, "an up may make more calls than are tried here"
    let_go(airbyte, poll)
    whole_stack.recover()
    assert_converged(airbyte, whole_stack)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "number"),
    [(kind, n) for kind, count in CREATED.items() for n in range(count)],
)
def test_an_up_orphaned_at_any_create_is_recovered(
    airbyte: Airbyte, whole_stack: Stack, killer: Killer, poll: Poll, kind: str, number: int
) -> None:
    killed_at(
        airbyte, whole_stack, killer, poll, plugins_too=False, path=f"/v1/{kind}/create", skip=number, when="after"
    )
    let_go(airbyte, poll)
    whole_stack.recover()
    assert_converged(airbyte, whole_stack)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/v1/destinations/create", "/v1/sources/create", "/v1/connections/create"])
def test_an_up_without_checkpoints_killed_while_it_creates_is_recovered(
    airbyte: Airbyte, whole_stack: Stack, killer: Killer, poll: Poll, path: str
) -> None:
    """State then knows nothing of what was made; it is found by name."""
    whole_stack.env |= BULK
    killed_at(airbyte, whole_stack, killer, poll, path=path, skip=1, when="after")
    let_go(airbyte, poll)
    whole_stack.recover()
    assert_converged(airbyte, whole_stack)

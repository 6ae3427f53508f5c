"""A server or a proxy that fails in the middle of an `up`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.recovery.conftest import Airbyte, MakeStack, Stack

Poll = Callable[[Callable[[], bool | None], float], bool]
pytestmark = pytest.mark.e2e
LOST_ANSWERS: list[dict[str, Any]] = [
    {"path": "/v1/sources/create", "when": "after", "status": 504, "body": "html"},
    {"path": "/v1/destinations/create", "when": "after", "disconnect": True},
    {"path": "/v1/connections/create", "when": "after", "status": 502, "body": "empty"},
    {"path": "/v1/scoped_configuration/create", "when": "after", "status": 504, "body": "html"},
    {"path": "/v1/*check*", "skip": 1, "disconnect": True},
    {"path": "/v1/sources/create", "skip": 1, "expire": True},
    {"path": "/v1/*discover*", "status": 429, "headers": {"Retry-After": "1"}},
    {"path": "/v1/connections/create", "skip": 1, "status": 429, "headers": {"Retry-After": "1"}},
    {"path": "/v1/sources/list_paginated", "status": 503, "body": "html"},
]


def assert_complete(airbyte: Airbyte, pairs: int) -> None:
    live = airbyte.names()
    assert live["sources"] == sorted(f"source-{number}" for number in range(pairs))
    assert live["destinations"] == ["warehouse-0", "warehouse-1"]
    assert live["connections"] == sorted(f"connection-{number}" for number in range(pairs))
    assert len(live["pins"]) == 2


def errors(printed: str) -> list[str]:
    """The errors of a run that are not the engine's own summary."""
    found = re.findall(r"^\s*error: (.*)$", printed, re.MULTILINE)
    return [error for error in found if error not in ("update failed", "preview failed")]


def test_lost_answers_broken_connections_ended_tokens_and_full_queues_are_no_failure(
    airbyte: Airbyte, stack: Stack
) -> None:
    """Each object is made exactly once by one `up`, and the next one has nothing to do."""
    for fault in LOST_ANSWERS:
        airbyte.fault(**fault)
    stack.up()
    assert airbyte.struck()
    assert_complete(airbyte, stack.pairs)
    stack.run("preview", "--refresh", "--expect-no-changes", "--diff", "--stack=test")


def test_a_proxys_page_instead_of_an_answer_is_one_paragraph_and_the_next_up_goes_on(
    airbyte: Airbyte, stack: Stack
) -> None:
    airbyte.fault(path="/v1/sources/create", when="after", status=200, body="html")
    printed = stack.up(code=None)
    assert len(errors(printed)) == 1, printed
    assert "airbyteUrl" in errors(printed)[0]
    assert "Traceback" not in printed
    airbyte.let_go()
    stack.up()
    assert_complete(airbyte, stack.pairs)
    stack.run("preview", "--refresh", "--expect-no-changes", "--diff", "--stack=test")


def test_a_second_up_of_the_same_stack_is_refused_while_the_first_runs(
    airbyte: Airbyte, stack: Stack, poll: Poll
) -> None:
    airbyte.fault(path="/v1/sources/create", hold=True)
    first = stack.start("up", "--yes", "--skip-preview", "--stack=test")
    poll(airbyte.struck, 240)
    second = stack.start("up", "--yes", "--skip-preview", "--stack=test", to="second.txt")
    refused = stack.finish(second, None, to="second.txt")
    assert second.returncode
    assert "currently locked by 1 lock" in refused
    airbyte.let_go()
    stack.finish(first)
    assert_complete(airbyte, stack.pairs)


@pytest.mark.parametrize("kind", ["sources", pytest.param("connections", marks=pytest.mark.slow)])
def test_two_stacks_that_declare_the_same_make_it_once_and_one_is_told(
    airbyte: Airbyte, make_stack: MakeStack, poll: Poll, kind: str
) -> None:
    """They know nothing of one another, and both look before either has made anything."""
    stacks = [make_stack(airbyte, 1), make_stack(airbyte, 1)]
    airbyte.fault(path=f"/v1/{kind}/create", hold=True, times=2)
    running = []
    for stack in stacks:
        running.append(stack.start("up", "--yes", "--skip-preview", "--stack=test"))
        poll(lambda: airbyte.struck_times() == len(running) or None, 240)
    airbyte.let_go()
    printed = [stack.finish(process, None) for stack, process in zip(stacks, running, strict=True)]
    assert len(airbyte.names()[kind]) == len(set(airbyte.names()[kind]))
    told = [text for text in printed if "was made by somebody else at the same time" in text]
    assert told, printed
    for stack in stacks:
        stack.up(code=None)
    assert_complete(airbyte, 1)


@pytest.mark.slow
@pytest.mark.parametrize("_again", range(5))
def test_two_ups_of_a_large_program_at_once_leave_everything_once(
    airbyte: Airbyte, make_stack: MakeStack, _again: int
) -> None:
    """They run as they please; where one withdraws what the other made too, the next `up` of each settles it."""
    stacks = [make_stack(airbyte, 13), make_stack(airbyte, 13)]
    running = [stack.start("up", "--yes", "--skip-preview", "--stack=test") for stack in stacks]
    for stack, process in zip(stacks, running, strict=True):
        stack.finish(process, None)
    for names in airbyte.names().values():
        assert len(names) == len(set(names))
    for stack in stacks:
        stack.up()
    assert_complete(airbyte, 13)
    for stack in stacks:
        stack.run("preview", "--refresh", "--expect-no-changes", "--diff", "--stack=test")

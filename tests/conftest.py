"""Fixtures that several suites share."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")
PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The project's own folder."""
    return PROJECT


@pytest.fixture(scope="session")
def poll() -> Callable[[Callable[[], T | None], float], T]:
    """Ask until there is an answer: ``poll(question, deadline in seconds)``."""

    def until(question: Callable[[], T | None], deadline: float) -> T:
        end = time.monotonic() + deadline
        while (answer := question()) is None:
            assert time.monotonic() < end, f"no answer within {deadline} s"
            time.sleep(0.1)
        return answer

    return until

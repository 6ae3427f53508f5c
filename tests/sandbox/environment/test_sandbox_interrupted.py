"""`up` that is killed, interrupted or given twice, shown on fake services."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

Lab = Any
ProcessesOf = Callable[[Path], list[psutil.Process]]

PROJECT = Path(__file__).resolve().parents[3]

UP = """
import os, signal, sys
from pathlib import Path
from sandbox import processes, supervisor
from sandbox.environment import Sandbox
from tests.sandbox.environment.fakes import fakes

# A shell that runs the tests in the background ignores the signal, for all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
calls = 0

def then_die(function, die_at, before, how):
    def wrapped(*arguments, **options):
        global calls
        calls += 1
        if before and calls == die_at:
            os.kill(os.getpid(), how)
        result = function(*arguments, **options)
        if not before and calls == die_at:
            os.kill(os.getpid(), how)
        return result
    return wrapped

{sabotage}
Sandbox(Path(sys.argv[1]), fakes(int(sys.argv[2]), int(sys.argv[3]))).up(print, {{"alpha", "beta"}})
"""


def command(lab: Lab, sabotage: str = "") -> list[str]:
    """A command that ups the lab's sandbox from a process of its own."""
    code = UP.format(sabotage=textwrap.dedent(sabotage))
    return [sys.executable, "-c", code, str(lab.root), *map(str, lab.ports)]


MOMENTS = {
    "before the first start": "processes.start = then_die(processes.start, 1, True, signal.{how})",
    "after the first start, before it is written down": (
        "processes.start = then_die(processes.start, 1, False, signal.{how})"
    ),
    "after the second start, before it is written down": (
        "processes.start = then_die(processes.start, 2, False, signal.{how})"
    ),
    "while it waits for the first": (
        "supervisor.Supervisor._ready = then_die(supervisor.Supervisor._ready, 1, True, signal.{how})"
    ),
    "before the state is replaced": (
        "processes.Path.replace = then_die(processes.Path.replace, 3, True, signal.{how})"
    ),
    "after the state is replaced": (
        "processes.Path.replace = then_die(processes.Path.replace, 3, False, signal.{how})"
    ),
    "before the env file is there": ("Sandbox._write_env = then_die(Sandbox._write_env, 1, True, signal.{how})"),
}


@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_up_that_was_ended_goes_on_when_given_again(
    lab: Lab, processes_of: ProcessesOf, moment: str, how: str
) -> None:
    ended = subprocess.run(
        command(lab, MOMENTS[moment].format(how=how)), cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0, "it was to be ended"
    survivors = {process.pid for process in processes_of(lab.root)}

    lab.up()

    running = {process.pid for process in processes_of(lab.root)}
    assert lab.states() == {"running"}
    assert len(running) == 2
    assert survivors <= running, "what already ran was kept"
    lab.down()
    assert processes_of(lab.root) == []


def test_down_after_a_killed_up_finds_what_was_not_written_down(lab: Lab, processes_of: ProcessesOf) -> None:
    moment = MOMENTS["after the first start, before it is written down"].format(how="SIGKILL")
    subprocess.run(command(lab, moment), cwd=PROJECT, capture_output=True, check=False)
    assert len(processes_of(lab.root)) == 1

    lab.down()

    assert processes_of(lab.root) == []


def test_services_outlive_the_command_and_its_terminal(lab: Lab) -> None:
    subprocess.run(command(lab), cwd=PROJECT, capture_output=True, check=True)

    assert lab.states() == {"running"}
    for service in lab.sandbox.status():
        assert psutil.Process(service.pid).terminal() is None


def test_concurrent_ups_start_everything_once(lab: Lab, processes_of: ProcessesOf) -> None:
    commands = [
        subprocess.Popen(command(lab), cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(3)
    ]
    output = [each.communicate(timeout=60)[0] for each in commands]

    assert [each.returncode for each in commands] == [0, 0, 0], output
    assert [len(lab.starts(name)) for name in ("alpha", "beta")] == [1, 1]
    assert sum("alpha      started" in text for text in output) == 1
    assert sum("alpha      runs already" in text for text in output) == 2

"""What `up`, `down` and `status` promise, shown on fake services."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from sandbox import processes, supervisor
from sandbox.environment import Sandbox
from sandbox.errors import SandboxError, ServiceError
from sandbox.services import services

Lab = Any
ProcessesOf = Callable[[Path], list[psutil.Process]]


@contextmanager
def another_program_on(port: int) -> Iterator[None]:
    """Somebody else's server."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        yield


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether a condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
    return True


def test_up_starts_every_service_and_says_where_it_is(lab: Lab) -> None:
    lab.up()

    assert lab.states() == {"running"}
    assert [f"http://127.0.0.1:{lab.ports[0]}" in line for line in lab.said] == [True, False]
    assert [f"http://127.0.0.1:{lab.ports[1]}" in line for line in lab.said] == [False, True]


def test_a_second_up_keeps_what_runs(lab: Lab) -> None:
    lab.up()
    first, env = lab.pids(), lab.sandbox.env()

    lab.up()

    assert lab.pids() == first
    assert lab.sandbox.env() == env
    assert [len(lab.starts(name)) for name in ("alpha", "beta")] == [1, 1]


def test_only_the_services_asked_for_are_started(lab: Lab) -> None:
    lab.sandbox.up(lab.said.append, {"alpha"})

    assert {service.name: service.state for service in lab.sandbox.status()} == {
        "alpha": "running",
        "beta": "stopped",
    }
    assert "ALPHA_URL" in lab.sandbox.env()
    assert "BETA_URL" not in lab.sandbox.env()


def test_an_unknown_service_is_named_with_those_that_exist(lab: Lab) -> None:
    with pytest.raises(SandboxError, match=r"Unknown: gamma\. The sandbox has alpha, beta, pulumi"):
        lab.sandbox.up(lab.said.append, {"alpha", "gamma"})

    assert lab.pids() == {"alpha": None, "beta": None}


def test_a_killed_service_is_started_again_as_it_was(lab: Lab) -> None:
    lab.up()
    before, env = lab.pids(), lab.sandbox.env()
    psutil.Process(before["beta"]).kill()

    assert wait_for(lambda: {service.state for service in lab.sandbox.status()} == {"running", "stopped"})
    lab.up()

    after = lab.pids()
    assert after["alpha"] == before["alpha"]
    assert after["beta"] != before["beta"]
    assert lab.states() == {"running"}
    assert lab.sandbox.env() == env


def test_a_service_that_hangs_is_replaced(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.up()
    hung = lab.pids()["alpha"]
    psutil.Process(hung).suspend()
    assert {service.state for service in lab.sandbox.status()} == {"running", "not answering"}

    monkeypatch.setattr(supervisor, "START_SECONDS", 5.0)
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)
    lab.up()

    assert lab.states() == {"running"}
    assert lab.pids()["alpha"] != hung
    assert not psutil.pid_exists(hung) or psutil.Process(hung).status() == psutil.STATUS_ZOMBIE


def test_a_taken_port_is_left_alone_and_another_one_used_and_named(lab: Lab) -> None:
    with another_program_on(lab.ports[0]):
        lab.up()

        taken = lab.ports[0]
        chosen = lab.sandbox.status()[0].port
        assert chosen != taken
        assert f"port {taken} is taken by another program; alpha takes {chosen}" in lab.said
        assert lab.states() == {"running"}
        assert lab.sandbox.env()["ALPHA_URL"].endswith(f":{chosen}")


def test_a_port_once_chosen_stays(lab: Lab) -> None:
    with another_program_on(lab.ports[0]):
        lab.up()
        env = lab.sandbox.env()
    lab.down()

    lab.up()

    assert lab.sandbox.env() == env


def test_a_port_taken_between_the_look_and_the_start_leads_to_another_one(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with another_program_on(lab.ports[0]):
        honest, answers = processes.port_is_free, iter([True])
        monkeypatch.setattr(processes, "port_is_free", lambda port: next(answers, None) or honest(port))
        lab.up()

    assert lab.sandbox.status()[0].port != lab.ports[0]
    assert lab.states() == {"running"}


def test_who_was_told_a_port_is_told_the_new_one(lab: Lab) -> None:
    # Given a service that knows the port of another, which is then taken by another program
    lab.up()
    lab.down()
    with another_program_on(lab.ports[0]):
        lab.up()

    moved = lab.sandbox.status()[0].port
    assert ["--peer", str(moved)] == psutil.Process(lab.pids()["beta"]).cmdline()[-2:]


def test_a_running_service_with_outdated_settings_is_started_again(lab: Lab) -> None:
    lab.sandbox.up(lab.said.append, {"beta"})  # alone: it knows of no peer
    alone = lab.pids()["beta"]

    lab.up()

    assert lab.pids()["beta"] != alone
    assert psutil.Process(lab.pids()["beta"]).cmdline()[-2:] == ["--peer", str(lab.ports[0])]


def test_a_service_that_does_not_start_is_an_error_with_its_own_words(lab: Lab) -> None:
    (lab.root / "beta").mkdir(parents=True)
    (lab.root / "beta" / "fails").touch()

    with pytest.raises(ServiceError, match=r"(?s)sandbox's beta ended instead of starting.*told to fail"):
        lab.up()

    # and the next try works once the reason is gone
    (lab.root / "beta" / "fails").unlink()
    lab.up()
    assert lab.states() == {"running"}
    assert len(lab.starts("alpha")) == 1


def test_down_leaves_no_process_and_keeps_data_ports_and_secrets(lab: Lab, processes_of: ProcessesOf) -> None:
    lab.up()
    env = lab.sandbox.env()

    lab.down()

    assert processes_of(lab.root) == []
    assert lab.states() == {"stopped"}
    assert lab.sandbox.env() == env
    assert len(lab.starts("alpha")) == 1


def test_down_kills_what_does_not_end_when_asked(
    lab: Lab, processes_of: ProcessesOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lab.root / "alpha").mkdir(parents=True)
    (lab.root / "alpha" / "stubborn").touch()
    lab.up()

    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)
    lab.down()

    assert processes_of(lab.root) == []


def test_down_says_so_when_there_is_nothing_to_stop(lab: Lab) -> None:
    lab.down()
    assert lab.said[-1].startswith("There is no sandbox in ")

    lab.up()
    lab.down()
    lab.down()
    assert lab.said[-1] == "Nothing was running."


def test_purge_deletes_all_that_is_ours_and_nothing_else(lab: Lab, processes_of: ProcessesOf) -> None:
    lab.up()
    (lab.root / "mine.txt").write_text("not the sandbox's")

    lab.down(purge=True)

    assert processes_of(lab.root) == []
    assert [path.name for path in lab.root.iterdir()] == ["mine.txt"]


def test_purge_of_all_deletes_the_directory_and_the_next_up_invents_new_secrets(lab: Lab) -> None:
    lab.up()
    before = lab.sandbox.env()["ALPHA_PASSWORD"]
    lab.down(purge=True)
    assert not lab.root.exists()

    lab.up()

    assert lab.sandbox.env()["ALPHA_PASSWORD"] != before


def test_two_sandboxes_run_side_by_side(lab: Lab, tmp_path: Path, processes_of: ProcessesOf) -> None:
    other = type(lab)(tmp_path / "box 2", lab.ports)
    lab.up()
    other.up()
    try:
        assert lab.states() == other.states() == {"running"}
        assert not set(lab.pids().values()) & set(other.pids().values())
    finally:
        other.down(purge=True)

    assert lab.states() == {"running"}


def test_there_is_no_env_before_the_first_up(lab: Lab) -> None:
    with pytest.raises(SandboxError, match="python -m sandbox up"):
        lab.sandbox.env()

    assert not lab.root.exists()


def test_a_damaged_state_is_an_error_that_says_what_to_do(lab: Lab) -> None:
    lab.up()
    state = (lab.root / "state.json").read_text()
    (lab.root / "state.json").write_text(state[:40])
    try:
        with pytest.raises(SandboxError, match=r"state\.json cannot be read .* Delete that file"):
            lab.up()
    finally:
        (lab.root / "state.json").write_text(state)


def test_a_lost_state_does_not_lead_to_second_processes(lab: Lab, processes_of: ProcessesOf) -> None:
    lab.up()
    (lab.root / "state.json").unlink()

    lab.up()

    assert len(processes_of(lab.root)) == 2
    assert lab.states() == {"running"}


def test_the_sandbox_of_the_project_is_in_its_tree_unless_the_environment_names_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRBYTE_AS_CODE_SANDBOX", raising=False)
    assert Sandbox.for_project(tmp_path).root == tmp_path / ".sandbox"

    monkeypatch.setenv("AIRBYTE_AS_CODE_SANDBOX", str(tmp_path / "other"))
    assert Sandbox.for_project(tmp_path).root == tmp_path / "other"


def test_the_sandbox_has_a_database_a_warehouse_airbyte_and_a_cluster() -> None:
    assert {each.name: each.preferred_port for each in services()} == {
        "postgres": 54321,
        "snowflake": 8084,
        "airbyte": 8000,
        "kubernetes": 6443,
    }

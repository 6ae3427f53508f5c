"""The pieces that commands are made of."""

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sandbox import processes
from sandbox.processes import Process


def test_a_number_that_someone_elses_process_has_now_is_not_ours(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as someone_else:
        started = psutil.Process(someone_else.pid).create_time()
        stale = Process(someone_else.pid, started - 60)

        assert not stale.is_alive()
        stale.stop(1)

        assert someone_else.poll() is None
        someone_else.communicate(b"\n")
    assert someone_else.returncode == 0


HALF_DEAD = """
import ctypes, os, socket, sys, threading, time
server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=time.sleep, args=(600,)).start()
print(server.getsockname()[1], flush=True)
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)  # exit: of this thread alone
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the number of a system call of Linux")
def test_a_process_whose_first_thread_ended_still_holds_its_port_and_is_not_taken_for_dead(
    poll: Callable[[Callable[[], bool | None], float], bool],
) -> None:
    with subprocess.Popen([sys.executable, "-c", HALF_DEAD], stdout=subprocess.PIPE, text=True) as half_dead:
        assert half_dead.stdout is not None
        port = int(half_dead.stdout.readline())
        seen = psutil.Process(half_dead.pid)
        process = Process(half_dead.pid, seen.create_time())
        poll(lambda: seen.status() == psutil.STATUS_ZOMBIE or None, 30)
        assert not processes.port_is_free(port)

        assert process.is_alive()
        half_dead.kill()
        half_dead.wait(30)
        assert not process.is_alive()
    assert processes.port_is_free(port)


def test_a_process_is_found_by_its_arguments_in_their_order(tmp_path: Path) -> None:
    started = processes.start(
        [sys.executable, "-c", "input()", "one", str(tmp_path)], tmp_path / "log", {}, directory=tmp_path
    )
    child = processes._children[started.pid]
    try:
        if child.poll() is None:
            assert processes.find(["one", str(tmp_path)]) in (started, None)
    finally:
        started.stop(5)
    assert processes.find([str(tmp_path), "one"]) is None


def test_a_log_keeps_the_output_of_this_start_and_the_last(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for word in ("first", "second"):
        process = processes.start([sys.executable, "-c", f"print('{word}')"], log, {}, directory=tmp_path)
        processes._children[process.pid].wait(30)

    assert log.read_text() == "second\n"
    assert (tmp_path / "log.1").read_text() == "first\n"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_port_is_not_free_when_another_program_listens_on_localhost(family: socket.AddressFamily) -> None:
    with socket.socket(family) as other:
        try:
            other.bind(("::1" if family is socket.AF_INET6 else "127.0.0.1", 0))
        except OSError:
            pytest.skip("this machine has no such loopback address")
        port = other.getsockname()[1]
        other.listen()
        assert not processes.port_is_free(port)

    assert processes.port_is_free(port)


def test_a_private_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    processes.write_private(file, "before")

    def broken(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="no space"):
        patch.setattr(Path, "replace", broken)
        processes.write_private(file, "after")

    assert file.read_text() == "before"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_lock_whose_file_the_holder_deletes_still_lets_in_one_at_a_time(tmp_path: Path) -> None:
    lock, inside, most, entered = tmp_path / "lock", 0, 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most, entered
        with processes.locked(lock, lambda: None):
            with guard:
                inside += 1
                entered += 1
                most = max(most, inside)
            with guard:
                inside -= 1
            lock.unlink()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert (entered, most) == (20, 1)


def test_a_lock_tells_once_that_it_waits(tmp_path: Path) -> None:
    told = threading.Event()
    done = threading.Event()

    def second() -> None:
        with processes.locked(tmp_path / "lock", told.set):
            done.set()

    with processes.locked(tmp_path / "lock", lambda: pytest.fail("nobody else has it")):
        thread = threading.Thread(target=second)
        thread.start()
        assert told.wait(10)
        assert not done.is_set()
    thread.join(10)
    assert done.is_set()

"""The language host as the engine meets it: a process that prints a port and answers over gRPC."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

Eventually = Callable[[Callable[[], bool], str], None]
IsRunning = Callable[[int], bool]

HOST = "from sandbox.language_host.server import main; main()"

PARENT = """
import subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
print(process.pid, process.stdout.readline(), end="", flush=True)
process.wait()
"""
"""Stands for the engine: starts the host, and can be killed."""

STAYS = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open("pids", "w") as file:
    file.write(f"{os.getpid()} {child.pid}\\n")
time.sleep(600)
"""
"""A program that starts another and does not end by itself."""


class Host:
    """A running language host, and the process that stands for the engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.executor = folder / "executor.py"
        command = [sys.executable, "-c", HOST, "--executor", str(self.executor), "127.0.0.1:9"]
        self.engine = subprocess.Popen([sys.executable, "-c", PARENT, *command], stdout=subprocess.PIPE, text=True)
        assert self.engine.stdout is not None
        self.pid, port = map(int, self.engine.stdout.readline().split())
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.client: Any = language_pb2_grpc.LanguageRuntimeStub(self.channel)

    @property
    def program(self) -> language_pb2.ProgramInfo:
        folder = str(self.folder)
        options = struct_pb2.Struct()
        options.update({"virtualenv": sys.prefix})
        return language_pb2.ProgramInfo(
            root_directory=folder, program_directory=folder, entry_point=".", options=options
        )

    def run_request(self, executor: str) -> language_pb2.RunRequest:
        self.executor.write_text(executor)
        return language_pb2.RunRequest(
            info=self.program,
            pwd=str(self.folder),
            project="project",
            stack="dev",
            dryRun=True,
            config={"project:key": "value"},
            configSecretKeys=["project:key"],
        )

    def start(self, executor: str, eventually: Eventually) -> grpc.Future:
        """Start a program that writes its pids and stays; the call, which would be cancelled if nobody kept it."""
        self.call = self.client.Run.future(self.run_request(executor))
        eventually(lambda: bool(self.pids()), "the program runs")
        return self.call

    def pids(self) -> list[int]:
        """The program that stays, and what it started; empty until both run."""
        file = self.folder / "pids"
        text = file.read_text() if file.exists() else ""
        return [int(pid) for pid in text.split()] if text.endswith("\n") else []

    def close(self) -> None:
        self.channel.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        self.engine.communicate(timeout=30)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    running = Host(tmp_path)
    yield running
    running.close()


def test_a_program_is_given_its_stack_and_its_configuration(host: Host) -> None:
    host.client.Run(
        host.run_request(
            "import json, os, sys\n"
            "seen = {'arguments': sys.argv[1:], **{k: os.environ[k] for k in "
            "('PULUMI_CONFIG', 'PULUMI_CONFIG_SECRET_KEYS', 'VIRTUAL_ENV')}}\n"
            "open('seen', 'w').write('\\n'.join([*seen.pop('arguments'), *seen.values()]))"
        )
    )

    *arguments, config, secret_keys, virtualenv = (host.folder / "seen").read_text().splitlines()
    flags = dict(zip(arguments[:-1:2], arguments[1:-1:2], strict=True))
    assert flags["--project"] == "project"
    assert flags["--stack"] == "dev"
    assert flags["--dry_run"] == "true"
    assert flags["--engine"] == "127.0.0.1:9"
    assert flags["--root_directory"] == str(host.folder)
    assert arguments[-1] == str(host.folder)
    assert (config, secret_keys) == ('{"project:key": "value"}', '["project:key"]')
    assert virtualenv == sys.prefix


@pytest.mark.parametrize(
    ("code", "bail", "error"),
    [
        (0, False, ""),
        (1, False, "Program exited with non-zero exit code: 1"),
        (32, True, ""),
    ],
)
def test_a_program_s_exit_code_says_whether_the_user_knows_already(
    host: Host, code: int, bail: bool, error: str
) -> None:
    response = host.client.Run(host.run_request(f"raise SystemExit({code})"))

    assert (response.bail, response.error) == (bail, error)


def test_a_cancelled_call_ends_the_program_and_what_it_started(
    host: Host, eventually: Eventually, is_running: IsRunning
) -> None:
    call = host.start(STAYS, eventually)
    call.cancel()

    eventually(lambda: not any(map(is_running, host.pids())), "both ended")


def test_cancel_ends_the_program_and_the_host_goes_on(
    host: Host, eventually: Eventually, is_running: IsRunning
) -> None:
    call = host.start(STAYS, eventually)
    host.client.Cancel(empty_pb2.Empty())

    assert call.result(timeout=30).error == f"Program was ended by signal {signal.SIGTERM.value}"
    eventually(lambda: not any(map(is_running, host.pids())), "both ended")
    assert host.client.GetPluginInfo(empty_pb2.Empty()).version


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_host_that_is_told_to_stop_ends_the_program_first(
    host: Host, eventually: Eventually, is_running: IsRunning, number: signal.Signals
) -> None:
    host.start(STAYS, eventually)
    os.kill(host.pid, number)

    eventually(lambda: not any(map(is_running, [host.pid, *host.pids()])), "host and program ended")


def test_a_killed_engine_leaves_neither_host_nor_program(
    host: Host, eventually: Eventually, is_running: IsRunning
) -> None:
    host.start(STAYS, eventually)
    host.engine.kill()

    eventually(lambda: not any(map(is_running, [host.pid, *host.pids()])), "host and program ended")


def run_plugin(host: Host, kind: str, arguments: list[str]) -> tuple[bytes, bytes, int]:
    stdout, stderr, code = b"", b"", -1
    request = language_pb2.RunPluginRequest(
        info=host.program, kind=kind, args=arguments, pwd=str(host.folder), env=["GREETING=hello=there"]
    )
    for message in host.client.RunPlugin(request):
        assert code == -1, "the exit code is the last message"
        stdout += message.stdout
        stderr += message.stderr
        if message.HasField("exitcode"):
            code = message.exitcode
    return stdout, stderr, code


def test_a_plugin_s_output_and_exit_code_are_streamed(host: Host) -> None:
    (host.folder / "__main__.py").write_text(
        "import os, sys\nprint(sys.argv[1:], os.environ['GREETING'])\nprint('oops', file=sys.stderr)\nsys.exit(3)\n"
    )

    assert run_plugin(host, "resource", ["a", "b"]) == (b"['a', 'b'] hello=there\n", b"oops\n", 3)


def test_a_policy_pack_is_run_by_the_sdk(host: Host) -> None:
    (host.folder / "__main__.py").write_text("print('a policy pack')\n")

    assert run_plugin(host, "analyzer", ["127.0.0.1:9"]) == (b"a policy pack\n", b"", 0)


def test_the_plugins_of_the_installed_packages_are_required(host: Host) -> None:
    response = host.client.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(info=host.program))

    required = {package.name: (package.kind, package.version) for package in response.packages}
    assert required["postgresql"] == ("resource", "3.18.2")
    assert required["snowflake"] == ("resource", "2.22.0")


def test_packages_that_others_require_are_listed_only_when_asked_for(host: Host) -> None:
    def names(*, transitive: bool) -> set[str]:
        request = language_pb2.GetProgramDependenciesRequest(info=host.program, transitiveDependencies=transitive)
        return {dependency.name for dependency in host.client.GetProgramDependencies(request).dependencies}

    assert "pytest-timeout" in names(transitive=False)
    assert "grpcio" not in names(transitive=False)
    assert {"pytest-timeout", "grpcio"} <= names(transitive=True)


def test_about_says_which_python_programs_run_with(host: Host) -> None:
    about = host.client.About(language_pb2.AboutRequest(info=host.program))

    assert Path(about.executable).parent == Path(sys.prefix) / "bin"
    assert about.version == ".".join(map(str, sys.version_info[:3]))


def test_options_that_cannot_be_met_are_said_as_they_are(host: Host) -> None:
    program = host.program
    program.options.update({"virtualenv": "nowhere"})

    with pytest.raises(grpc.RpcError) as error:
        host.client.Run(language_pb2.RunRequest(info=program, pwd=str(host.folder)))
    assert "is not a virtual environment" in error.value.details()


def test_installing_packages_is_refused_with_a_reason(host: Host) -> None:
    with pytest.raises(grpc.RpcError) as error:
        list(host.client.InstallDependencies(language_pb2.InstallDependenciesRequest()))
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "installs no packages" in error.value.details()

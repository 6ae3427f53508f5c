"""The ``LanguageRuntime`` service: what the engine asks of a language host, answered for Python."""
# ruff: noqa: N802, ARG002 - the names and the parameters of the methods are the service definition's

import json
import os
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from importlib import metadata, resources
from pathlib import Path
from typing import IO, Any

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2, json_format  # type: ignore[import-untyped]
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from .children import Children
from .interpreter import Interpreter, OptionsError, resolve

ALREADY_REPORTED = 32
"""Exit code of `pulumi-language-python-exec` for a program that failed after showing the user why."""

CHUNK = 65536
"""Most bytes of a plugin's output that are passed on at once."""


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs Python programs and plugins for one engine.

    `executor` is the path of `pulumi-language-python-exec`, which connects a program to the engine; `engine` is
    the engine's address, and `tracing` its tracing endpoint or empty.
    """

    def __init__(self, executor: Path, children: Children, *, engine: str = "", tracing: str = "") -> None:
        self._executor = executor
        self._children = children
        self._engine = engine
        self._tracing = tracing

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        """Take the address of an engine that attached to a host it did not start."""
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Give the version of the Pulumi SDK that this host speaks for."""
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """Name the resource plugins that the packages installed beside the program need."""
        response = language_pb2.GetRequiredPackagesResponse()
        for plugin in self._inventory(request.info, context)["plugins"]:
            package = response.packages.add(
                kind="resource", name=plugin["name"], version=plugin["version"], server=plugin["server"]
            )
            if plugin["parameterization"]:
                json_format.ParseDict(plugin["parameterization"], package.parameterization)
        return response

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """List the installed packages; without transitive ones, those that no other package requires."""
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=package["name"], version=package["version"])
                for package in self._inventory(request.info, context)["packages"]
                if package["direct"] or request.transitiveDependencies
            ]
        )

    def About(self, request: language_pb2.AboutRequest, context: grpc.ServicerContext) -> language_pb2.AboutResponse:
        """Say which Python programs run with."""
        inventory = self._inventory(request.info, context)
        return language_pb2.AboutResponse(executable=inventory["executable"], version=inventory["version"])

    def RuntimeOptionsPrompts(
        self, request: language_pb2.RuntimeOptionsRequest, context: grpc.ServicerContext
    ) -> language_pb2.RuntimeOptionsResponse:
        """Ask nothing: `pulumi new` finds no further options to set."""
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Refuse: a project's own set-up installs its packages, pinned and with hashes."""
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "The sandbox's Python language host installs no packages. Install them as the project documents, "
            "or install the official Pulumi CLI.",
        )
        return iter(())

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        """Run a program to its end. Its output goes where the host's own goes: the engine shows it.

        Ends the program where the engine gives the call up.
        """
        interpreter = self._interpreter(request.info, context)
        environment = interpreter.activate(os.environ)
        environment["PULUMI_CONFIG"] = json.dumps(dict(request.config))
        environment["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
        process = self._children.start(
            [str(interpreter.python), "-u", str(self._executor), *self._program_arguments(request)],
            environment=environment,
            directory=Path(request.pwd),
        )
        context.add_callback(lambda: self._children.stop(process))
        code = self._children.wait(process)
        if code == 0:
            return language_pb2.RunResponse()
        if code == ALREADY_REPORTED:
            return language_pb2.RunResponse(bail=True)
        if code < 0:
            return language_pb2.RunResponse(error=f"Program was ended by signal {-code}")
        return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {code}")

    def RunPlugin(
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a plugin written in Python (a policy pack or a provider), streaming what it prints."""
        interpreter = self._interpreter(request.info, context)
        folder = Path(request.info.program_directory)
        if request.kind == "analyzer":
            program = ["-m", "pulumi.policy", *request.args, str(folder)]
        else:
            program = [str(folder / request.info.entry_point), *request.args]
        process = self._children.start(
            [str(interpreter.python), "-u", *program],
            environment=interpreter.activate(dict(pair.split("=", 1) for pair in request.env)),
            directory=Path(request.pwd),
            output=subprocess.PIPE,
            errors=subprocess.PIPE,
        )
        context.add_callback(lambda: self._children.stop(process))
        yield from _printed_by(process)
        yield language_pb2.RunPluginResponse(exitcode=self._children.wait(process))

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """End the programs and plugins that run: the engine is about to leave, or was interrupted."""
        self._children.stop_all()
        return empty_pb2.Empty()

    def _program_arguments(self, request: language_pb2.RunRequest) -> list[str]:
        options = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
            "pwd": request.pwd,
            "dry_run": "true" if request.dryRun else "false",
            "parallel": str(request.parallel),
            "tracing": self._tracing,
        }
        program = Path(request.info.program_directory) / (request.info.entry_point or ".")
        return [
            *(part for name, value in options.items() if value for part in (f"--{name}", value)),
            str(program),
            *request.args,
        ]

    def _interpreter(self, info: language_pb2.ProgramInfo, context: grpc.ServicerContext) -> Interpreter:
        options = json_format.MessageToDict(info.options)
        try:
            return resolve(options, Path(info.root_directory), os.environ)
        except OptionsError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            raise  # abort has raised already; this tells the type checker so

    def _inventory(self, info: language_pb2.ProgramInfo, context: grpc.ServicerContext) -> dict[str, Any]:
        interpreter = self._interpreter(info, context)
        script = resources.files(__package__).joinpath("inventory.py").read_text(encoding="utf-8")
        listing = subprocess.run(
            [str(interpreter.python), "-c", script],
            env=interpreter.activate(os.environ),
            cwd=info.program_directory or None,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if listing.returncode != 0:
            context.abort(
                grpc.StatusCode.INTERNAL,
                f"Could not list the packages of {interpreter.python}: {listing.stderr.strip()}",
            )
        inventory: dict[str, Any] = json.loads(listing.stdout)
        return inventory


def _printed_by(process: subprocess.Popen[bytes]) -> Iterator[language_pb2.RunPluginResponse]:
    """Yield what `process` prints, of both streams as it comes, until both are closed."""
    messages: queue.Queue[language_pb2.RunPluginResponse | None] = queue.Queue()

    def read(stream: IO[bytes], message: Callable[[bytes], language_pb2.RunPluginResponse]) -> None:
        with stream:
            while chunk := os.read(stream.fileno(), CHUNK):
                messages.put(message(chunk))
        messages.put(None)

    assert process.stdout is not None
    assert process.stderr is not None
    readers = [
        (process.stdout, lambda chunk: language_pb2.RunPluginResponse(stdout=chunk)),
        (process.stderr, lambda chunk: language_pb2.RunPluginResponse(stderr=chunk)),
    ]
    for reader in readers:
        threading.Thread(target=read, args=reader, daemon=True).start()
    open_streams = len(readers)
    while open_streams:
        message = messages.get()
        if message is None:
            open_streams -= 1
        else:
            yield message

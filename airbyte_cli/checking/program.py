"""What the stack's program declares, found by running it against a monitor that records and makes nothing.

Nothing has to be kept in step with the program this way: its resources' inputs are what the engine would be given.
"""

import asyncio
import runpy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc
from pulumi.runtime.settings import SETTINGS, set_root_resource
from pulumi.runtime.stack import run_in_stack

from airbyte_cli.checking.stack import Key, Stack
from components.plan import Plan
from dynamic_providers.airbyte.rehearsal import Known
from dynamic_providers.values import UNKNOWN, Properties, plain

_SIGNATURE = "4dabf18193072939515e22adb298388d"  # of a special value on the engine's wire, as the SDK has it
_NEW = "new:"


@dataclass(frozen=True)
class Declaration:
    """One resource of the program."""

    type: str
    name: str
    id: str
    """The state's, or a placeholder that other resources' inputs refer to it by."""
    inputs: Properties
    state: Known | None
    """What the stack's state has under its name, or under a former one."""
    needs: frozenset[Key]
    """Resources that the engine makes before it."""

    @property
    def key(self) -> Key:
        """What tells it from the other resources of a stack."""
        return self.type, self.name


@dataclass(frozen=True)
class Program:
    """A program that was run to its end."""

    plan: Plan
    declarations: tuple[Declaration, ...]


def run(file: Path, stack: Stack) -> Program:
    """Run a program of the stack.

    Raises ConfigurationError for what is wrong with its files and settings, and whatever else the program raises.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        SETTINGS.outputs.clear()  # what an earlier run of this process left unfinished would be waited for
        SETTINGS.rpc_manager.clear()
        monitor = _Recorder(stack)
        mocks.set_mocks(monitor.mocks, project=stack.project, stack=stack.name, preview=True, monitor=monitor)
        pulumi.runtime.set_all_config(dict(stack.config), list(stack.secret_keys))
        plan = Plan.load()  # the program does the same, but can only tell an engine what it finds
        set_root_resource(None)  # type: ignore[arg-type]  # the program's own stack becomes that
        loop.run_until_complete(run_in_stack(lambda: _run(file)))
        return Program(plan, tuple(monitor.declarations))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        asyncio.set_event_loop(None)


def _run(file: Path) -> None:
    runpy.run_path(str(file), run_name="__main__")


class _Answers(mocks.Mocks):
    """Answers a program as an engine does in a preview: with the state's outputs, and what is declared anew."""

    def __init__(self) -> None:
        self.known: dict[Key, Known] = {}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:  # noqa: ARG002
        return {}, None

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        state = self.known.get((args.typ, args.name))
        outputs = {**(state.outputs if state else {}), **args.inputs}
        return state.id if state else f"{_NEW}{args.typ}:{args.name}", outputs


class _Recorder(mocks.MockMonitor):
    """A monitor that keeps what is registered."""

    def __init__(self, stack: Stack) -> None:
        self._answers = _Answers()
        super().__init__(self._answers)
        self._stack = stack
        self.declarations: list[Declaration] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        names = [request.name, *(alias.spec.name for alias in request.aliases if alias.spec.name)]
        found = (self._stack.find((request.type, name)) for name in names)
        state = next((each for each in found if each is not None), None)
        if state is not None:
            self._answers.known[request.type, request.name] = state
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.custom:
            inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
            declared = plain({name: _value(value) for name, value in inputs.items() if name != "__provider"})
            needs = frozenset(_key(urn) for urn in request.dependencies)
            self.declarations.append(Declaration(request.type, request.name, answer.id, declared, state, needs))
        return answer


def _key(urn: str) -> Key:
    """Type and name out of ``urn:pulumi:stack::project::parent$type::name``."""
    _, _, types, name = urn.split("::", 3)
    return types.rpartition("$")[2], name


def _value(value: Any) -> Any:
    """A value of the wire as the provider sees it: secrets as they are, and what is not known yet marked so."""
    if isinstance(value, pulumi.output.Unknown):
        return UNKNOWN
    if isinstance(value, Mapping):
        if _SIGNATURE in value:
            return _value(value.get("value"))
        return {key: _value(item) for key, item in value.items()}
    return [_value(item) for item in value] if isinstance(value, list) else value

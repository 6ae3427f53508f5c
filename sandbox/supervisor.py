"""Starts the services of a sandbox, tells how they are, and stops them."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox import processes
from sandbox.credentials import Secrets
from sandbox.errors import ServiceError
from sandbox.processes import Process
from sandbox.services import Place, Service
from sandbox.state import ServiceState, State

Say = Callable[[str], None]
"""Takes a line for people."""

PROJECT = Path(__file__).resolve().parents[1]
START_SECONDS = 90.0
STOP_SECONDS = 20.0
ATTEMPTS = 3
LOG_TAIL_LINES = 15


@dataclass(frozen=True)
class ServiceStatus:
    """How a service is. ``address``, ``port`` and ``pid`` are None where there is none, or none that is known."""

    name: str
    title: str
    state: Literal["running", "not answering", "stopped"]
    address: str | None
    port: int | None
    pid: int | None
    log: Path


class Supervisor:
    """Acts on the services of the sandbox in ``root``. Starting and stopping need the sandbox's lock."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._secrets = Secrets.of(root)
        self.state = State.of(root)

    @property
    def place(self) -> Place:
        """The sandbox with the ports that its services have now."""
        ports = {name: service.port for name, service in self.state.services.items()}
        return Place(self._root, self._secrets, ports)

    def start(self, members: Sequence[Service], say: Say) -> None:
        """Start all that do not run as they should, at once, and wait until each is ready.

        Raises:
            ServiceError: one ended by itself, or did not become ready.
        """
        started: set[str] = set()
        for attempt in range(1, ATTEMPTS + 1):
            # A service that had to take another port changes the command lines of those that were told the former.
            launched = {member.name for member in members if self._launch(member, say)}
            again = [member for member in members if not self._ready(member, kept=member.name not in launched)]
            started |= launched
            if not again:
                break
            if attempt == ATTEMPTS:
                raise ServiceError(
                    f"The sandbox's {again[0].name} was started {ATTEMPTS} times and each time its port was taken by "
                    f"another program or it stopped answering. Its log is {self.place.log(again[0].name)}."
                )
        place = self.place
        for member in members:
            how = "started" if member.name in started else "runs already"
            say(f"{member.name:<10} {how:<13} {member.address(place):<24} {member.title}")

    def stop(self, member: Service) -> bool:
        """Stop a service; tell whether it ran. Its port is remembered."""
        process = self._process(member)
        if process:
            process.stop(STOP_SECONDS)
        member.after_stop(self.place)
        if recorded := self.state.services.get(member.name):
            recorded.pid = recorded.started = None
            self.state.save(self._root)
        return process is not None

    def status(self, member: Service) -> ServiceStatus:
        """Return how a service is, having asked it."""
        place, process = self.place, self._process(member)
        port = place.ports.get(member.name)
        state: Literal["running", "not answering", "stopped"] = "stopped"
        if process:
            state = "running" if port and _announced(member, place) and member.answers(place) else "not answering"
        return ServiceStatus(
            member.name,
            member.title,
            state,
            member.address(place) if port else None,
            port,
            process.pid if process else None,
            place.log(member.name),
        )

    def _process(self, member: Service) -> Process | None:
        recorded = self.state.services.get(member.name)
        if recorded and recorded.process and recorded.process.is_alive():
            return recorded.process
        return processes.find(member.identity(self.place))

    def _launch(self, member: Service, say: Say) -> bool:
        """Start a service unless it runs with the arguments that it should have; tell whether it was started."""
        recorded = self.state.services.get(member.name)
        process = self._process(member)
        if process:
            if recorded and processes.command_line(process.pid)[1:] == member.command(self.place)[1:]:
                self._record(member, recorded.port, process)
                return False
            say(f"{member.name} runs with other settings than it should; starting it again")
            process.stop(STOP_SECONDS)
        member.after_stop(self.place)
        port = self._port(member, recorded.port if recorded else member.preferred_port, say)
        self._record(member, port, None)  # the intent: should we be killed now, the process is found by its identity
        place = self.place
        process = processes.start(
            member.command(place), place.log(member.name), member.environment(place), directory=PROJECT
        )
        self._record(member, port, process)
        return True

    def _port(self, member: Service, wanted: int, say: Say) -> int:
        if processes.port_is_free(wanted):
            return wanted
        port = processes.free_port()
        say(f"port {wanted} is taken by another program; {member.name} takes {port}")
        return port

    def _record(self, member: Service, port: int, process: Process | None) -> None:
        self.state.services[member.name] = ServiceState(
            port=port,
            pid=process.pid if process else None,
            started=process.started if process else None,
        )
        self.state.save(self._root)

    def _ready(self, member: Service, kept: bool) -> bool:
        """Wait until a service answers; False if starting it once more may help.

        That is when another program took the port before the service could, and when a service that ran before
        (``kept``) hangs.
        """
        place = self.place
        process = self.state.services[member.name].process
        assert process is not None, "it was launched"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not process.is_alive():
                if kept or not processes.port_is_free(place.ports[member.name]):
                    return False
                raise ServiceError(
                    f"The sandbox's {member.name} ended instead of starting. The end of its log, "
                    f"{place.log(member.name)}:\n{_tail(place.log(member.name))}"
                )
            if _announced(member, place) and member.answers(place):
                return True
            time.sleep(0.05)
        if kept:
            process.stop(STOP_SECONDS)
            return False
        raise ServiceError(
            f"The sandbox's {member.name} was not ready after {START_SECONDS:.0f} s. `python -m sandbox up` waits "
            f"on. The end of its log, {place.log(member.name)}:\n{_tail(place.log(member.name))}"
        )


def _announced(member: Service, place: Place) -> bool:
    """Tell whether the service itself said that it listens; an answer alone could be another program's."""
    port = place.ports[member.name]
    try:
        return re.search(rf"listening on \S*:{port}\b", place.log(member.name).read_text(errors="replace")) is not None
    except FileNotFoundError:
        return False


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])

"""Starts, watches and stops a whole sandbox.

    sandbox = Sandbox(Path(".sandbox"))
    sandbox.up(print)
    subprocess.run(["pulumi", "up"], env={**os.environ, **sandbox.env()})
    sandbox.down(print)

Everything of a sandbox is in its root directory, so several can run side by side. The services outlive the command that
started them; every command may be interrupted anywhere and given again, and goes on from what it finds.
"""

import os
import shlex
import shutil
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Self

from sandbox import processes
from sandbox.errors import SandboxError
from sandbox.services import Service, services
from sandbox.state import FILE as STATE_FILE
from sandbox.state import PulumiState, State
from sandbox.supervisor import ServiceStatus, Supervisor

Say = Callable[[str], None]
"""Takes a line for people."""

ROOT_VARIABLE = "AIRBYTE_AS_CODE_SANDBOX"
PROJECT = Path(__file__).resolve().parents[1]
PASSPHRASE = "sandbox"  # noqa: S105
"""No secret: what it encrypts is the sandbox's own state. The salt in Pulumi.sandbox.yaml belongs to it."""

PULUMI = "pulumi"
"""What stands for the Pulumi engine among the names that :meth:`Sandbox.up` takes."""

DIRECTORIES = ("logs", "keys", "state", "pulumi")
FILES = ("env", "secrets.json", STATE_FILE)
"""What a sandbox holds beside the data of its services and its lock."""


class Sandbox:
    """The sandbox in the directory ``root``, made of ``members`` (all services if not given)."""

    def __init__(self, root: Path, members: Sequence[Service] | None = None) -> None:
        self.root = Path(root).absolute()
        self._members = list(services() if members is None else members)

    @classmethod
    def for_project(cls, project: Path = PROJECT) -> Self:
        """Return the sandbox of a work tree: ``.sandbox`` in it, or what AIRBYTE_AS_CODE_SANDBOX names."""
        chosen = os.environ.get(ROOT_VARIABLE)
        return cls(Path(chosen).expanduser() if chosen else project / ".sandbox")

    @property
    def env_file(self) -> Path:
        """The file for a shell to source."""
        return self.root / "env"

    def up(self, say: Say, services: Collection[str] | None = None) -> None:
        """Start what does not run yet and wait until it is ready; then provide Pulumi, which may have to be built.

        ``services``: names of those to start, ``pulumi`` for the engine; all if not given.

        Raises:
            SandboxError: an unknown name, a service that does not become ready, or no Pulumi to be had.
        """
        known = [*(member.name for member in self._members), PULUMI]
        chosen = set(known if services is None else services)
        if unknown := sorted(chosen.difference(known)):
            raise SandboxError(f"Unknown: {', '.join(unknown)}. The sandbox has {', '.join(known)}.")
        with self._locked(say):
            for name in DIRECTORIES:
                (self.root / name).mkdir(exist_ok=True, mode=0o700)
            supervisor = Supervisor(self.root)
            supervisor.start([member for member in self._members if member.name in chosen], say)
            self._write_env()
            if PULUMI in chosen:
                supervisor.state.pulumi = _provide_pulumi(self.root / "pulumi", say)
                supervisor.state.save(self.root)
                self._write_env()

    def down(self, say: Say, purge: bool = False) -> None:
        """Stop all services. Data, ports and secrets are kept for the next :meth:`up`, unless ``purge``.

        Raises:
            SandboxError: a service that does not stop.
        """
        if not self.root.is_dir():
            say(f"There is no sandbox in {self.root}.")
            return
        with self._locked(say):
            supervisor = Supervisor(self.root)
            stopped = [member.name for member in reversed(self._members) if supervisor.stop(member)]
            say(f"stopped: {', '.join(stopped)}" if stopped else "Nothing was running.")
            if purge:
                for member in self._members:
                    member.destroy(supervisor.place)
                self._delete_rest()
                say(f"deleted: {self.root}")

    def status(self) -> list[ServiceStatus]:
        """Return how each service is, having asked it."""
        if not self._exists():
            return [
                ServiceStatus(
                    each.name, each.title, "stopped", None, None, None, self.root / "logs" / f"{each.name}.log"
                )
                for each in self._members
            ]
        supervisor = Supervisor(self.root)
        return [supervisor.status(member) for member in self._members]

    def pulumi(self) -> PulumiState | None:
        """Return which Pulumi the last :meth:`up` chose."""
        return State.of(self.root).pulumi

    def env(self) -> dict[str, str]:
        """Return the variables that a client needs. PATH is this process's, with Pulumi first.

        Raises:
            SandboxError: the sandbox was never started.
        """
        variables, bin_dir = self._variables()
        if bin_dir:
            variables["PATH"] = f"{bin_dir}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return variables

    def env_text(self) -> str:
        """Return the same for a shell, as :attr:`env_file` has it: one ``export NAME=value`` a line.

        Raises:
            SandboxError: the sandbox was never started.
        """
        variables, bin_dir = self._variables()
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        if bin_dir:
            lines.append(f'export PATH={shlex.quote(str(bin_dir))}:"$PATH"')
        return "".join(f"{line}\n" for line in lines)

    def _variables(self) -> tuple[dict[str, str], Path | None]:
        """Return all variables but PATH, and the directory that goes first there."""
        if not self._exists():
            raise SandboxError(f"There is no sandbox in {self.root}. Start one: `python -m sandbox up`.")
        supervisor = Supervisor(self.root)
        place, pulumi = supervisor.place, supervisor.state.pulumi
        variables = {
            "PULUMI_HOME": str(self.root / "pulumi"),
            # Without sidecar files: one that an engine was killed while writing makes the whole state unreadable.
            "PULUMI_BACKEND_URL": f"file://{self.root / 'state'}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_SUPPRESS_NEO_LINK": "true",
        }
        if pulumi and "stand-in" in pulumi.plugins.values():
            # No other plugin can be had either: don't spend seconds of every command on asking for it.
            variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
        for member in self._members:
            if member.name in place.ports:
                variables |= member.variables(place)
        return variables, pulumi.bin_dir if pulumi else None

    def _write_env(self) -> None:
        processes.write_private(self.env_file, self.env_text())

    def _exists(self) -> bool:
        return (self.root / STATE_FILE).exists()

    def _locked(self, say: Say) -> AbstractContextManager[None]:
        return processes.locked(
            self.root / "lock", lambda: say("Another command is at work on this sandbox; waiting for it.")
        )

    def _delete_rest(self) -> None:
        """Delete what is ours, by name: the root may be a directory that holds more."""
        for name in DIRECTORIES:
            shutil.rmtree(self.root / name, ignore_errors=True)
        for name in (*FILES, "lock"):
            (self.root / name).unlink(missing_ok=True)
        with suppress(OSError):  # not empty
            self.root.rmdir()


def _provide_pulumi(home: Path, say: Say) -> PulumiState:
    # Here, because a sandbox without Pulumi should not need what these import.
    from sandbox import plugins, toolchain

    engine = toolchain.ensure(say)
    say(f"{PULUMI:<10} {engine.origin:<13} {engine.pulumi} (language host for Python: {engine.language_host})")
    return PulumiState(
        pulumi=engine.pulumi,
        bin_dir=engine.bin_dir,
        origin=engine.origin,
        language_host=engine.language_host,
        plugins=dict(plugins.install(home, say)),
    )

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
from typing import Literal, Self

from sandbox import own_cluster, processes, tools
from sandbox.errors import SandboxError
from sandbox.services import Kubernetes, Service, services
from sandbox.state import FILE as STATE_FILE
from sandbox.state import KubernetesState, PulumiState, State
from sandbox.supervisor import ServiceStatus, Supervisor
from sandbox.toolchain import numbered

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
            members = [member for member in self._members if member.name in chosen]
            steps = [name for name in (Kubernetes.name, PULUMI) if name in chosen]
            if Kubernetes.name in chosen:
                members = self._prepare_kubernetes(supervisor, members, say, numbered(say, 1, len(steps)))
            supervisor.start(members, say)
            self._write_env()
            if PULUMI in chosen:
                progress = numbered(say, len(steps), len(steps))
                supervisor.state.pulumi = tools.provide_pulumi(self.root / "pulumi", say, progress)
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
        return [self._own_cluster(supervisor, member) or supervisor.status(member) for member in self._members]

    def pulumi(self) -> PulumiState | None:
        """Return which Pulumi the last :meth:`up` chose."""
        return State.of(self.root).pulumi

    def kubernetes(self) -> KubernetesState | None:
        """Return which cluster, or which programs for it, the last :meth:`up` chose."""
        return State.of(self.root).kubernetes

    def env(self) -> dict[str, str]:
        """Return the variables that a client needs. PATH is this process's, with Pulumi first.

        Raises:
            SandboxError: the sandbox was never started.
        """
        variables, folders = self._variables()
        if folders:
            variables["PATH"] = os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)])
        return variables

    def env_text(self) -> str:
        """Return the same for a shell, as :attr:`env_file` has it: one ``export NAME=value`` a line.

        Raises:
            SandboxError: the sandbox was never started.
        """
        variables, folders = self._variables()
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        if folders:
            lines.append(f'export PATH={shlex.quote(os.pathsep.join(map(str, folders)))}:"$PATH"')
        return "".join(f"{line}\n" for line in lines)

    def _prepare_kubernetes(
        self, supervisor: Supervisor, members: list[Service], say: Say, progress: Say
    ) -> list[Service]:
        """Provide what a cluster needs, and return the members to start: without it, where the cluster is your own."""
        kubernetes = tools.provide_kubernetes(say, progress)
        supervisor.state.kubernetes = kubernetes
        supervisor.state.save(self.root)
        if kubernetes.own is None:
            return members
        for member in members:
            if member.name == Kubernetes.name:
                supervisor.stop(member)
        return [member for member in members if member.name != Kubernetes.name]

    def _own_cluster(self, supervisor: Supervisor, member: Service) -> ServiceStatus | None:
        """Return how your own cluster is, where it stands for ``member``."""
        kubernetes = supervisor.state.kubernetes
        if member.name != Kubernetes.name or kubernetes is None or kubernetes.own is None:
            return None
        try:
            address = own_cluster.address(kubernetes.own)
        except SandboxError:
            address = None
        state: Literal["running", "not answering"] = "not answering"
        if address and own_cluster.answers(kubernetes.own):
            state = "running"
        return ServiceStatus(member.name, own_cluster.TITLE, state, address, None, None, kubernetes.own)

    def _variables(self) -> tuple[dict[str, str], list[Path]]:
        """Return all variables but PATH, and the directories that go first there."""
        if not self._exists():
            raise SandboxError(f"There is no sandbox in {self.root}. Start one: `python -m sandbox up`.")
        supervisor = Supervisor(self.root)
        place, pulumi, kubernetes = supervisor.place, supervisor.state.pulumi, supervisor.state.kubernetes
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
        if kubernetes and kubernetes.own:
            variables["KUBECONFIG"] = str(kubernetes.own)
        folders = [tool.bin_dir for tool in (pulumi, kubernetes) if tool and tool.bin_dir]
        return variables, folders

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

"""What a sandbox remembers from one command to the next: ``state.json`` in its root directory."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ValidationError

from sandbox.errors import SandboxError
from sandbox.processes import Process, write_private

FILE = "state.json"


class ServiceState(BaseModel):
    """A service that was started, or was about to be.

    Written before the start without a process and again after it. The port outlives the process: a service that is
    started again gets it again.
    """

    port: int
    pid: int | None = None
    started: float | None = None

    @property
    def process(self) -> Process | None:
        """The process, if its start was recorded."""
        return Process(self.pid, self.started) if self.pid is not None and self.started is not None else None


class PulumiState(BaseModel):
    """The engine that was found, downloaded or built, and which of its plugins are the official ones."""

    pulumi: Path
    bin_dir: Path
    origin: str
    language_host: str
    plugins: dict[str, str]


class KubernetesState(BaseModel):
    """The programs of a cluster (none where it is your own and you have `kubectl` and `helm`), and your kubeconfig."""

    bin_dir: Path | None
    origin: str
    own: Path | None = None


class State(BaseModel):
    """The whole file."""

    services: dict[str, ServiceState] = {}
    pulumi: PulumiState | None = None
    kubernetes: KubernetesState | None = None

    @classmethod
    def of(cls, root: Path) -> Self:
        """Read the state of the sandbox in ``root``; empty if it was never started.

        Raises:
            SandboxError: the file is not what we wrote.
        """
        file = root / FILE
        try:
            return cls.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            raise SandboxError(
                f"The sandbox's state in {file} cannot be read ({error.error_count()} errors). "
                "Delete that file and run `python -m sandbox up` again; data and running services are found again."
            ) from None

    def save(self, root: Path) -> None:
        """Write the file, whole or not at all."""
        write_private(root / FILE, self.model_dump_json(indent=2))

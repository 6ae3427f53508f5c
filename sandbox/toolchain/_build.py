"""Programs built from Go modules: what go.mod pins and go.sum checks, with progress to watch."""

import platform
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.toolchain._go import Go, usable_go
from sandbox.toolchain._progress import Say, heartbeat, run
from sandbox.toolchain._versions import GoModule


@dataclass(frozen=True)
class Build:
    """What is built: the packages of `programs` (by the name of the program), from what `module` pins.

    `stamps` are values for Go variables: the versions that programs answer with, which their own build scripts set in
    the same way. `minutes` is about how long it takes on two cores with nothing cached.
    """

    title: str
    module: GoModule
    programs: Mapping[str, str]
    stamps: Mapping[str, str]
    minutes: int

    def make(self, destination: Path, say: Say) -> None:
        """Build the programs into the folder `destination`. Raises ToolchainError where that fails."""
        started = time.monotonic()
        with usable_go(self.module.minimum_go, destination / "go", say) as go:
            say(f"building {self.title} from Go modules, once: about {self.minutes} minutes on 2 cores")
            total = self._download_modules(go, say)
            self._compile(go, destination, total, say)
        say(f"built {self.title} in {time.monotonic() - started:.0f} s")

    def _download_modules(self, go: Go, say: Say) -> int:
        """Download the modules that the build needs; how many packages they make."""
        packages = modules = 0

        def count(line: str) -> None:
            nonlocal packages, modules
            if line.startswith("go: downloading "):
                modules += 1
            else:
                packages += 1

        with heartbeat(say, lambda: f"building {self.title}: downloading Go modules, {modules} so far"):
            run(
                [go.program, "list", "-deps", *self.programs.values()],
                doing=f"download the Go modules of {self.title} "
                "(is the Go module proxy, or that of GOPROXY, reachable?)",
                environment=go.environment,
                directory=self.module.folder,
                on_line=count,
            )
        return packages

    def _compile(self, go: Go, destination: Path, total: int, say: Say) -> None:
        compiled: set[str] = set()

        def progress() -> str:
            if compiled.issuperset(self.programs.values()):
                return f"building {self.title}: linking"
            return f"building {self.title}: {len(compiled)} of about {total} packages compiled"

        with heartbeat(say, progress):
            run(
                [
                    *(go.program, "build", "-v", "-ldflags", self._link_flags()),
                    # Ends in a slash: a folder for the programs, also when it is only one.
                    *("-o", f"{destination}/", *self.programs.values()),
                ],
                doing=f"build {self.title}",
                environment=go.environment,
                directory=self.module.folder,
                on_line=compiled.add,
            )
        for name, package in self.programs.items():
            (destination / _default_name(package)).rename(destination / name)

    def _link_flags(self) -> str:
        flags = [f"-X {variable}={value}" for variable, value in self.stamps.items()]
        # Stripped binaries are a third smaller, but on macOS the linker's own signature needs the symbol table.
        return " ".join(flags if platform.system() == "Darwin" else ["-s", "-w", *flags])


def _default_name(package: str) -> str:
    """Name what `go build` makes of a package: "the last non-major-version component" of its path (`go help build`)."""
    return re.sub(r"/v\d+$", "", package).rpartition("/")[2]

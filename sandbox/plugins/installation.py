"""Puts provider plugins where the engine looks for them: ``$PULUMI_HOME/plugins/resource-NAME-vVERSION``."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

Origin = Literal["official", "stand-in"]

PLUGINS: Final[Mapping[str, str]] = {"kubernetes": "4.34.2", "postgresql": "3.18.2", "snowflake": "2.22.0"}
"""Package and version: those of the SDKs in requirements.lock, which ask the engine for exactly these."""

_DOWNLOADS: Final = "https://get.pulumi.com/releases/plugins/"
_PROBE_SECONDS: Final = 3
_INSTALL_SECONDS: Final = 180
_MARK: Final = "# stand-in provider of the sandbox"
_ROOT: Final = Path(__file__).resolve().parents[2]


def install(pulumi_home: Path, say: Callable[[str], None]) -> dict[str, Origin]:
    """Put one plugin of every package into `pulumi_home` and tell which kind each is.

    An official plugin that is there already, or in ``~/.pulumi``, is kept or copied; else it is downloaded when the
    download site answers within a few seconds; else a launcher of our stand-in is written. Doing it again changes
    nothing, except that a launcher of another checkout or interpreter is replaced by ours. `say` takes one line each.
    """
    plugins = pulumi_home / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    return {name: _provide(plugins, name, version, say) for name, version in PLUGINS.items()}


def _provide(plugins: Path, name: str, version: str, say: Callable[[str], None]) -> Origin:
    folder = plugins / f"resource-{name}-v{version}"
    if _is_official(folder, name):
        say(f"{name} provider {version}: the official plugin")
        return "official"
    shared = Path.home() / ".pulumi" / "plugins" / folder.name
    if _is_official(shared, name):
        _place(folder, lambda made: shutil.copytree(shared, made, copy_function=_link, dirs_exist_ok=True))
        say(f"{name} provider {version}: the official plugin, from {shared.parent}")
        return "official"
    if not _is_ours(folder, name) and _download(plugins.parent, folder, name, version):
        say(f"{name} provider {version}: the official plugin, downloaded")
        return "official"
    launcher = _launcher(name)
    program = folder / f"pulumi-resource-{name}"
    if not _is_ours(folder, name) or program.read_text() != launcher:
        _place(folder, lambda made: _write_program(made / program.name, launcher))
    say(f"{name} provider {version}: our stand-in, as the official plugin can't be had here")
    return "stand-in"


def _is_official(folder: Path, name: str) -> bool:
    """A whole plugin that is not ours; the engine marks one that it is still unpacking with a file beside it."""
    partial = folder.with_name(folder.name + ".partial")
    return (folder / f"pulumi-resource-{name}").is_file() and not partial.exists() and not _is_ours(folder, name)


def _is_ours(folder: Path, name: str) -> bool:
    try:
        with (folder / f"pulumi-resource-{name}").open("rb") as program:
            return _MARK.encode() in program.read(256)
    except OSError:
        return False


def _launcher(name: str) -> str:
    """A script that becomes the plugin's process, so that the engine's signals reach it."""
    python, root = shlex.quote(sys.executable), shlex.quote(str(_ROOT))
    return (
        f"#!/bin/sh\n{_MARK}\n"
        f"PYTHONPATH={root}${{PYTHONPATH:+:$PYTHONPATH}}\nexport PYTHONPATH\n"
        f'exec {python} -P -m sandbox.plugins.{name} "$@"\n'
    )


def _write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _place(folder: Path, fill: Callable[[Path], object]) -> None:
    """Fill a new folder and put it in place of `folder` in one step: the engine never sees half a plugin."""
    made = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        made.chmod(0o755)
        fill(made)
        if folder.exists():
            folder.rename(made.with_name(made.name + "-old"))
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
        shutil.rmtree(made.with_name(made.name + "-old"), ignore_errors=True)


def _link(source: str, target: str) -> None:
    """A hard link where the file system allows it: official plugins are some hundred megabytes."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _download(pulumi_home: Path, folder: Path, name: str, version: str) -> bool:
    pulumi = shutil.which("pulumi")
    if pulumi is None or not _reachable(_DOWNLOADS):
        return False
    environment = {**os.environ, "PULUMI_HOME": str(pulumi_home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    command = [pulumi, "plugin", "install", "resource", name, version]
    try:
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=_INSTALL_SECONDS)
    except (subprocess.SubprocessError, OSError):
        return False
    return _is_official(folder, name)


@cache
def _reachable(url: str) -> bool:
    """Whether anything at all answers there, be it an error page."""
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_PROBE_SECONDS).close()  # noqa: S310
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True

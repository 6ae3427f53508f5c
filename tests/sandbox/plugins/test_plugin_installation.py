"""Where plugins come from, and that the engine never finds half of one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.plugins import PLUGINS, install, installation

NAME = "postgresql"
really_reachable = installation._reachable


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No plugin in the user's home, and no way to the download site."""
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setattr(installation, "_reachable", lambda url: False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "pulumi home"


def program(home: Path, name: str = NAME) -> Path:
    return home / "plugins" / f"resource-{name}-v{PLUGINS[name]}" / f"pulumi-resource-{name}"


def official(home: Path) -> Path:
    """What the official plugin looks like: a program that is not ours."""
    path = program(home)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x7fELF official")
    path.chmod(0o755)
    return path


def test_the_versions_are_those_that_the_sdks_ask_for() -> None:
    for name, version in PLUGINS.items():
        sdk = __import__(f"pulumi_{name}._utilities", fromlist=["get_version"])
        assert sdk.get_version() == version


def test_without_official_plugins_our_launchers_are_placed_and_it_is_said(home: Path) -> None:
    lines: list[str] = []
    assert install(home, lines.append) == dict.fromkeys(PLUGINS, "stand-in")
    assert all(os.access(program(home, name), os.X_OK) for name in PLUGINS)
    assert [line.split()[0] for line in lines] == list(PLUGINS)
    assert all("stand-in" in line for line in lines)


def test_doing_it_again_changes_nothing(home: Path) -> None:
    install(home, print)
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    assert install(home, print) == dict.fromkeys(PLUGINS, "stand-in")
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before


def test_a_launcher_of_another_checkout_is_replaced(home: Path) -> None:
    install(home, print)
    ours = program(home).read_text()
    program(home).write_text(ours.replace(sys.executable, "/elsewhere/bin/python"))
    install(home, print)
    assert program(home).read_text() == ours


def test_nothing_half_made_is_left_behind(home: Path) -> None:
    install(home, print)
    assert sorted(path.name for path in (home / "plugins").iterdir()) == [
        f"resource-{name}-v{version}" for name, version in sorted(PLUGINS.items())
    ]


def test_the_launched_plugin_prints_its_port_whatever_folder_it_starts_in_and_ends_on_sigint(
    home: Path, tmp_path: Path
) -> None:
    install(home, print)
    (tmp_path / "sandbox").mkdir()  # must not be taken for ours
    for name in PLUGINS:
        with subprocess.Popen([program(home, name), "127.0.0.1:1"], cwd=tmp_path, stdout=subprocess.PIPE) as plugin:
            assert plugin.stdout is not None
            assert int(plugin.stdout.readline()) > 0
            plugin.send_signal(2)
            assert plugin.wait(timeout=10) == 0


def test_a_plugin_whose_engine_was_killed_ends_by_itself(home: Path) -> None:
    install(home, print)
    # The engine is a shell that tells the plugin's process and is then killed.
    script = f'"{program(home)}" 127.0.0.1:1 & echo $!; wait'
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        pid = int(engine.stdout.readline())
        assert int(engine.stdout.readline()) > 0
        engine.kill()
        # The plugin holds the other end of this pipe, which closes as it ends.
        assert engine.stdout.read() == ""
    assert not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes()


def test_an_official_plugin_that_is_there_is_kept(home: Path) -> None:
    path = official(home)
    assert install(home, print)[NAME] == "official"
    assert path.read_bytes() == b"\x7fELF official"


def test_the_official_plugin_of_the_user_s_own_pulumi_is_used(home: Path, tmp_path: Path) -> None:
    official(tmp_path / "user" / ".pulumi")
    assert install(home, print)[NAME] == "official"
    assert program(home).read_bytes() == b"\x7fELF official"
    assert not program(home).parent.is_symlink(), "the engine passes over links"


def test_a_plugin_that_is_still_being_unpacked_is_not_used(home: Path, tmp_path: Path) -> None:
    folder = official(tmp_path / "user" / ".pulumi").parent
    folder.with_name(folder.name + ".partial").touch()
    assert install(home, print)[NAME] == "stand-in"


def test_the_official_plugin_is_downloaded_where_the_site_answers(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binaries = tmp_path / "bin"
    binaries.mkdir()
    pulumi = binaries / "pulumi"
    pulumi.write_text(
        '#!/bin/sh\nfolder="$PULUMI_HOME/plugins/resource-$4-v$5"\nmkdir -p "$folder"\n'
        'echo official > "$folder/pulumi-resource-$4"\n[ "$4" = postgresql ]\n'
    )
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{binaries}:{os.environ['PATH']}")
    monkeypatch.setattr(installation, "_reachable", lambda url: True)
    # The other downloads fail half-way.
    assert install(home, print) == {**dict.fromkeys(PLUGINS, "stand-in"), "postgresql": "official"}


def test_a_site_that_does_not_answer_is_not_reachable() -> None:
    assert really_reachable("http://127.0.0.1:1/") is False

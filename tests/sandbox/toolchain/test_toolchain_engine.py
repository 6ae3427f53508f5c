"""The toolchain at work: the engine runs a Python program with a dynamic resource, on a local file backend."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.toolchain import Toolchain, ensure

Eventually = Callable[[Callable[[], bool], str], None]
IsRunning = Callable[[int], bool]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]  # the first run on a machine may build Pulumi

NO_CHANGES_EXPECTED = "--expect-no-changes"

PROVIDER = """
from pathlib import Path
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

class FileProvider(ResourceProvider):
    def create(self, props):
        Path(props["path"]).write_text(props["text"])
        return CreateResult(props["path"], props)

    def diff(self, id, old, new):
        return DiffResult(changes=old["text"] != new["text"])

    def update(self, id, old, new):
        Path(new["path"]).write_text(new["text"])
        return UpdateResult(new)

    def read(self, id, props):
        return ReadResult(id, {**props, "text": Path(id).read_text()})

    def delete(self, id, props):
        Path(id).unlink()
"""

PROGRAM = """
import pulumi
from pulumi.dynamic import Resource
from provider import FileProvider

class File(Resource):
    text: pulumi.Output[str]

    def __init__(self, name, path, text):
        super().__init__(FileProvider(), name, {"path": path, "text": text})

config = pulumi.Config()
file = File("greeting", config.require("path"), config.get("text") or "hello")
pulumi.export("text", file.text)
print("the program says hello")
"""


@pytest.fixture(scope="module")
def toolchain() -> Toolchain:
    return ensure(lambda line: print(line, file=sys.__stderr__, flush=True))


class Project:
    """A Pulumi project with a stack `dev` in a state folder and a PULUMI_HOME of its own."""

    def __init__(self, folder: Path, toolchain: Toolchain) -> None:
        self.folder = folder / "project"
        self.file = folder / "greeting.txt"
        self.environment = {
            **os.environ,
            "PATH": f"{toolchain.bin_dir}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "only for this test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        for name in ("home", "state", "project"):
            (folder / name).mkdir()
        runtime = {"name": "python", "options": {"virtualenv": sys.prefix}}
        (self.folder / "Pulumi.yaml").write_text(json.dumps({"name": "tiny", "runtime": runtime}))
        (self.folder / "provider.py").write_text(PROVIDER)
        self.write(PROGRAM)
        self.pulumi("stack", "init", "dev")
        self.pulumi("config", "set", "path", str(self.file))

    def write(self, program: str) -> None:
        (self.folder / "__main__.py").write_text(program)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def pulumi(self, *arguments: str, fails: bool = False) -> str:
        """Run pulumi to its end; what it printed."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=120)
        assert (process.returncode != 0) == fails, output
        return output


@pytest.fixture
def project(tmp_path: Path, toolchain: Toolchain) -> Project:
    return Project(tmp_path, toolchain)


def test_a_dynamic_resource_lives_its_life(project: Project) -> None:
    assert "+ 2 to create" in project.pulumi("preview")
    assert not project.file.exists()

    assert "the program says hello" in project.pulumi("up", "--yes", "--skip-preview")
    assert project.file.read_text() == "hello"
    assert project.pulumi("stack", "output", "text").strip() == "hello"
    project.pulumi("preview", NO_CHANGES_EXPECTED)

    project.file.write_text("changed behind our back")
    assert "~ 1 updated" in project.pulumi("refresh", "--yes", "--skip-preview")
    project.pulumi("preview", NO_CHANGES_EXPECTED, fails=True)

    project.pulumi("up", "--yes", "--skip-preview")
    assert project.file.read_text() == "hello"

    assert "- 2 deleted" in project.pulumi("destroy", "--yes", "--skip-preview")
    assert not project.file.exists()


def test_a_program_that_fails_is_told_once_and_without_the_host_s_own_words(project: Project) -> None:
    project.write("raise ValueError('the reason')\n")

    output = project.pulumi("preview", fails=True)

    assert output.count("ValueError: the reason") == 1
    assert "non-zero exit code" not in output


def test_the_engine_names_the_python_that_it_runs(project: Project) -> None:
    assert str(Path(sys.prefix) / "bin" / "python") in project.pulumi("about")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_or_killed_engine_leaves_no_program_running(
    project: Project, eventually: Eventually, is_running: IsRunning, number: signal.Signals
) -> None:
    pid_file = project.folder / "pid"
    project.write(f"import os, time\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()) + '\\n')\ntime.sleep(600)\n")
    with project.start("preview") as engine:
        eventually(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"), "the program runs")
        engine.send_signal(number)
        eventually(lambda: not is_running(int(pid_file.read_text())), "the program ended")
        engine.communicate(timeout=60)

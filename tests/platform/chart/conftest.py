"""Helm, the stand-in chart, and the values that a platform in production gives it."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from airbyte_cli.__main__ import app
from airbyte_cli.platform.helm import Chart, Helm
from airbyte_cli.platform.platform_values import production_values
from sandbox.toolchain import ToolchainError, ensure_kubernetes

Manifest = dict[str, Any]
Render = Callable[..., list[Manifest]]


@pytest.fixture(scope="session")
def helm() -> Helm:
    """The one on PATH, or the sandbox's."""
    if program := shutil.which("helm"):
        return Helm(program)
    try:
        return Helm(str(ensure_kubernetes(print).bin_dir / "helm"))
    except ToolchainError as error:
        pytest.skip(f"there is no Helm, and none can be had: {error}")


@pytest.fixture(scope="session")
def chart_folder(project_root: Path) -> Path:
    return project_root / "sandbox" / "cluster" / "chart"


@pytest.fixture(scope="session")
def stand_in(chart_folder: Path) -> Chart:
    return Chart.read(chart_folder, str(chart_folder), None)


@pytest.fixture(scope="session")
def production() -> dict[str, Any]:
    """What this project gives the chart for a platform in production."""
    return dict(production_values())


@pytest.fixture(scope="session")
def render(helm: Helm, stand_in: Chart) -> Render:
    """Render the stand-in: ``render(values, release="airbyte", namespace="airbyte")``."""

    def rendered(
        values: dict[str, Any] | None = None, release: str = "airbyte", namespace: str = "airbyte"
    ) -> list[Manifest]:
        return helm.render(stand_in, values or {}, release, namespace)

    return rendered


@pytest.fixture
def altered(chart_folder: Path, tmp_path: Path) -> Callable[[str, str, str], Path]:
    """A copy of the stand-in in which a text is another: ``altered(file, old, new)``."""
    copy = tmp_path / "airbyte"
    shutil.copytree(chart_folder, copy)

    def alter(file: str, old: str, new: str) -> Path:
        path = copy / file
        text = path.read_text()
        assert old in text, f"{file} does not say {old!r}"
        path.write_text(text.replace(old, new))
        return copy

    return alter


@pytest.fixture
def verify(helm: Helm, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run ``airbyte-cli platform verify-chart`` with Helm at hand."""
    monkeypatch.setenv("PATH", f"{Path(helm.program).parent}:/usr/bin:/bin")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["platform", "verify-chart", *arguments])

    return run


@pytest.fixture
def deviations(verify: Callable[..., Result]) -> Callable[..., list[tuple[str, str, str]]]:
    """Area, place and words of each deviation that the command reports of a chart."""

    def found(chart: Path, *arguments: str) -> list[tuple[str, str, str]]:
        result = verify(str(chart), "--output", "json", *arguments)
        assert result.exit_code in (0, 3), result.stderr
        return [(each["area"], each["where"], each["what"]) for each in json.loads(result.stdout)["deviations"]]

    return found


@pytest.fixture
def repository(helm: Helm, package: Callable[[str], Path], tmp_path: Path) -> Iterator[str]:
    """The address of a chart repository with the stand-in as 2.1.9 and 2.2.1."""
    for version in ("2.1.9", "2.2.1"):
        package(version)
    subprocess.run([helm.program, "repo", "index", str(tmp_path)], check=True, capture_output=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def package(helm: Helm, chart_folder: Path, tmp_path: Path) -> Callable[[str], Path]:
    """The stand-in as an archive of another version."""

    def packed(version: str) -> Path:
        command = ["package", str(chart_folder), "--version", version, "--app-version", version]
        subprocess.run([helm.program, *command, "--destination", str(tmp_path)], check=True, capture_output=True)
        return tmp_path / f"airbyte-{version}.tgz"

    return packed

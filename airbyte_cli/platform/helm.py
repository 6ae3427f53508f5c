"""Helm as a program: fetch a chart, and render it.

https://helm.sh/docs/helm/helm_template
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Self

import yaml

from components.errors import ConfigurationError, Problem

OFFICIAL_REPOSITORY = "https://airbytehq.github.io/charts"
NAME = "airbyte"
_TEMPLATES = (".yaml", ".yml", ".tpl")
_SECONDS = 120
# ruamel.yaml takes ten times as long for the 4,000 lines of a release, and refuses keys that stand twice as Helm
# does not.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Chart:
    """A chart's files."""

    name: str
    version: str
    app_version: str
    values: Mapping[str, Any]
    """Its values.yaml."""
    templates: Mapping[str, str]
    """Text by path; what Helm only prints (NOTES.txt) is not among them."""
    location: str
    """Where Helm finds it on this machine."""
    sha256: str | None
    """Of the archive, where it came in one."""

    @classmethod
    def read(cls, folder: Path, location: str, sha256: str | None) -> Self:
        """Read an unpacked chart; raises ConfigurationError for what is none."""
        try:
            metadata = _read(folder / "Chart.yaml")
            values = _read(folder / "values.yaml") or {}
            templates = {
                str(file.relative_to(folder)): file.read_text(encoding="utf-8")
                for file in sorted((folder / "templates").rglob("*"))
                if file.suffix in _TEMPLATES
            }
            return cls(
                metadata["name"],
                str(metadata["version"]),
                str(metadata.get("appVersion", "")),
                values,
                templates,
                location,
                sha256,
            )
        except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
            what = f"is no Helm chart that can be read ({str(error).splitlines()[0]})."
            fix = "Name the folder that holds Chart.yaml, or an archive made by `helm package` or `helm pull`."
            raise ConfigurationError([Problem(location, what, fix)]) from None


@dataclass(frozen=True)
class Helm:
    """The program."""

    program: str

    @classmethod
    def find(cls) -> Self:
        """The one on PATH; raises ConfigurationError where there is none."""
        program = shutil.which("helm")
        if program is None:
            fix = (
                "Install Helm 3 (https://helm.sh/docs/intro/install), or run `make toolchain` and source .sandbox/env."
            )
            raise ConfigurationError([Problem("helm", "is not on PATH, and it is what renders charts.", fix)])
        return cls(program)

    @contextmanager
    def chart(self, source: str, version: str | None) -> Iterator[Chart]:
        """A chart from a folder, an archive, or a repository's address (https:// or oci://) at a version.

        What is fetched is gone afterwards. Raises ConfigurationError where it can't be had.
        """
        with TemporaryDirectory(prefix="airbyte-cli-chart-") as temporary:
            folder = Path(temporary)
            path = self._pull(source, version, folder) if "://" in source else Path(source)
            if path.is_dir():
                yield Chart.read(path, str(path), None)
            elif path.is_file():
                yield Chart.read(_unpack(path, folder / "unpacked"), str(path), _digest(path))
            else:
                fix = "Name a folder, an archive (.tgz), or a repository such as " + OFFICIAL_REPOSITORY + "."
                raise ConfigurationError([Problem(source, "does not exist.", fix)])

    def render(self, chart: Chart, values: Mapping[str, Any], release: str, namespace: str) -> list[dict[str, Any]]:
        """All objects of a release, hooks and tests too; raises ConfigurationError with Helm's own words."""
        command = ["template", release, chart.location, "--namespace", namespace, "--values", "-"]
        # JSON is YAML. Values go over standard input, since they may hold secrets.
        text = self._run(command, chart.location, "can't be rendered with these values", json.dumps(values))
        return [each for each in yaml.load_all(text, Loader=_LOADER) if each]

    def _pull(self, source: str, version: str | None, folder: Path) -> Path:
        place = [source] if source.startswith("oci://") else [NAME, "--repo", source]
        wanted = ["--version", version] if version else []
        self._run(["pull", *place, *wanted, "--destination", str(folder)], source, "gives no chart")
        return next(folder.glob("*.tgz"))

    def _run(self, arguments: list[str], where: str, what: str, text: str = "") -> str:
        try:
            done = subprocess.run(
                [self.program, *arguments], input=text, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            problem = Problem(where, f"{what}: {error}.", "Check that `helm version` works.")
            raise ConfigurationError([problem]) from None
        if done.returncode:
            words = done.stderr.strip().removeprefix("Error: ").split("\n\nUse --debug")[0]
            raise ConfigurationError([Problem(where, f"{what}. Helm: {words}", "")])
        return done.stdout


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack a chart's archive, and return the folder in it."""
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
            top = PurePosixPath(tar.getnames()[0]).parts[0]
    except (tarfile.TarError, OSError, IndexError):
        fix = "Make one with `helm package` or `helm pull`."
        raise ConfigurationError([Problem(str(archive), "is no chart archive.", fix)]) from None
    return folder / top


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _read(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - a safe one

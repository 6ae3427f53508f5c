"""The `helm` program, and what it answers.

It ends with this process, as the official plugin's helm does, which is a part of the plugin: one that went on would
undo or block what the next update does.

Values and passwords go through files that only we can read, and through standard input, never through arguments: those
are everybody's to see.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from sandbox.plugins.kubernetes.cluster import Cluster
from sandbox.plugins.kubernetes.mortal import mortal
from sandbox.plugins.resource import PluginError
from sandbox.plugins.values import Properties

_STOP_SECONDS: Final = 15.0
_NOT_FOUND: Final = "release: not found"
_PREFIX: Final = re.compile(r"^(Error: )?((INSTALLATION|UPGRADE|UNINSTALL(ATION)?) FAILED: )?")
_NOISE: Final = re.compile(r"^(WARNING|I\d{4}|W\d{4}|level=|walk\.go)")


class HelmError(PluginError):
    """What helm refused or could not do, in its words."""


@dataclass(frozen=True)
class Chart:
    """A chart that is here.

    :param path: an archive or a folder.
    :param version: the very version, where a range was asked for.
    """

    path: str
    name: str
    version: str
    app_version: str


@dataclass(frozen=True)
class LiveRelease:
    """A release as its last revision says."""

    name: str
    namespace: str
    revision: int
    status: str
    description: str
    chart: str
    version: str
    app_version: str
    values: Properties
    manifest: str


@dataclass(frozen=True)
class Source:
    """Where a chart comes from: a path, an ``oci://`` address, ``repo/chart``, or a name in the repository `repo`."""

    chart: str
    version: str | None = None
    repo: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    devel: bool = False
    verify: bool = False
    keyring: str | None = None
    dependency_update: bool = False


class Helm:
    """Runs helm against one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lock = threading.Lock()
        self._charts: dict[Source, Chart] = {}
        self._running: set[subprocess.Popen[bytes]] = set()
        self._interrupted = False

    # -- charts

    def chart(self, source: Source) -> Chart:
        """Get hold of a chart, downloading it once. Raises HelmError."""
        place = Path(source.chart)
        if source.repo is None and (place.is_file() or (place / "Chart.yaml").is_file()):
            if source.dependency_update and place.is_dir():
                self._run(["dependency", "update", source.chart])
            return self._described(source.chart, ["--verify", *_option("--keyring", source.keyring)] * source.verify)
        with self._lock:
            if source not in self._charts:
                self._charts[source] = self._described(self._download(source), [])
            return self._charts[source]

    def _described(self, path: str, options: Sequence[str]) -> Chart:
        told = yaml.safe_load(self._run(["show", "chart", path, *options]))
        if told.get("type") not in (None, "application"):
            raise HelmError(f"the chart {told['name']} is a {told['type']} chart, which can't be installed")
        return Chart(path, told["name"], str(told["version"]), str(told.get("appVersion") or ""))

    def _download(self, source: Source) -> str:
        folder = tempfile.mkdtemp(prefix="chart-", dir=self._cluster.folder)
        chart, options = source.chart, _option("--version", source.version)
        options += ["--devel"] * source.devel + ["--verify"] * source.verify + _option("--keyring", source.keyring)
        tls = _option("--ca-file", source.ca_file) + _option("--cert-file", source.cert_file)
        tls += _option("--key-file", source.key_file)
        login = [*_option("--username", source.username), "--password-stdin"]
        environment: dict[str, str] = {}
        if source.password is not None and chart.startswith("oci://"):
            environment["HELM_REGISTRY_CONFIG"] = str(Path(folder) / "registry.json")
            host = urlsplit(chart).netloc
            self._run(["registry", "login", host, *login, *tls], environment, source.password)
        elif source.password is not None and source.repo:
            environment["HELM_REPOSITORY_CONFIG"] = str(Path(folder) / "repositories.yaml")
            environment["HELM_REPOSITORY_CACHE"] = folder
            self._run(["repo", "add", "source", source.repo, *login, *tls], environment, source.password)
            chart = f"source/{chart}"
        elif source.repo and not chart.startswith("oci://"):
            options += ["--repo", source.repo]
        self._run(["pull", chart, "--destination", folder, *options, *tls], environment)
        archives = list(Path(folder).glob("*.tgz"))
        if len(archives) != 1:
            raise HelmError(f"the chart {source.chart} was downloaded, but it left {len(archives)} archives")
        return str(archives[0])

    # -- releases

    def release(self, namespace: str, name: str) -> LiveRelease | None:
        """The last revision of a release; None when there is none."""
        place = [name, "--namespace", namespace, "--output", "json"]
        try:
            told = json.loads(self._run(["status", *place]))
            metadata = json.loads(self._run(["get", "metadata", *place]))
        except HelmError as error:
            if _NOT_FOUND in str(error):
                return None
            raise
        return LiveRelease(
            told["name"],
            told["namespace"],
            told["version"],
            told["info"]["status"],
            told["info"].get("description", ""),
            metadata["chart"],
            metadata["version"],
            metadata.get("appVersion", ""),
            told.get("config") or {},
            told.get("manifest", ""),
        )

    def install(self, namespace: str, name: str, chart: Chart, values: Properties, options: Sequence[str]) -> None:
        """Install a release. Raises HelmError."""
        self._write("install", namespace, name, chart, values, options)

    def upgrade(self, namespace: str, name: str, chart: Chart, values: Properties, options: Sequence[str]) -> None:
        """Bring a release to another chart or other values. Raises HelmError."""
        self._write("upgrade", namespace, name, chart, values, options)

    def _write(
        self, verb: str, namespace: str, name: str, chart: Chart, values: Properties, options: Sequence[str]
    ) -> None:
        if self._interrupted:
            raise HelmError("it was not begun, since the update is being cancelled")
        with self._private(values) as file:
            self._run([verb, name, chart.path, "--namespace", namespace, "--values", file, "--hide-notes", *options])

    def uninstall(self, namespace: str, name: str, options: Sequence[str]) -> None:
        """Remove a release; fine when there is none. Raises HelmError."""
        try:
            self._run(["uninstall", name, "--namespace", namespace, *options])
        except HelmError as error:
            if _NOT_FOUND not in str(error):
                raise

    @contextmanager
    def _private(self, values: Properties) -> Iterator[str]:
        """The values in a file that only we can read, for as long as they are needed."""
        handle, path = tempfile.mkstemp(prefix="values-", suffix=".json", dir=self._cluster.folder)
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(values, file)
            yield path
        finally:
            Path(path).unlink(missing_ok=True)  # its folder may be gone, where the plugin is ending

    # -- the program

    def interrupt(self) -> None:
        """Begin nothing more, and tell what is running to stop: helm marks a release as failed, or takes it back."""
        self._interrupted = True
        for process in list(self._running):
            process.terminate()

    def finish(self) -> None:
        """Wait until what was told to stop has. What takes too long is killed, which leaves its release as pending."""
        end = time.monotonic() + _STOP_SECONDS
        for process in list(self._running):
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()

    def _run(
        self, arguments: Sequence[str], environment: Mapping[str, str] | None = None, given: str | None = None
    ) -> str:
        program = shutil.which("helm")
        if program is None:
            raise HelmError("there is no `helm` on PATH, which this stand-in needs for releases. Install Helm 3")
        surroundings = {**os.environ, **(environment or {})}
        if self._cluster.kubeconfig_file:
            surroundings["KUBECONFIG"] = self._cluster.kubeconfig_file
        command = [program, *arguments, *_option("--kube-context", self._cluster.context)]
        process = subprocess.Popen(
            mortal(command),
            env=surroundings,
            stdin=subprocess.PIPE if given is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._running.add(process)
        try:
            out, err = process.communicate(given.encode() if given is not None else None)
        finally:
            self._running.discard(process)
        if process.returncode:
            raise HelmError(_said(err.decode(errors="replace")) or f"helm ended with exit code {process.returncode}")
        return out.decode()


def resource_names(manifest: str) -> dict[str, list[str]]:
    """The names of the objects in a manifest, by ``Kind.group/apiVersion`` as the official plugin groups them."""
    names: dict[str, set[str]] = {}
    for entry in yaml.safe_load_all(manifest):
        if not isinstance(entry, dict) or "kind" not in entry:
            continue
        metadata: Mapping[str, Any] = entry.get("metadata") or {}
        group = str(entry.get("apiVersion", "")).rpartition("/")[0]
        kind = f"{entry['kind']}.{group}" if group else entry["kind"]
        name, namespace = str(metadata.get("name", "")), metadata.get("namespace")
        names.setdefault(f"{kind}/{entry.get('apiVersion', '')}", set()).add(
            f"{namespace}/{name}" if namespace else name
        )
    return {kind: sorted(found) for kind, found in sorted(names.items())}


def _option(name: str, value: str | None) -> list[str]:
    return [] if value is None else [name, value]


def _said(text: str) -> str:
    """Helm's complaint in one paragraph, without its progress notes."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _NOISE.match(line.strip())]
    return _PREFIX.sub("", " ".join(lines), count=1).rstrip(".")

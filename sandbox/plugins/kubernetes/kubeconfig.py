"""What a kubeconfig says, given as a path or as its contents."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from sandbox.plugins.values import Properties, Value


def is_path(kubeconfig: str) -> bool:
    """Whether a text names a file (or several, as KUBECONFIG may), and is not the contents of one."""
    return "\n" not in kubeconfig and not kubeconfig.lstrip().startswith("{")


def expanded(paths: str) -> str:
    """Paths with the home folder spelled out."""
    return os.pathsep.join(str(Path(path).expanduser()) for path in paths.split(os.pathsep))


def active_cluster(kubeconfig: Value, context: Value) -> Properties | None:
    """Where the chosen context leads: its server and certificates. None when that can't be told."""
    if not isinstance(kubeconfig, str) or not kubeconfig:
        return None
    try:
        text = Path(expanded(kubeconfig)).read_text() if is_path(kubeconfig) else kubeconfig
        told = yaml.safe_load(text)
        chosen = context or told["current-context"]
        name = next(entry["context"]["cluster"] for entry in told["contexts"] if entry["name"] == chosen)
        cluster: Properties = next(entry["cluster"] for entry in told["clusters"] if entry["name"] == name)
    except (OSError, yaml.YAMLError, KeyError, TypeError, StopIteration):
        return None
    return cluster

"""Say as JSON what a Python environment holds. Runs inside the project's interpreter, so standard library only.

The answer has `executable`, `version`, `packages` (each `name`, `version` and `direct`, false for what another
package requires) and `plugins`: the resource plugins that installed packages declare in a `pulumi-plugin.json`
(https://www.pulumi.com/docs/iac/guides/building-extending/packages/), each `name`, `version`, `server` and,
for a parameterized package, `parameterization`.
"""

import json
import platform
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any


def _canonical(name: str) -> str:
    """The comparable form of a package name (https://packaging.python.org/specifications/name-normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def packages() -> list[dict[str, Any]]:
    """List the installed distributions, each once, by name."""
    versions: dict[str, str] = {}
    required: set[str] = set()
    for distribution in metadata.distributions():
        versions.setdefault(_canonical(distribution.metadata["Name"]), distribution.version)
        for requirement in distribution.requires or []:
            if "extra ==" not in requirement:
                required.add(_canonical(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]))
    return [
        {"name": name, "version": version, "direct": name not in required} for name, version in sorted(versions.items())
    ]


def plugins() -> list[dict[str, Any]]:
    """List the resource plugins that installed packages need; the package's own name and version fill gaps."""
    found: dict[str, dict[str, Any]] = {}
    for folder in sys.path:
        for file in sorted(Path(folder).glob("*/pulumi-plugin.json")):
            declared = json.loads(file.read_text(encoding="utf-8"))
            if not declared.get("resource"):
                continue
            package = file.parent.name
            name = declared.get("name") or package.removeprefix("pulumi_").replace("_", "-")
            plugin = {
                "name": name,
                "version": declared.get("version") or metadata.version(package),
                "server": declared.get("server", ""),
                "parameterization": declared.get("parameterization"),
            }
            found.setdefault(package, plugin)
    return list(found.values())


if __name__ == "__main__":
    json.dump(
        {
            "executable": sys.executable,
            "version": platform.python_version(),
            "packages": packages(),
            "plugins": plugins(),
        },
        sys.stdout,
    )

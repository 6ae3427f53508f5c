"""Manifests of Airbyte's low-code CDK, as far as the platform looks into them.

See https://docs.airbyte.com/platform/connector-development/config-based/understanding-the-yaml-file/yaml-overview
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dynamic_providers.airbyte.errors import InvalidConfigError
from dynamic_providers.values import plain


def load(path: Path) -> dict[str, Any]:
    """A manifest from a YAML or JSON file; raises InvalidConfigError where there is none."""
    try:
        document = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidConfigError(f"{path} can't be read: {error.strerror}", fix="Correct the path.") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise InvalidConfigError(f"{path}{line} is no YAML", why=str(getattr(error, "problem", "") or "")) from None
    if not isinstance(document, dict):
        raise InvalidConfigError(f"{path} is no manifest: it holds no mapping", fix="Write a manifest's keys there.")
    return canonical(document)


def canonical(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest as it compares: whole numbers as integers, nothing that is null."""
    result: dict[str, Any] = plain(manifest)
    return result


def problems(manifest: Mapping[str, Any]) -> list[str]:
    """What keeps the platform from making a connector of it, a sentence each."""
    found = []
    if manifest.get("type") != "DeclarativeSource":
        found.append("the manifest's type is DeclarativeSource.")
    major = str(manifest.get("version") or "").partition(".")[0]
    if not major.isdigit():
        found.append("the manifest needs a version, the CDK's it was written for, as 6.48.0.")
    spec = manifest.get("spec")
    schema = spec.get("connection_specification") if isinstance(spec, Mapping) else None
    if not isinstance(schema, Mapping) or not isinstance(schema.get("properties"), Mapping):
        found.append("the manifest needs spec.connection_specification.properties; write {} where there are none.")
    return found


def specification(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The connector's spec, in the platform's spelling; OAuth flows (advanced_auth) are not carried over."""
    spec = manifest["spec"]
    answer = {"connectionSpecification": spec["connection_specification"]}
    if spec.get("documentation_url"):
        answer["documentationUrl"] = spec["documentation_url"]
    return answer

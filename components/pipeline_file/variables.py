"""``${VAR}`` in a connector's config: what the stack provisions, then its configuration, then the environment."""

import json
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.errors import ConfigurationError, Problem
from components.pipeline_file.document import Document, KeyPath
from components.pipeline_file.models import SecretType
from components.pipeline_file.secrets import is_secret_name
from dynamic_providers.airbyte.mappers import KEY

_REFERENCE = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ESCAPED = re.compile(r"\$\$\{")
_INTEGER = re.compile(r"-?\d+")
_PYTHON: Mapping[SecretType, type | tuple[type, ...]] = {
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}


def references(text: str) -> list[str]:
    """Names referred to in a text; ``$${`` is a literal ``${``."""
    return _REFERENCE.findall(text)


def whole_reference(text: str) -> str | None:
    """The name of the variable that a text is and no more, or None."""
    match = _REFERENCE.fullmatch(text)
    return match[1] if match else None


def may_refer(path: KeyPath) -> bool:
    """Whether a value at this path of a file may refer to variables: in a config, and as the key of a mapper."""
    return path[:2] in {("source", "config"), ("destination", "config")} or (
        path[:2] == ("sync", "streams") and path[3:4] == ("mappers",) and path[5:] == (KEY,)
    )


def config_key(variable: str) -> str:
    """The stack configuration key of a variable: ``POSTGRES_HOST`` -> ``postgresHost``."""
    head, *tail = variable.lower().split("_")
    return head + "".join(part.capitalize() for part in tail)


@dataclass(frozen=True)
class Resolved:
    """A connector's config with its variables resolved."""

    config: dict[str, Any]
    secret_paths: tuple[str, ...]
    """Dotted paths of the values that are Pulumi secrets, sorted."""


@dataclass(frozen=True)
class Variables:
    """Where values come from, first hit wins."""

    provisioned: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    """The project's stack configuration, keys without their namespace."""
    config_secrets: Collection[str] = ()
    """Those of its keys whose values are secret."""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def missing(self, document: Document) -> list[Problem]:
        """Every reference of a file that nothing resolves."""
        return [
            Problem(
                document.where(path),
                f"`${{{name}}}` is not set anywhere.",
                f"Set it with `pulumi config set {config_key(name)} …` (add --secret for a secret), "
                f"or export {name} in the environment.",
            )
            for path, text in document.strings()
            if may_refer(path)
            for name in references(text)
            if self._find(name) is None
        ]

    def resolve(
        self, config: Mapping[str, Any], declared_secrets: Collection[str] | Mapping[str, SecretType] = ()
    ) -> Resolved:
        """Resolve a config block; call `missing` first.

        `declared_secrets` may give their types: a secret that is no text is one only if the file says so, since a
        password of digits is still a text. Raises ConfigurationError for a name that nothing sets, and for a value
        that is not of its type.
        """
        declared, secret_paths = declared_secrets, set[str]()

        def visit(node: Any, path: KeyPath) -> Any:
            if isinstance(node, Mapping):
                return {key: visit(value, (*path, key)) for key, value in node.items()}
            if isinstance(node, list):
                return [visit(value, (*path, index)) for index, value in enumerate(node)]
            if not isinstance(node, str):
                return node
            value, secret = self._text(node)
            if secret or (node and is_secret_name(path, declared)):
                secret_paths.add(".".join(str(part) for part in path))
                return pulumi.Output.secret(_of_type(node, value, _type_of(path, declared)))
            return _typed(value) if node != value and isinstance(value, str) else value

        resolved = visit(config, ())
        return Resolved(resolved, tuple(sorted(secret_paths)))

    def secret(self, text: str) -> pulumi.Output[str]:
        """The value of a text that refers to variables, as a secret; raises ConfigurationError as `resolve` does."""
        return pulumi.Output.secret(self._text(text)[0])

    def _text(self, text: str) -> tuple[pulumi.Input[str], bool]:
        """A text with its references replaced, and whether any of them is a secret."""
        names = references(text)
        found = [self._require(name) for name in names]
        secret = any(is_secret for _, is_secret in found)
        values = [value for value, _ in found]
        if not names:
            return _ESCAPED.sub("${", text), False
        if len(names) == 1 and _REFERENCE.fullmatch(text):
            return values[0], secret
        literals = [_ESCAPED.sub("${", part) for part in _REFERENCE.split(text)[::2]]
        pieces = [piece for pair in zip(literals, [*values, ""], strict=True) for piece in pair]
        if all(isinstance(piece, str) for piece in pieces):
            return "".join(map(str, pieces)), secret
        return pulumi.Output.concat(*pieces), secret

    def _require(self, name: str) -> tuple[pulumi.Input[str], bool]:
        found = self._find(name)
        if found is None:
            raise ConfigurationError(
                [
                    Problem(
                        f"${{{name}}}",
                        "is not set anywhere.",
                        f"Set it in the stack ({config_key(name)}) or export it.",
                    )
                ]
            )
        return found

    def _find(self, name: str) -> tuple[pulumi.Input[str], bool] | None:
        """The value of a name, and whether it is a secret that does not say so itself, as an Output does."""
        if name in self.provisioned:
            return self.provisioned[name], False
        for key in (name, config_key(name)):
            if value := self.config.get(key):
                reference = _REFERENCE.fullmatch(value)
                if reference is None:
                    return value, key in self.config_secrets
                name = reference[1]
                break
        value = self.environ.get(name)
        return (value, False) if value else None


def _typed(text: str) -> str | int | bool:
    """YAML would have read ``port: 5432`` as a number; so must ``port: ${POSTGRES_PORT}``."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if _INTEGER.fullmatch(text) and not text.lstrip("-").startswith("0") else text


def _type_of(path: KeyPath, declared: Collection[str] | Mapping[str, SecretType]) -> SecretType:
    name = ".".join(part for part in path if isinstance(part, str))
    return declared.get(name, "string") if isinstance(declared, Mapping) else "string"


def _of_type(reference: str, value: Any, wanted: SecretType) -> Any:
    """A secret's text as the type that its connector wants; never quotes the text."""
    if wanted == "string":
        return value
    if isinstance(value, pulumi.Output):
        return value.apply(lambda text: _of_type(reference, text, wanted))
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = value
    python = _PYTHON[wanted]
    if not isinstance(parsed, python) or (isinstance(parsed, bool) and wanted != "boolean"):
        raise ConfigurationError(
            [
                Problem(
                    reference,
                    f"stands for a secret of the type {wanted}, and its value is none.",
                    f"Set it to what JSON calls {'an' if wanted[0] in 'aio' else 'a'} {wanted}.",
                )
            ]
        )
    return parsed

"""A stack as the program and the engine see it: its configuration, and where it can be had its state."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.errors import ConfigurationError, Problem
from components.pipeline_file.document import Document
from dynamic_providers.airbyte.rehearsal import Known
from dynamic_providers.values import Properties, plain

Key = tuple[str, str]
"""Type and name of a resource."""

_SIGNATURE = "4dabf18193072939515e22adb298388d"  # of a secret in an exported state
_FROM_ENVIRONMENT = ("airbyte", "postgres", "snowflake")
"""Settings that are taken from the environment where no stack is named: others have names that mean other things."""
_TIMEOUT = 120.0


@dataclass(frozen=True)
class Stack:
    """Configuration and state of a stack, or what stands for them."""

    project: str
    name: str
    config: Mapping[str, str]
    """By full key, as ``airbyte-as-code:airbyteUrl``."""
    secret_keys: frozenset[str] = frozenset()
    state: Mapping[Key, Known] | None = field(default=None, repr=False)
    """None where it could not be had."""

    def find(self, key: Key) -> Known | None:
        """A resource of the state."""
        return self.state.get(key) if self.state is not None else None

    def setting(self, key: str) -> str | None:
        """A value of the project's own namespace."""
        return self.config.get(f"{self.project}:{key}")


def read(name: str | None, settings: Mapping[str, str], say: Callable[[str], None]) -> Stack:
    """Read a stack of the project in this folder, or without a name make one of the environment.

    `settings` replace the project's own keys. `say` is told what could not be read, and what that means. Raises
    ConfigurationError for files that can't be read and stacks that are not there.
    """
    project = Document.read(Path("Pulumi.yaml")).plain() or {}
    namespace = str(project.get("name", ""))
    secret: set[str] = set()
    state = None
    if name is None:
        config = _from_environment(namespace, project.get("config") or {})
        say("Without --stack nothing tells what would change, so every source and destination is checked.")
    elif shutil.which("pulumi"):
        config, secret = _from_pulumi(name)
        state = _state(name)
    else:
        config, encrypted = _from_file(name, namespace)
        say(
            "There is no `pulumi` on PATH, so the stack's state is unknown and every source and destination is checked."
        )
        if encrypted:
            say(f"Without it, these can't be decrypted and count as not set: {', '.join(sorted(encrypted))}.")
    config = {**config, **{f"{namespace}:{key}": value for key, value in settings.items()}}
    return Stack(namespace, name or "<stack>", config, frozenset(secret), state)


def load_environment(files: Iterable[Path]) -> None:
    """Set the variables of files of ``NAME=value`` lines, as a shell reads them; what is set already stays."""
    for file in files:
        try:
            words = shlex.split(file.read_text(encoding="utf-8"), comments=True)
        except OSError as error:
            raise _problem(str(file), f"can't be read ({error.strerror}).", "Correct --env-file.") from None
        except ValueError as error:
            raise _problem(str(file), f"is not a file of variables: {error}.", "Close the quotes.") from None
        for word in words:
            variable, assigned, value = word.partition("=")
            if assigned and variable.isidentifier():
                os.environ.setdefault(variable, value)
            elif word != "export":
                # Not shown: it may be half of a secret.
                raise _problem(str(file), "has a word that is not NAME=value.", "Put values with spaces into quotes.")


def _from_environment(namespace: str, declared: Mapping[str, Any]) -> dict[str, str]:
    """The project's keys that the environment holds, as POSTGRES_HOST for postgresHost."""
    config = {}
    for key, described in declared.items():
        variable = _variable(key)
        if key.startswith(_FROM_ENVIRONMENT) and os.environ.get(variable):
            is_array = isinstance(described, Mapping) and described.get("type") == "array"
            config[f"{namespace}:{key}"] = os.environ[variable] if is_array else f"${{{variable}}}"
    return config


def _from_file(name: str, namespace: str) -> tuple[dict[str, str], set[str]]:
    """The plain values of a stack's file, and the keys of the encrypted ones that the environment does not give."""
    document = Document.read(Path(f"Pulumi.{name}.yaml"))
    config, encrypted = {}, set()
    for key, value in ((document.plain() or {}).get("config") or {}).items():
        if isinstance(value, Mapping) and "secure" in value:
            variable = _variable(key.removeprefix(f"{namespace}:"))
            if os.environ.get(variable):
                config[key] = f"${{{variable}}}"
            else:
                encrypted.add(key)
        else:
            config[key] = _text(value)
    return config, encrypted


def _from_pulumi(name: str) -> tuple[dict[str, str], set[str]]:
    """All values of a stack, decrypted, and the keys of the secret ones."""
    values = json.loads(_pulumi("config", "--json", "--show-secrets", stack=name))
    config = {key: str(value["value"]) for key, value in values.items() if "value" in value}
    return config, {key for key, value in values.items() if value.get("secret")}


def _state(name: str) -> dict[Key, Known]:
    """The stack's resources; one that is about to be deleted is none any more."""
    exported = json.loads(_pulumi("stack", "export", "--show-secrets", stack=name))
    resources = (exported.get("deployment") or {}).get("resources") or []
    return {
        (resource["type"], resource["urn"].rpartition("::")[2]): Known(
            str(resource.get("id", "")),
            _properties(resource.get("inputs")),
            _properties(resource.get("outputs")),
        )
        for resource in resources
        if not resource.get("delete")
    }


def _pulumi(*arguments: str, stack: str) -> str:
    # The names of the pulumi command and its options are ours; the stack's is an argument, never a shell's word.
    command = ["pulumi", *arguments, "--stack", stack, "--non-interactive"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _problem("pulumi", f"could not be run: {type(error).__name__}.", "Run it by hand to see why.") from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split()).removeprefix("error: ")
        raise _problem(
            f"pulumi {' '.join(arguments)} --stack {stack}",
            f"failed: {said.rstrip('.')}.",
            "Log in to the stack's backend and set its passphrase, as for `pulumi preview`.",
        )
    return done.stdout


def _properties(exported: Any) -> Properties:
    shown: Properties = plain(_shown({key: value for key, value in (exported or {}).items() if key != "__provider"}))
    return shown


def _shown(value: Any) -> Any:
    """An exported value with its secrets as they are."""
    if isinstance(value, Mapping):
        if _SIGNATURE in value:
            return _shown(json.loads(value["plaintext"])) if "plaintext" in value else None
        return {key: _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value


def _variable(key: str) -> str:
    """POSTGRES_HOST for postgresHost."""
    return re.sub(r"([A-Z])", r"_\1", key).upper()


def _text(value: Any) -> str:
    """A value of a stack's file as the engine hands it to a program."""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, Mapping | list) else str(value)


def _problem(where: str, what: str, fix: str) -> ConfigurationError:
    return ConfigurationError([Problem(where, what, fix)])

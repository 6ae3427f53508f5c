"""The shell that hands resources to Pulumi's engine: it translates between the engine's calls and a Resource.

What matters about provider classes: they live in an importable module and have no attributes of their own, so state
holds a reference to them and not their code, and `pulumi refresh` runs what is installed and not what once was.
"""

import sys
import traceback
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from dynamic_providers.crud import Resource
from dynamic_providers.errors import ReadableError
from dynamic_providers.values import UNKNOWN, Properties, is_unknown, plain

_PROVIDER_KEY = "__provider"
_HOST = "pulumi.dynamic.__main__"

_scrub: Callable[[str], str] = str


def scrub_with(scrub: Callable[[str], str]) -> None:
    """Take out of every text that leaves this process what `scrub` takes out: secrets."""
    global _scrub
    _scrub = scrub


def host() -> ModuleType | None:
    """The main module of the process that hosts dynamic providers, where this is one."""
    main = sys.modules.get("__main__")
    return main if getattr(getattr(main, "__spec__", None), "name", None) == _HOST else None


class Provider(ResourceProvider):
    """Translates between the engine's calls and a Resource."""

    serialize_as_secret_always = False  # there is nothing in it to keep secret

    def resource(self) -> Resource:
        """The CRUD of this kind."""
        raise NotImplementedError

    def configure(self, req: ConfigureRequest) -> None:  # noqa: ARG002
        """Take stack config, of which this needs nothing."""
        _print_our_errors_without_traceback()

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """See Resource.check."""
        checked = self.resource().check(_from_engine(_olds), _from_engine(news))
        # The engine would print a failing property's value, so failures name the field in their text instead.
        failures = [CheckFailure("", _scrub(failure)) for failure in checked.failures]
        return CheckResult(_to_engine(checked.inputs), failures)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """See Resource.diff."""
        difference = self.resource().diff(_id, _from_engine(_olds), _from_engine(_news))
        return DiffResult(
            changes=bool(difference.changed),
            replaces=list(difference.replaces),
            delete_before_replace=difference.delete_before_replace,
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """See Resource.create."""
        id_, outputs = self.resource().create(_from_engine(props))
        return CreateResult(id_, outputs)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """See Resource.read; a blank id tells the engine that the object is gone."""
        live = self.resource().read(id_, _from_engine(props))
        return ReadResult("", {}) if live is None else ReadResult(id_, live.outputs, live.inputs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """See Resource.update."""
        return UpdateResult(self.resource().update(_id, _from_engine(_olds), _from_engine(_news)))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """See Resource.delete."""
        self.resource().delete(_id, _from_engine(_props))


def _from_engine(props: dict[str, Any]) -> Properties:
    cleaned = {key: _known(value) for key, value in props.items() if key != _PROVIDER_KEY}
    result: Properties = plain(cleaned)
    return result


def _known(value: Any) -> Any:
    if isinstance(value, pulumi.output.Unknown):
        return UNKNOWN
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items()}
    return [_known(item) for item in value] if isinstance(value, list) else value


def _to_engine(value: Any) -> Any:
    if is_unknown(value):
        return pulumi.output.Unknown()  # type: ignore[no-untyped-call]
    if isinstance(value, dict):
        return {key: _to_engine(item) for key, item in value.items()}
    return [_to_engine(item) for item in value] if isinstance(value, list) else value


def _print_our_errors_without_traceback() -> None:
    """Let a user see our paragraph alone, where the host process would print it below a traceback.

    The host formats whatever a provider raises with ``traceback.format_exc()``, looked up in its own module: that
    name is replaced there, and nowhere else. Other exceptions keep their traceback, less the secrets in it.
    """
    main = host()
    if main is not None:
        main.traceback = SimpleNamespace(format_exc=_format_exception)  # type: ignore[attr-defined]


def _format_exception() -> str:
    error = sys.exception()
    text = str(error) if isinstance(error, ReadableError) else traceback.format_exc()
    return _scrub(text)

"""Answers the engine for resources that are a table of fields.

What the engine asks is turned into calls of :class:`~sandbox.plugins.resource.Resource`; what they answer or raise is
turned back.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2

from sandbox.plugins.resource import Change, PluginError, Resource, Session
from sandbox.plugins.server import Servicer, check_failures
from sandbox.plugins.values import Properties, decode, encode, is_known

_Diff = provider_pb2.DiffResponse
_Kind = provider_pb2.PropertyDiff


class ResourceServicer(Servicer[Session]):
    """Answers for every kind of resource that the provider names."""

    def Check(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """Check declared properties, and name what the program left unnamed."""

        def answer() -> provider_pb2.CheckResponse:
            kind = self._kind(request.urn)
            declared, secrets = decode(request.news)
            if "name" in kind.inputs and declared.get("name") is None:
                declared["name"] = _automatic_name(request)
            inputs, failures = kind.check(declared)
            secrets |= {field.name for field in kind.fields if field.secret}
            return provider_pb2.CheckResponse(inputs=encode(inputs, secrets), failures=check_failures(failures))

        return self._answer(context, answer, request.news)

    def Diff(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """What differs between state and program, property by property."""

        def answer() -> provider_pb2.DiffResponse:
            kind = self._kind(request.urn)
            state, _ = decode(request.olds)
            inputs, _ = decode(request.news)
            changes = kind.diff(state, inputs, request.ignoreChanges)
            replaces = [change.field.name for change in changes if kind.replaces(change, inputs)]
            return _Diff(
                changes=_Diff.DIFF_SOME if changes else _Diff.DIFF_NONE,
                diffs=[change.field.name for change in changes],
                replaces=replaces,
                deleteBeforeReplace=bool(replaces) and _same_place(kind, state, inputs),
                hasDetailedDiff=True,
                detailedDiff={
                    change.field.name: _property_diff(change, replaces=change.field.name in replaces)
                    for change in changes
                },
            )

        return self._answer(context, answer, request.olds, request.news)

    def Create(self, request: provider_pb2.CreateRequest, context: Any) -> provider_pb2.CreateResponse:  # noqa: N802
        """Create a resource, or tell a preview what is known of it."""

        def answer() -> provider_pb2.CreateResponse:
            kind = self._kind(request.urn)
            inputs, secrets = decode(request.properties)
            if request.preview:
                return provider_pb2.CreateResponse(properties=encode(kind.predict(inputs), secrets))
            session = self.provider.session()
            inputs = kind.complete(session, inputs)
            identifier = kind.identity(inputs)
            with _Telling(kind, identifier, "created"):
                kind.create(session, inputs)
            try:
                properties = self._read_back(kind, identifier, inputs, secrets)
            except PluginError as error:
                self._half_made(context, identifier, request.properties, str(error), request.properties)
            return provider_pb2.CreateResponse(id=identifier, properties=properties)

        return self._answer(context, answer, request.properties)

    def Read(self, request: provider_pb2.ReadRequest, context: Any) -> provider_pb2.ReadResponse:  # noqa: N802
        """The live resource: for a refresh, or for an import, which brings nothing but an id."""

        def answer() -> provider_pb2.ReadResponse:
            kind = self._kind(request.urn)
            state, secrets = decode(request.properties)
            declared, secret_inputs = decode(request.inputs)
            importing = not state
            if importing:
                state = _located(kind, request.id)
            with _Telling(kind, request.id, "read"):
                live = kind.read(self.provider.session(), state)
            if live is None:
                return provider_pb2.ReadResponse()
            outputs = kind.outputs(live, state)
            secrets |= secret_inputs | {field.name for field in kind.fields if field.secret}
            return provider_pb2.ReadResponse(
                id=kind.identity(outputs if importing else state),
                properties=encode(outputs, secrets),
                inputs=encode(kind.live_inputs(live, None if importing else declared), secrets),
            )

        return self._answer(context, answer, request.properties, request.inputs)

    def Update(self, request: provider_pb2.UpdateRequest, context: Any) -> provider_pb2.UpdateResponse:  # noqa: N802
        """Bring a resource to what the program declares."""

        def answer() -> provider_pb2.UpdateResponse:
            kind = self._kind(request.urn)
            state, _ = decode(request.olds)
            inputs, secrets = decode(request.news)
            if request.preview:
                renamed = state.get("name") != inputs.get("name")
                predicted = kind.predict(inputs, None if renamed else state)
                return provider_pb2.UpdateResponse(properties=encode(predicted, secrets))
            changed = {change.field.name for change in kind.diff(state, inputs, request.ignoreChanges)}
            with _Telling(kind, request.id, "updated"):
                kind.update(self.provider.session(), state, inputs, changed)
            wanted = kind.predict(inputs, state)
            return provider_pb2.UpdateResponse(properties=self._read_back(kind, request.id, wanted, secrets))

        return self._answer(context, answer, request.olds, request.news)

    def Delete(self, request: provider_pb2.DeleteRequest, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Delete a resource."""

        def answer() -> empty_pb2.Empty:
            kind = self._kind(request.urn)
            state, _ = decode(request.properties)
            with _Telling(kind, request.id, "deleted"):
                kind.delete(self.provider.session(), state)
            return empty_pb2.Empty()

        return self._answer(context, answer, request.properties)

    # -- inside

    def _kind(self, urn: str) -> Resource[Session]:
        return self.provider.kind(self._token(urn))

    def _read_back(
        self, kind: Resource[Session], identifier: str, inputs: Properties, secrets: frozenset[str]
    ) -> struct_pb2.Struct:
        with _Telling(kind, identifier, "read after it was written"):
            live = kind.read(self.provider.session(), inputs)
            if live is None:
                raise PluginError("it is not there. Somebody else may have removed it; run the update again")
        secrets |= {field.name for field in kind.fields if field.secret}
        return encode(kind.outputs(live, inputs), secrets)


class _Telling:
    """Says of a :class:`PluginError` which resource it is about, and what was being done to it."""

    def __init__(self, kind: Resource[Any], identifier: str, done: str) -> None:
        self._what = f"The {kind.noun} {identifier} could not be {done}"

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, PluginError):
            raise PluginError(f"{self._what}: {str(error).rstrip('.')}.") from error


def _located(kind: Resource[Any], identifier: str) -> Properties:
    if not kind.importable:
        raise PluginError(f"A {kind.noun} can't be imported, neither here nor by the official provider: create it.")
    try:
        return kind.locate(identifier)
    except ValueError as error:
        raise PluginError(f"{identifier!r} is not the id of a {kind.noun}: {error}.") from error


def _same_place(kind: Resource[Any], state: Properties, inputs: Properties) -> bool:
    """Whether a replacement would be made where the old one still stands, so that the old one has to go first."""
    return not is_known(inputs) or kind.identity(kind.predict(inputs, state)) == kind.identity(state)


def _property_diff(change: Change, *, replaces: bool) -> provider_pb2.PropertyDiff:
    kind = "ADD" if change.was is None else "DELETE" if change.will_be is None else "UPDATE"
    return _Kind(kind=_Kind.Kind.Value(kind + ("_REPLACE" if replaces else "")))


def _automatic_name(request: provider_pb2.CheckRequest) -> str:
    """The name it has already, else the one the engine proposes, else the resource's with a random end."""
    olds, _ = decode(request.olds)
    if isinstance(olds.get("name"), str):
        return str(olds["name"])
    if request.HasField("autonaming") and request.autonaming.proposed_name:
        return request.autonaming.proposed_name
    name = request.urn.rpartition("::")[2]
    return f"{name}-{hashlib.sha256(request.randomSeed or os.urandom(16)).hexdigest()[:7]}"

"""The gRPC server that the engine talks to: one for every provider of this package.

What the engine asks is turned into calls of :class:`~sandbox.plugins.provider.Provider` and
:class:`~sandbox.plugins.resource.Resource`; what they answer or raise is turned back. Protocol:
https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent import futures
from typing import Any, Generic, NoReturn, TypeVar

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from sandbox.plugins.provider import Provider
from sandbox.plugins.resource import Change, PluginError, Resource, Session
from sandbox.plugins.values import Properties, UnsupportedValueError, decode, encode, is_known, secret_texts

Answer = TypeVar("Answer")
_Diff = provider_pb2.DiffResponse
_Kind = provider_pb2.PropertyDiff
_LAST_STATEMENT_SECONDS = 4


class Servicer(provider_pb2_grpc.ResourceProviderServicer, Generic[Session]):
    """Answers the engine on behalf of one provider."""

    def __init__(self, provider: Provider[Session]) -> None:
        self._provider = provider

    # -- the plugin and its configuration

    def GetPluginInfo(self, request: empty_pb2.Empty, context: Any) -> plugin_pb2.PluginInfo:  # noqa: ARG002, N802
        """The version that this plugin stands in for."""
        return plugin_pb2.PluginInfo(version=self._provider.version)

    def GetSchema(self, request: Any, context: Any) -> provider_pb2.GetSchemaResponse:  # noqa: ARG002, N802
        """The schema of what is covered."""
        return provider_pb2.GetSchemaResponse(schema=self._provider.schema())

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """Check the types of the provider's own properties."""

        def answer() -> provider_pb2.CheckResponse:
            declared, _ = decode(request.news)
            failures = self._provider.check_config(declared)
            return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(failures))

        return self._answer(context, answer, request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """A changed configuration is taken as it is: it never replaces the provider and what it made."""

        def answer() -> provider_pb2.DiffResponse:
            was, _ = decode(request.olds)
            will_be, _ = decode(request.news)
            changed = sorted(name for name in was.keys() | will_be.keys() if was.get(name) != will_be.get(name))
            return _Diff(
                changes=_Diff.DIFF_SOME if changed else _Diff.DIFF_NONE,
                diffs=changed,
                hasDetailedDiff=True,
                detailedDiff={name: _Kind(kind=_Kind.UPDATE, inputDiff=True) for name in changed},
            )

        return self._answer(context, answer, request.olds, request.news)

    def Configure(self, request: provider_pb2.ConfigureRequest, context: Any) -> provider_pb2.ConfigureResponse:  # noqa: N802
        """Take the configuration; the server is reached at the first resource that needs it."""

        def answer() -> provider_pb2.ConfigureResponse:
            declared, _ = decode(request.args)
            self._provider.configure(declared)
            return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

        return self._answer(context, answer, request.args)

    def Cancel(self, request: empty_pb2.Empty, context: Any) -> empty_pb2.Empty:  # noqa: ARG002, N802
        """Let what is under way finish: a half-done statement is the one thing that nobody could clean up."""
        return empty_pb2.Empty()

    def Invoke(self, request: provider_pb2.InvokeRequest, context: Any) -> NoReturn:  # noqa: N802
        """No functions are covered."""
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            f"The function {request.tok} is not covered by this stand-in for the {self._provider.package} "
            "provider, which covers resources only.",
        )
        raise AssertionError  # abort never returns

    # -- resources

    def Check(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """Check declared properties, and name what the program left unnamed."""

        def answer() -> provider_pb2.CheckResponse:
            kind = self._kind(request.urn)
            declared, secrets = decode(request.news)
            if "name" in kind.inputs and declared.get("name") is None:
                declared["name"] = _automatic_name(request)
            inputs, failures = kind.check(declared)
            secrets |= {field.name for field in kind.fields if field.secret}
            return provider_pb2.CheckResponse(inputs=encode(inputs, secrets), failures=_failures(failures))

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
            session = self._provider.session()
            inputs = kind.complete(session, inputs)
            identifier = kind.identity(inputs)
            with _Telling(kind, identifier, "created"):
                kind.create(session, inputs)
            try:
                properties = self._read_back(kind, identifier, inputs, secrets)
            except PluginError as error:
                self._half_made(context, identifier, request.properties, str(error))
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
                live = kind.read(self._provider.session(), state)
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
                kind.update(self._provider.session(), state, inputs, changed)
            wanted = kind.predict(inputs, state)
            return provider_pb2.UpdateResponse(properties=self._read_back(kind, request.id, wanted, secrets))

        return self._answer(context, answer, request.olds, request.news)

    def Delete(self, request: provider_pb2.DeleteRequest, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Delete a resource."""

        def answer() -> empty_pb2.Empty:
            kind = self._kind(request.urn)
            state, _ = decode(request.properties)
            with _Telling(kind, request.id, "deleted"):
                kind.delete(self._provider.session(), state)
            return empty_pb2.Empty()

        return self._answer(context, answer, request.properties)

    # -- inside

    def _kind(self, urn: str) -> Resource[Session]:
        # urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME
        return self._provider.kind(urn.split("::")[2].rpartition("$")[2])

    def _read_back(
        self, kind: Resource[Session], identifier: str, inputs: Properties, secrets: frozenset[str]
    ) -> struct_pb2.Struct:
        with _Telling(kind, identifier, "read after it was written"):
            live = kind.read(self._provider.session(), inputs)
            if live is None:
                raise PluginError("it is not there. Somebody else may have removed it; run the update again")
        secrets |= {field.name for field in kind.fields if field.secret}
        return encode(kind.outputs(live, inputs), secrets)

    def _half_made(self, context: Any, identifier: str, inputs: struct_pb2.Struct, reason: str) -> NoReturn:
        """Tell the engine that the resource exists, so that it is kept in state, although its read failed."""
        reason = self._redacted(reason, inputs)
        detail = provider_pb2.ErrorResourceInitFailed(id=identifier, properties=inputs, inputs=inputs, reasons=[reason])
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=reason)
        status.details.add().Pack(detail)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        raise PluginError(reason)

    def _answer(self, context: Any, answer: Callable[[], Answer], *sent: struct_pb2.Struct) -> Answer:
        try:
            return answer()
        except (PluginError, UnsupportedValueError) as error:
            context.abort(grpc.StatusCode.UNKNOWN, self._redacted(str(error), *sent))
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            context.abort(
                grpc.StatusCode.INTERNAL,
                self._redacted(f"The stand-in {self._provider.package} provider failed: {what}", *sent),
            )
        raise AssertionError  # abort never returns

    def _redacted(self, message: str, *sent: struct_pb2.Struct) -> str:
        confidential = self._provider.confidential()
        confidential += [text for struct in sent for text in secret_texts(struct)]
        for text in sorted(confidential, key=len, reverse=True):
            if len(text) > 3:
                message = message.replace(text, "[secret]")
        return message


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


def _failures(failures: Iterable[tuple[str, str]]) -> list[provider_pb2.CheckFailure]:
    return [provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in failures]


def _automatic_name(request: provider_pb2.CheckRequest) -> str:
    """The name it has already, else the one the engine proposes, else the resource's with a random end."""
    olds, _ = decode(request.olds)
    if isinstance(olds.get("name"), str):
        return str(olds["name"])
    if request.HasField("autonaming") and request.autonaming.proposed_name:
        return request.autonaming.proposed_name
    name = request.urn.rpartition("::")[2]
    return f"{name}-{hashlib.sha256(request.randomSeed or os.urandom(16)).hexdigest()[:7]}"


def start(provider: Provider[Any]) -> tuple[Any, int]:
    """A running gRPC server for `provider` on a free loopback port, and that port."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=32),
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(provider), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def serve(provider: Provider[Any]) -> None:
    """Serve `provider`, print the port, and end with the engine that started us.

    The engine sends SIGINT when it is done with a plugin, and kills one that is still there five seconds later. An
    engine that was killed itself sends nothing, so its absence is looked for too.
    """
    engine, ended = os.getppid(), threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: ended.set())
    server, port = start(provider)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not ended.wait(timeout=1) and os.getppid() == engine:
        pass
    server.stop(grace=_LAST_STATEMENT_SECONDS).wait()
    provider.shut()

"""The gRPC server that the engine talks to, and what every provider of this package answers it alike.

What the engine asks of a resource is answered by a subclass: :mod:`sandbox.plugins.resource_servicer` for kinds that
are a table of fields, :mod:`sandbox.plugins.kubernetes.servicer` for objects of a cluster. Protocol:
https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto
"""

from __future__ import annotations

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
from sandbox.plugins.resource import PluginError, Session
from sandbox.plugins.values import UnsupportedValueError, decode, secret_texts

Answer = TypeVar("Answer")
_Diff = provider_pb2.DiffResponse
_Kind = provider_pb2.PropertyDiff
_LAST_STATEMENT_SECONDS = 4


class Servicer(provider_pb2_grpc.ResourceProviderServicer, Generic[Session]):
    """Answers the engine on behalf of one provider; a subclass answers for its resources."""

    def __init__(self, provider: Provider[Session]) -> None:
        self.provider = provider

    # -- the plugin and its configuration

    def GetPluginInfo(self, request: empty_pb2.Empty, context: Any) -> plugin_pb2.PluginInfo:  # noqa: ARG002, N802
        """The version that this plugin stands in for."""
        return plugin_pb2.PluginInfo(version=self.provider.version)

    def GetSchema(self, request: Any, context: Any) -> provider_pb2.GetSchemaResponse:  # noqa: ARG002, N802
        """The schema of what is covered."""
        return provider_pb2.GetSchemaResponse(schema=self.provider.schema())

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """Check the types of the provider's own properties."""

        def answer() -> provider_pb2.CheckResponse:
            declared, _ = decode(request.news)
            failures = self.provider.check_config(declared)
            return provider_pb2.CheckResponse(inputs=request.news, failures=check_failures(failures))

        return self._answer(context, answer, request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """A changed configuration is taken as it is, unless the provider says that it replaces what it made."""

        def answer() -> provider_pb2.DiffResponse:
            was, _ = decode(request.olds)
            will_be, _ = decode(request.news)
            changed = sorted(name for name in was.keys() | will_be.keys() if was.get(name) != will_be.get(name))
            replacing = self.provider.replacing(was, will_be)
            return _Diff(
                changes=_Diff.DIFF_SOME if changed else _Diff.DIFF_NONE,
                diffs=changed,
                replaces=replacing,
                hasDetailedDiff=True,
                detailedDiff={
                    name: _Kind(kind=_Kind.UPDATE_REPLACE if name in replacing else _Kind.UPDATE, inputDiff=True)
                    for name in changed
                },
            )

        return self._answer(context, answer, request.olds, request.news)

    def Configure(self, request: provider_pb2.ConfigureRequest, context: Any) -> provider_pb2.ConfigureResponse:  # noqa: N802
        """Take the configuration; the server is reached at the first resource that needs it."""

        def answer() -> provider_pb2.ConfigureResponse:
            declared, _ = decode(request.args)
            self.provider.configure(declared)
            return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

        return self._answer(context, answer, request.args)

    def Cancel(self, request: empty_pb2.Empty, context: Any) -> empty_pb2.Empty:  # noqa: ARG002, N802
        """Let what is under way finish: a half-done statement is the one thing that nobody could clean up."""
        return empty_pb2.Empty()

    def Invoke(self, request: provider_pb2.InvokeRequest, context: Any) -> NoReturn:  # noqa: N802
        """No functions are covered."""
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            f"The function {request.tok} is not covered by this stand-in for the {self.provider.package} "
            "provider, which covers resources only.",
        )
        raise AssertionError  # abort never returns

    def shut(self) -> None:
        """Let go of everything, as nobody is left to answer."""
        self.provider.shut()

    # -- for the resources

    @staticmethod
    def _token(urn: str) -> str:
        # urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME
        return urn.split("::")[2].rpartition("$")[2]

    def _half_made(
        self, context: Any, identifier: str, state: struct_pb2.Struct, reason: str, inputs: struct_pb2.Struct
    ) -> NoReturn:
        """Tell the engine that the resource exists, so that it is kept in state, although its read failed."""
        reason = self._redacted(reason, inputs)
        detail = provider_pb2.ErrorResourceInitFailed(id=identifier, properties=state, inputs=inputs, reasons=[reason])
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
                self._redacted(f"The stand-in {self.provider.package} provider failed: {what}", *sent),
            )
        raise AssertionError  # abort never returns

    def _redacted(self, message: str, *sent: struct_pb2.Struct) -> str:
        confidential = self.provider.confidential()
        confidential += [text for struct in sent for text in secret_texts(struct)]
        for text in sorted(confidential, key=len, reverse=True):
            if len(text) > 3:
                message = message.replace(text, "[secret]")
        return message


def check_failures(failures: Iterable[tuple[str, str]]) -> list[provider_pb2.CheckFailure]:
    """The wire form of pairs of property and reason."""
    return [provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in failures]


def start(servicer: Servicer[Any]) -> tuple[Any, int]:
    """A running gRPC server on a free loopback port, and that port."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=32),
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def serve(servicer: Servicer[Any]) -> None:
    """Serve, print the port, and end with the engine that started us.

    The engine sends SIGINT when it is done with a plugin, and kills one that is still there five seconds later. An
    engine that was killed itself sends nothing, so its absence is looked for too.
    """
    engine, ended = os.getppid(), threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: ended.set())
    server, port = start(servicer)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not ended.wait(timeout=1) and os.getppid() == engine:
        pass
    servicer.Cancel(empty_pb2.Empty(), None)  # which a killed engine can't ask for any more
    server.stop(grace=_LAST_STATEMENT_SECONDS).wait()
    servicer.shut()

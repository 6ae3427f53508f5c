"""Answers the engine for objects of a cluster and releases of Helm."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeVar

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2

from sandbox.plugins.kubernetes.cluster import ApiError, Cluster
from sandbox.plugins.kubernetes.handler import INPUTS, Comparison, Document, HalfMadeError, Handler, Naming
from sandbox.plugins.kubernetes.helm import Helm
from sandbox.plugins.kubernetes.objects import Objects
from sandbox.plugins.kubernetes.paths import contains, parsed, written
from sandbox.plugins.kubernetes.provider import Kubernetes
from sandbox.plugins.kubernetes.release import Releases
from sandbox.plugins.kubernetes.shape import Difference
from sandbox.plugins.resource import PluginError
from sandbox.plugins.server import Servicer, check_failures
from sandbox.plugins.values import Path, decode_deeply, encode

RELEASE: Final = "kubernetes:helm.sh/v3:Release"

_INSTEAD: Final[Mapping[str, str]] = {
    "kubernetes:helm.sh/": f"Install charts with {RELEASE}",
    "kubernetes:yaml": "Declare the objects with their own types",
    "kubernetes:kustomize": "Declare the objects with their own types",
}
Answer = TypeVar("Answer")
_Diff = provider_pb2.DiffResponse
_Kind = provider_pb2.PropertyDiff


class KubernetesServicer(Servicer[Cluster]):
    """Answers for every type of ``kubernetes:GROUP/VERSION:Kind`` that the API server knows, and for releases."""

    provider: Kubernetes

    def __init__(self, provider: Kubernetes) -> None:
        super().__init__(provider)
        self._helm: Helm | None = None

    def Configure(self, request: provider_pb2.ConfigureRequest, context: Any) -> provider_pb2.ConfigureResponse:  # noqa: N802
        """As in the base; names follow the stack's configuration."""
        response = super().Configure(request, context)
        response.supports_autonaming_configuration = True
        return response

    def Cancel(self, request: empty_pb2.Empty, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """End all waiting, and tell helm to stop: both leave things as they are, and say so."""
        if self._helm is not None:
            self._helm.interrupt()
        if self.provider.current_session is not None:
            self.provider.current_session.stopping.set()
        return super().Cancel(request, context)

    def shut(self) -> None:
        """As in the base, once helm has stopped too. The calls that it works for may be gone long before."""
        if self._helm is not None:
            self._helm.finish()
        super().shut()

    def Invoke(self, request: provider_pb2.InvokeRequest, context: Any) -> NoReturn:  # noqa: N802
        """No functions are covered."""
        self._refuse(request.tok, context)

    def Construct(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """No components are covered."""
        self._refuse(request.type, context)

    def _refuse(self, token: str, context: Any) -> NoReturn:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, _refusal(token))
        raise AssertionError  # abort never returns

    # -- resources

    def Check(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """Check a declaration, and name what the program left unnamed."""

        def answer() -> provider_pb2.CheckResponse:
            if self._cluster().unreachable and self.provider.settings().keep_unreachable:
                return provider_pb2.CheckResponse(inputs=request.olds)
            declared, secrets = decode_deeply(request.news)
            before, _ = decode_deeply(request.olds)
            checked = self._handler(request.urn).check(Document(declared, secrets), before, _naming(request))
            return provider_pb2.CheckResponse(
                inputs=_encoded(checked.inputs), failures=check_failures(checked.failures)
            )

        return self._answer(context, answer, request.news)

    def Diff(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """What differs between state and program, place by place."""

        def answer() -> provider_pb2.DiffResponse:
            comparison = self._handler(request.urn).compare(_document(request.olds), _document(request.news))
            return _diff(comparison, [parsed(path) for path in request.ignoreChanges])

        return self._answer(context, answer, request.olds, request.news)

    def Create(self, request: provider_pb2.CreateRequest, context: Any) -> provider_pb2.CreateResponse:  # noqa: N802
        """Create a resource, or tell a preview what would come of it."""

        def answer() -> provider_pb2.CreateResponse:
            handler, inputs = self._handler(request.urn), _document(request.properties)
            if not request.preview:
                self._reach()
            with _Telling(handler, _title(inputs), "created"):
                made = handler.create(inputs, request.timeout, preview=request.preview)
            return provider_pb2.CreateResponse(id=made.identifier, properties=_encoded(made.state))

        return self._keeping(context, answer, request.properties)

    def Read(self, request: provider_pb2.ReadRequest, context: Any) -> provider_pb2.ReadResponse:  # noqa: N802
        """The live resource: for a refresh, or for an import, which brings nothing but an id."""

        def answer() -> provider_pb2.ReadResponse:
            settings = self.provider.settings()
            if self._cluster().unreachable and settings.forget_unreachable:
                return provider_pb2.ReadResponse()
            if self._cluster().unreachable and settings.keep_unreachable:
                return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
            self._reach("If the cluster is gone for good, set PULUMI_K8S_DELETE_UNREACHABLE=true and run this again")
            handler = self._handler(request.urn)
            with _Telling(handler, request.id, "read"):
                found = handler.read(request.id, _document(request.properties), _document(request.inputs))
            if found is None:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(
                id=found.identifier, properties=_encoded(found.state), inputs=_encoded(found.inputs)
            )

        return self._answer(context, answer, request.properties, request.inputs)

    def Update(self, request: provider_pb2.UpdateRequest, context: Any) -> provider_pb2.UpdateResponse:  # noqa: N802
        """Bring a resource to what the program declares."""

        def answer() -> provider_pb2.UpdateResponse:
            handler, inputs = self._handler(request.urn), _document(request.news)
            if not request.preview:
                self._reach()
            ignored = [parsed(path) for path in request.ignoreChanges]
            with _Telling(handler, request.id, "updated"):
                made = handler.update(
                    _document(request.olds), inputs, ignored, request.timeout, preview=request.preview
                )
            return provider_pb2.UpdateResponse(properties=_encoded(made.state))

        return self._keeping(context, answer, request.olds, request.news)

    def Delete(self, request: provider_pb2.DeleteRequest, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Delete a resource, and wait until it is gone."""

        def answer() -> empty_pb2.Empty:
            if self._cluster().unreachable and self.provider.settings().forget_unreachable:
                return empty_pb2.Empty()
            self._reach("If the cluster is gone for good, set PULUMI_K8S_DELETE_UNREACHABLE=true and run this again")
            handler = self._handler(request.urn)
            with _Telling(handler, request.id, "deleted"):
                handler.delete(_document(request.properties), request.timeout)
            return empty_pb2.Empty()

        return self._answer(context, answer, request.properties)

    # -- inside

    def _cluster(self) -> Cluster:
        return self.provider.session()

    def _reach(self, advice: str = "") -> None:
        unreachable = self._cluster().unreachable
        if unreachable:
            raise PluginError(f"{unreachable} {advice}".strip())

    def _handler(self, urn: str) -> Handler:
        token = self._token(urn)
        if token == RELEASE:
            if self._helm is None:
                self._helm = Helm(self._cluster())
            return Releases(self._cluster(), self._helm)
        _, place, kind = token.split(":")
        version = place.removeprefix("core/")
        if any(token.startswith(prefix) for prefix in _INSTEAD) or "/" not in place:
            raise PluginError(_refusal(token))
        cluster = self._cluster()
        for ending, advice in (
            ("List", "Declare the objects one by one"),
            ("Patch", "Import the object, or declare it whole, with `ignore_changes` for what others manage"),
        ):
            base = kind.removesuffix(ending)
            derived = base not in (kind, "") and not cluster.unreachable and cluster.kind(version, base)
            if derived and not cluster.kind(version, kind):
                raise PluginError(_refusal(token, advice))
        manager = f"pulumi-kubernetes-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"
        return Objects(cluster, self.provider.settings(), version, kind, manager)

    def _redacted(self, message: str, *sent: Any) -> str:
        """As in the base. A release's copy of its declaration is secret as a whole, but its name is none."""
        public = [struct_pb2.Struct() for _ in sent]
        for copy, struct in zip(public, sent, strict=True):
            copy.CopyFrom(struct)
            copy.fields.pop(INPUTS, None)
        return super()._redacted(message, *public)

    def _keeping(self, context: Any, answer: Callable[[], Answer], *sent: Any) -> Answer:
        """As `_answer`; what is there but not as it should be is kept in state."""

        def kept() -> Answer:
            try:
                return answer()
            except HalfMadeError as error:
                state = _encoded(error.made.state)
                self._half_made(context, error.made.identifier, state, str(error), inputs=sent[-1])

        return self._answer(context, kept, *sent)


class _Telling:
    """Says of an error which resource it is about, and what was being done to it."""

    def __init__(self, handler: Handler, title: str, done: str) -> None:
        self._what = f"The {handler.noun} {title} could not be {done}"

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, HalfMadeError):
            raise HalfMadeError(self._sentence(error), error.made) from error
        if isinstance(error, PluginError | ApiError):
            raise PluginError(self._sentence(error)) from error

    def _sentence(self, error: Exception) -> str:
        return f"{self._what}: {str(error).rstrip('.')}."


def _document(struct: Any) -> Document:
    return Document(*decode_deeply(struct))


def _encoded(document: Document) -> Any:
    return encode(document.values, document.secrets, nulls=True)


def _title(inputs: Document) -> str:
    metadata = inputs.values.get("metadata", inputs.values)
    if not isinstance(metadata, dict):
        return ""
    parts = (metadata.get("namespace"), metadata.get("name"))
    return "/".join(part for part in parts if isinstance(part, str))


def _naming(request: provider_pb2.CheckRequest) -> Naming:
    name = request.urn.rpartition("::")[2]
    proposed = f"{name}-{hashlib.sha256(request.randomSeed or os.urandom(16)).hexdigest()[:8]}"
    refused = False
    if request.HasField("autonaming"):
        refused = request.autonaming.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE
        proposed = request.autonaming.proposed_name or proposed
    return Naming(name, proposed, refused)


def _diff(comparison: Comparison, ignored: list[Path]) -> provider_pb2.DiffResponse:
    changes = [change for change in comparison.changes if not any(contains(path, change.path) for path in ignored)]
    replaces = [written(change.path) for change in changes if change.path in comparison.replacing]
    return _Diff(
        changes=_Diff.DIFF_SOME if changes else _Diff.DIFF_NONE,
        diffs=sorted({str(change.path[0]) for change in changes}),
        replaces=replaces,
        deleteBeforeReplace=bool(replaces) and comparison.delete_first,
        hasDetailedDiff=True,
        detailedDiff={
            written(change.path): _property_diff(change, replaces=change.path in comparison.replacing)
            for change in changes
        },
    )


def _property_diff(change: Difference, *, replaces: bool) -> provider_pb2.PropertyDiff:
    kind = _Kind.Kind.Value(change.kind + ("_REPLACE" if replaces else ""))
    return _Kind(kind=kind, inputDiff=change.kind == "DELETE")


def _refusal(token: str, advice: str = "") -> str:
    advice = advice or next((instead for prefix, instead in _INSTEAD.items() if token.startswith(prefix)), "")
    return (
        f"{token} is not covered by this stand-in for the kubernetes provider, which covers the objects that the API "
        f"server knows, by their own types, and {RELEASE}." + (f" {advice}." if advice else "")
    )

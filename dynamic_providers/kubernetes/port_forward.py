"""HTTP to a Service inside a cluster, through the Kubernetes API and nothing else: what `kubectl port-forward` does.

    httpx.Client(base_url=target.base_url, transport=PortForwardTransport(target))

Each connection picks a ready pod of the Service anew, so a restarted pod costs no more than a retry. No port is
opened on this machine, where any of its users could connect to it.
"""

import select
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpcore
import httpx
from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.stream.ws_client import get_websocket_url, websocket_proxycare
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as HTTPTimeoutError
from websocket import ABNF, WebSocket, WebSocketException, WebSocketTimeoutException

from dynamic_providers.kubernetes.cluster import ClusterError, connect, reason

SCHEME = "port-forward"
_PROTOCOL = "v4.channel.k8s.io"
"""Binary frames of a channel's number and data (https://pkg.go.dev/k8s.io/kubelet/pkg/cri/streaming/portforward)."""
_DATA, _ERROR = 0, 1
_FRAME = 64 * 1024
_POOL = 8
"""Connections at once. The engine calls from four threads."""
_ANSWER_SECONDS = 30.0
"""How long the API server may take to answer, where the caller sets no time-out for connecting."""


class SilentClusterError(ClusterError):
    """The API server did not answer in time."""

    def __init__(self, target: "Target", server: str, question: str, seconds: float) -> None:
        """`question` completes "when it was asked"."""
        place = [*(["--context", target.context] if target.context else []), "--namespace", target.namespace]
        kubectl = f"kubectl {' '.join(place)} port-forward service/{target.service} :{target.port}"
        super().__init__(
            f"{target}: the cluster's API server at {server} did not answer within {seconds:g} s when it was asked "
            f"{question}. Run this again, or try `{kubectl}`: if that gets no answer either, see whether the "
            "kubeconfig names the right server, whether it is healthy, and what is in between (VPN, proxy, firewall)."
        )


@dataclass(frozen=True)
class Target:
    """A Service's port, written ``port-forward://NAMESPACE/SERVICE:PORT?context=NAME``; the context is optional."""

    namespace: str
    service: str
    port: int
    context: str | None = None

    @classmethod
    def parse(cls, address: str) -> Self:
        """Read the address; raises ValueError where a part is missing."""
        parts = urlsplit(address)
        service, _, port = parts.path.strip("/").partition(":")
        query = parse_qs(parts.query)
        if parts.scheme != SCHEME or not (parts.hostname and service and port.isdigit()) or query.keys() - {"context"}:
            raise ValueError(f"{address!r} is not of the form {SCHEME}://NAMESPACE/SERVICE:PORT")
        return cls(parts.hostname, service, int(port), query.get("context", [None])[0])

    @property
    def base_url(self) -> str:
        """The address that requests bear, which is the Service's inside the cluster."""
        return f"http://{self.service}.{self.namespace}.svc:{self.port}"

    def __str__(self) -> str:
        context = f"?context={self.context}" if self.context else ""
        return f"{SCHEME}://{self.namespace}/{self.service}:{self.port}{context}"


class PortForwardTransport(httpx.BaseTransport):
    """Sends httpx's requests through port-forwards, which are opened when needed and closed with the transport.

    Whatever goes wrong before a request is sent is httpx.ConnectError, with the cluster's words, or
    httpx.ConnectTimeout where it says nothing for as long as the request's time-out for connecting. Once open, a
    port-forward may be idle for any time.
    """

    def __init__(self, target: Target) -> None:
        self._pool = httpcore.ConnectionPool(
            network_backend=_Cluster(target), max_connections=_POOL, keepalive_expiry=30.0
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        assert isinstance(request.stream, Iterable)
        outgoing = httpcore.Request(
            request.method,
            str(request.url),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _httpx_errors():
            response = self._pool.handle_request(outgoing)
        assert isinstance(response.stream, Iterable)
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _httpx_errors():
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


@contextmanager
def _httpx_errors() -> Iterator[None]:
    """The two libraries name their errors alike."""
    try:
        yield
    except Exception as error:
        same = getattr(httpx, type(error).__name__, None)
        if not isinstance(error, _HTTPCORE_ERRORS) or same is None:
            raise
        raise same(str(error)) from error


_HTTPCORE_ERRORS = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)


class _Cluster(httpcore.NetworkBackend):
    """Opens connections to a Service's pods."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._api: Any = None

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the target says where to
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Any = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Open a port-forward to a ready pod of the Service."""
        seconds = _ANSWER_SECONDS if timeout is None else timeout
        try:
            with self._lock:
                self._api = self._api or connect(self._target.context, retry=False)
            with self._answer_in(seconds, "for the Service and its pods"):
                pod, port = ready_pod(self._api, self._target, seconds)
            with self._answer_in(seconds, f"for a port-forward to pod {pod}"):
                return _Stream(_open(self._api, self._target.namespace, pod, port, seconds), pod)
        except SilentClusterError as error:
            raise httpcore.ConnectTimeout(str(error)) from None
        except ClusterError as error:
            raise httpcore.ConnectError(str(error)) from None
        except (ApiException, HTTPError, WebSocketException, OSError) as error:
            raise httpcore.ConnectError(f"{self._target}: {reason(error)}") from None

    @contextmanager
    def _answer_in(self, seconds: float, question: str) -> Iterator[None]:
        try:
            yield
        except NewConnectionError:  # refused, or an unknown host; urllib3 takes these for time-outs
            raise
        except (TimeoutError, HTTPTimeoutError, WebSocketTimeoutException):
            server = self._api.configuration.host
            raise SilentClusterError(self._target, server, question, seconds) from None


def ready_pod(api: Any, target: Target, timeout: float | None = None) -> tuple[str, int]:
    """A ready pod of the Service, and the port it serves on; raises ClusterError where there is none."""
    core = CoreV1Api(api)
    service = core.read_namespaced_service(target.service, target.namespace, _request_timeout=timeout)
    named = next((port.target_port for port in service.spec.ports if port.port == target.port), None)
    if named is None:
        ports = ", ".join(str(port.port) for port in service.spec.ports)
        raise ClusterError(f"{target}: the Service has no port {target.port}, only {ports}.")
    if not service.spec.selector:
        raise ClusterError(f"{target}: the Service selects no pods, so there is nothing to forward to.")
    selector = ",".join(f"{key}={value}" for key, value in sorted(service.spec.selector.items()))
    pods = core.list_namespaced_pod(target.namespace, label_selector=selector, _request_timeout=timeout).items
    for pod in sorted(pods, key=lambda pod: str(pod.metadata.name)):
        if _is_ready(pod):
            return str(pod.metadata.name), _container_port(pod, named, target)
    states = ", ".join(f"{pod.metadata.name} is {pod.status.phase}" for pod in pods) or "there are none"
    raise ClusterError(f"{target}: no pod of the Service is ready: {states}.")


def _is_ready(pod: Any) -> bool:
    conditions = pod.status.conditions or []
    return pod.metadata.deletion_timestamp is None and any(
        condition.type == "Ready" and condition.status == "True" for condition in conditions
    )


def _container_port(pod: Any, named: Any, target: Target) -> int:
    if isinstance(named, int) or str(named).isdigit():
        return int(named)
    for container in pod.spec.containers:
        for port in container.ports or []:
            if port.name == named:
                return int(port.container_port)
    raise ClusterError(f"{target}: pod {pod.metadata.name} has no port named {named}.")


def _open(api: Any, namespace: str, pod: str, port: int, seconds: float) -> WebSocket:
    """Have the API server open a port-forward; it may take `seconds` for each step: to connect, TLS, its answer."""
    configuration = api.configuration
    headers: dict[str, str] = {"sec-websocket-protocol": _PROTOCOL}
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
    api.update_params_for_auth(headers, [], ["BearerToken"], path, "GET", None)
    url = get_websocket_url(f"{configuration.host}{path}", [("ports", str(port))])
    # The client's own `create_websocket` does the same, and waits for ever.
    options: dict[str, Any] = {"header": [f"{name}: {value}" for name, value in headers.items()], "timeout": seconds}
    if configuration.proxy or configuration.proxy_headers:
        options = websocket_proxycare(options, configuration, url, headers)
    websocket = WebSocket(sslopt=_tls(configuration))
    websocket.connect(url, **options)
    websocket.settimeout(None)  # reads and writes have their own
    return websocket


def _tls(configuration: Any) -> dict[str, Any]:
    """What the kubeconfig says of TLS, as `websocket` wants it."""
    options = {
        "cert_reqs": ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE,
        "check_hostname": configuration.verify_ssl and configuration.assert_hostname is not False,
        "ca_certs": configuration.ssl_ca_cert,
        "certfile": configuration.cert_file,
        "keyfile": configuration.key_file,
        "server_hostname": configuration.tls_server_name,
    }
    return {name: value for name, value in options.items() if value is not None}


class _Stream(httpcore.NetworkStream):
    """One forwarded connection: a data channel both ways, and one on which the node tells of errors."""

    def __init__(self, websocket: WebSocket, pod: str) -> None:
        self._websocket, self._pod = websocket, pod
        self._buffer = b""
        self._opened: set[int] = set()
        self._answered = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come, at most `max_bytes`; nothing once the other end is done."""
        while not self._buffer:
            frame = self._receive(timeout)
            if frame is None:
                return b""
            channel, data = frame[0], frame[1:]
            if channel not in self._opened:
                self._opened.add(channel)  # the first frame of a channel holds its port's number
            elif channel == _DATA:
                self._buffer, self._answered = data, True
            elif channel == _ERROR and data:
                self._fail(data.decode(errors="replace"))
        taken, self._buffer = self._buffer[:max_bytes], self._buffer[max_bytes:]
        return taken

    def _receive(self, timeout: float | None) -> bytes | None:
        self._websocket.settimeout(timeout)
        try:
            while True:
                opcode, frame = self._websocket.recv_data_frame(True)
                if opcode == ABNF.OPCODE_CLOSE:
                    return None
                if opcode == ABNF.OPCODE_BINARY and frame.data:
                    return bytes(frame.data)
        except WebSocketTimeoutException:
            raise httpcore.ReadTimeout(f"pod {self._pod} sent nothing for {timeout} s") from None
        except (WebSocketException, OSError) as error:
            raise httpcore.ReadError(f"the port-forward to pod {self._pod} broke: {error}") from None

    def _fail(self, words: str) -> None:
        message = f"the node could not forward to pod {self._pod}: {words.strip()}"
        # Before the first byte of an answer, nobody in the pod took the connection, let alone the request.
        raise httpcore.ReadError(message) if self._answered else httpcore.ConnectError(message)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        self._websocket.settimeout(timeout)
        try:
            for start in range(0, len(buffer), _FRAME):
                self._websocket.send_binary(bytes([_DATA]) + buffer[start : start + _FRAME])
        except WebSocketTimeoutException:
            raise httpcore.WriteTimeout(f"pod {self._pod} took nothing for {timeout} s") from None
        except (WebSocketException, OSError) as error:
            raise httpcore.WriteError(f"the port-forward to pod {self._pod} broke: {error}") from None

    def close(self) -> None:
        """Close the connection, without waiting for the other end."""
        self._websocket.shutdown()

    def get_extra_info(self, info: str) -> Any:
        """Tell whether something, which between requests can only be the end, has come."""
        if info != "is_readable":
            return None
        connection = self._websocket.sock
        return connection is None or bool(select.select([connection], [], [], 0)[0])

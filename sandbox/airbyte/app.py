"""Answering a request: latency, call log, injected faults, authentication, handler, error body."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sandbox.airbyte import public_api
from sandbox.airbyte.errors import ApiError, ServerFaultError, as_problem
from sandbox.airbyte.faults import Fault
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.routes import ENDPOINTS, sandbox
from sandbox.airbyte.wire import Answer, Body, Endpoint

log = logging.getLogger(__name__)

CONFIG_API = "/api"
PUBLIC_API = "/api/public/v1"

_HELD = 0.02
"""Seconds between two looks whether a held call may go on."""

Respond = Callable[[Request], Awaitable[Response]]


def build(instance: Instance) -> Starlette:
    """The web application of an instance, with the endpoints that its release has."""
    routes = [
        Route(CONFIG_API + endpoint.path, _config_endpoint(instance, endpoint), methods=[endpoint.method])
        for endpoint in ENDPOINTS
        if instance.release.within(endpoint.since, endpoint.until)
    ]
    routes += [
        Route(PUBLIC_API + path, _public_endpoint(instance, methods), methods=sorted(methods))
        for path, methods in public_api.routes(instance.release).items()
    ]
    routes += sandbox.routes(instance)
    routes.append(Route("/{path:path}", _unknown(instance), methods=["GET", "POST", "PUT", "PATCH", "DELETE"]))
    return Starlette(routes=routes)


def _config_endpoint(instance: Instance, endpoint: Endpoint) -> Respond:
    async def work(request: Request) -> Response:
        if not endpoint.open:
            instance.tokens.check(request.headers.get("authorization"))
        body = Body.parse(await request.body())
        if endpoint.slow:
            answer = await run_in_threadpool(endpoint.handler, instance, body)
        else:
            answer = _locked(instance, lambda: endpoint.handler(instance, body))
        return Response(status_code=endpoint.status) if answer is None else _json(answer, endpoint.status)

    def refuse(error: ApiError) -> Response:
        return _json(error.body(opaque=instance.release.hides_error_messages), error.status)

    return _surrounded(instance, work, refuse)


def _public_endpoint(instance: Instance, methods: dict[str, public_api.Operation]) -> Respond:
    async def work(request: Request) -> Response:
        operation = methods[request.method]
        if not operation.open:
            instance.tokens.check(request.headers.get("authorization"))
        # The official Python SDK asks for its token with a form, as OAuth has it.
        is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        raw = await request.body()
        body = Body.parse_form(raw) if is_form else Body.parse(raw)
        call = public_api.Call(instance, body, request.path_params, request.query_params)
        if operation.slow:
            answer = await run_in_threadpool(operation.handler, call)
        else:
            answer = _locked(instance, lambda: operation.handler(call))
        return Response(status_code=204) if operation.status == 204 else _json(answer, operation.status)

    def refuse(error: ApiError) -> Response:
        if error.status == 401:
            return _json(error.body(opaque=True), 401)
        problem = as_problem(error)
        return _json(problem.body(opaque=True), problem.status, "application/problem+json")

    return _surrounded(instance, work, refuse)


def _unknown(instance: Instance) -> Respond:
    async def work(request: Request) -> Response:
        return _json({"message": "Not Found", "_links": {"self": {"href": request.url.path}}}, 404)

    return _surrounded(instance, work, lambda error: _json(error.body(opaque=True), error.status))


def _surrounded(instance: Instance, work: Respond, refuse: Callable[[ApiError], Response]) -> Respond:
    """What happens around every handler of the API, in the order that a client meets it."""

    async def respond(request: Request) -> Response:
        path = request.url.path.removeprefix(CONFIG_API)
        call = instance.calls.begin(request.method, path)
        await asyncio.sleep(instance.settings.latency_ms / 1000)
        fault = instance.faults.strike(path)
        if fault and fault.expire:
            instance.tokens.expire_all()
        if fault and fault.when == "before":
            await _wait(fault)
            if (injected := _injected(fault)) is not None:
                call["status"] = injected.status_code
                return injected
        try:
            response = await work(request)
        except ApiError as error:
            response = refuse(error)
        except Exception:
            log.exception("%s %s failed", request.method, path)
            response = refuse(ServerFaultError("unexpected"))
        if fault and fault.when == "after":
            await _wait(fault)
            response = _injected(fault) or response
        call["status"] = response.status_code
        return response

    return respond


async def _wait(fault: Fault) -> None:
    await asyncio.sleep(fault.delay_ms / 1000)
    while fault.hold:
        await asyncio.sleep(_HELD)


def _locked(instance: Instance, work: Callable[[], Answer]) -> Answer:
    with instance.store.lock:
        return work()


def _json(content: Any, status: int = 200, media_type: str = "application/json") -> Response:
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return Response(text, status_code=status, media_type=media_type)


def _injected(fault: Fault) -> Response | None:
    if fault.disconnect:
        return _Broken()
    if fault.status is None:
        return None
    match fault.body:
        case "html":
            page = f"<html><head><title>{fault.status}</title></head><body><h1>{fault.status}</h1></body></html>"
            return Response(page, fault.status, fault.headers, "text/html")
        case "empty":
            return Response(status_code=fault.status, headers=fault.headers)
        case _:
            body = json.dumps({"message": "injected by a fault of the sandbox"})
            return Response(body, fault.status, fault.headers, "application/json")


class _Broken(Response):
    """An answer that ends before its body: the server closes the connection and the client sees it break off."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        headers: Iterable[tuple[bytes, bytes]] = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        await send({"type": "http.response.body", "body": b"{", "more_body": False})

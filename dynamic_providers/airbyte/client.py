"""The one place that builds a request: the Config API over HTTP, with a token, retries and readable errors."""

import base64
import binascii
import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from dynamic_providers.airbyte import responses
from dynamic_providers.airbyte.errors import (
    AbandonedError,
    ApiError,
    NoAnswerError,
    OutcomeUnknownError,
    UnauthorizedError,
    UnreachableError,
)
from dynamic_providers.airbyte.models import InstanceConfiguration
from dynamic_providers.airbyte.redaction import Redactor
from dynamic_providers.airbyte.releases import Release
from dynamic_providers.airbyte.settings import Settings, is_port_forward

CREATES: Final = frozenset(
    {
        "sources/create",
        "destinations/create",
        "connections/create",
        "scoped_configuration/create",
        "tags/create",
        "actor_definitions/create",
        "source_definitions/create_custom",
        "destination_definitions/create_custom",
        "connector_builder_projects/create",
        "connector_builder_projects/publish",
        "declarative_source_definitions/create_manifest",
        "connections/sync",
        "connections/refresh",
        "connections/reset",
        "connections/reset/stream",
        "connections/clear",
        "connections/clear/stream",
    }
)
"""Operations that make something: the server has no idempotency key, so a second try could make two."""

_ATTEMPTS = 5
_ATTEMPTS_OF_JOBS = 2
"""Of checks and discoveries: each attempt starts a pod, and one whose answer a proxy cut off may still be running."""
_RETRIED_STATUS = frozenset({408, 429, 502, 503, 504})
_NOT_PROCESSED = frozenset({408, 429})
"""Statuses that promise that nothing was done, so even a create may be sent again."""
_RENEW_BEFORE = 30.0
"""Seconds before a token's end at which a new one is asked for."""

# What runs as a job: the server gives a check 10 minutes and a discovery 30, and holds the request for as long.
_READ_TIMEOUTS = {
    "check_connection": 660.0,
    "check_connection_for_update": 660.0,
    "create_custom": 660.0,  # pulls the image and asks it for its spec
    "discover_schema": 1860.0,
}
_READ_TIMEOUT = 120.0
_PROBE_TIMEOUT = 5.0
_GIVEN_UP = 30.0
"""Seconds for which a server that could not be reached by all attempts is not asked again: a refresh of a thousand
resources would otherwise wait a thousand times."""


class Client:
    """Calls operations of one server's Config API; safe to share between threads.

    ``post`` raises ApiError's children. It answers 408, 429, 502, 503 and 504 and broken connections with up to five
    attempts (two for a check or a discovery), except for creates: those are sent once, and OutcomeUnknownError says
    that the answer was lost.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        redactor: Redactor | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.redactor = redactor or Redactor()
        self.redactor.add(settings.client_secret)
        self._settings = settings
        self.sleep = sleep
        """How to wait between attempts."""
        self._clock = clock
        self._address = settings.url
        if transport is None and is_port_forward(settings.url):
            self._address, transport = _port_forward(settings.url)
        self._http = httpx.Client(
            base_url=f"{self._address}/api/v1/",
            transport=transport,
            timeout=httpx.Timeout(_READ_TIMEOUT, connect=10.0),
            headers={"User-Agent": "airbyte-as-code", "Accept": "application/json"},
            trust_env=not _is_loopback(settings.url),
        )
        self._token = ""
        self._token_ends = 0.0
        self._token_lock = threading.Lock()
        self._instance: InstanceConfiguration | None = None
        self._instance_lock = threading.Lock()
        self._silence = ""
        self._given_up: tuple[float, httpx.TransportError] | None = None
        self.abandoned: Callable[[], bool] = lambda: False
        """Whether nobody is left to be told of what a create makes, so that it must not be sent."""

    def post(
        self, operation: str, body: dict[str, Any] | None = None, *, unretried: frozenset[int] = frozenset()
    ) -> dict[str, Any]:
        """Call an operation, as ``sources/list_paginated``; the answer is ``{}`` where the server sends none.

        `unretried` are statuses that the caller has another answer to than a second try; to a lost answer, too.
        """
        response = self._send(operation, body if body is not None else {}, unretried)
        return responses.body(response) if response.content else {}

    def post_many(self, operation: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Call one of the few operations that answer with an array."""
        return responses.items(self._send(operation, body))

    def get_public(self, path: str, **query: str) -> dict[str, Any]:
        """Read from the public API, as ``sources/<id>``: for the little that the Config API does not tell."""
        address = httpx.URL(f"{self._address}/api/public/v1/{path}", params=query)
        return responses.body(self._send(str(address), None))

    def instance(self) -> InstanceConfiguration:
        """Version, edition and defaults of the server; asked once."""
        with self._instance_lock:
            if self._instance is None:
                response = self._attempt("instance_configuration", None, authorized=False)
                self._instance = InstanceConfiguration.model_validate(responses.body(response))
            return self._instance

    def ailment(self) -> str:
        """What the server's own health check finds wrong, by one short question; empty where that is nothing."""
        try:
            response = self._http.get("health", timeout=_PROBE_TIMEOUT)
            self._given_up = None  # somebody is there
            healthy = response.is_success and responses.body(response).get("available") is True
        except httpx.TransportError as error:
            return self.redactor.scrub(f"{type(error).__name__}, {error}")
        except ApiError:
            return "its health check is answered by something that is not Airbyte"
        return "" if healthy else f"its health check answers HTTP {response.status_code}, not available"

    def answers(self) -> bool:
        """Whether somebody is there, by one short question; for what can do without."""
        with self._instance_lock:
            if self._instance is None and not self._silence:
                try:
                    response = self._http.get("instance_configuration", timeout=_PROBE_TIMEOUT)
                except httpx.TransportError as error:
                    self._silence = self.redactor.scrub(f"{type(error).__name__}: {error}")
                else:
                    if response.is_success:
                        self._instance = InstanceConfiguration.model_validate(responses.body(response))
                    else:
                        self._silence = f"HTTP {response.status_code}"
            return self._instance is not None

    @property
    def silence(self) -> str:
        """Why nobody was there; empty where somebody was, or was not asked for."""
        return self._silence

    @property
    def url(self) -> str:
        """The server's address, without a path."""
        return self._settings.url

    @property
    def release(self) -> Release:
        """What the server's version can do; asked once."""
        return Release.parse(self.instance().version)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _send(
        self, operation: str, body: dict[str, Any] | None, unretried: frozenset[int] = frozenset()
    ) -> httpx.Response:
        try:
            return self._attempt(operation, body, authorized=True, unretried=unretried)
        except UnauthorizedError as error:
            if error.status != 401 or not self._settings.client_id:
                raise
            self._forget_token()
            return self._attempt(operation, body, authorized=True, unretried=unretried)

    def _attempt(
        self,
        operation: str,
        body: dict[str, Any] | None,
        *,
        authorized: bool,
        unretried: frozenset[int] = frozenset(),
    ) -> httpx.Response:
        if self._given_up and self._clock() < self._given_up[0]:
            raise self._unreachable(operation, self._given_up[1], UnreachableError)
        creates = operation in CREATES
        attempts = _ATTEMPTS_OF_JOBS if operation.rpartition("/")[2] in _READ_TIMEOUTS else _ATTEMPTS
        for attempt in range(1, attempts + 1):
            if creates and self.abandoned():
                raise AbandonedError(f"{operation} was not sent, since the engine that asked for it is gone")
            last = attempt == attempts
            headers = {"Authorization": f"Bearer {self._bearer()}"} if authorized and self._needs_token else {}
            delay = min(10.0, 0.25 * 2**attempt) * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret
            try:
                response = self._exchange(operation, body, headers)
            except httpx.TransportError as error:
                # A connection that was never made carried no request, so even a create may try again.
                unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                if last and unsent:
                    self._given_up = self._clock() + _GIVEN_UP, error
                if creates and not unsent:
                    raise self._lost(operation, type(error).__name__) from None
                if last or (unretried and not unsent):
                    raise self._unreachable(operation, error, UnreachableError if unsent else NoAnswerError) from None
            else:
                self._given_up = None
                if response.is_success:
                    return response
                if creates and response.status_code in _RETRIED_STATUS - _NOT_PROCESSED:
                    raise self._lost(operation, f"HTTP {response.status_code}")
                if last or response.status_code not in _RETRIED_STATUS - unretried:
                    raise responses.error(operation, response, self.redactor)
                delay = max(delay, responses.retry_after(response))
            self.sleep(delay)
        raise AssertionError("the last attempt returns or raises")

    def _exchange(self, operation: str, body: dict[str, Any] | None, headers: dict[str, str]) -> httpx.Response:
        if body is None:
            return self._http.get(operation, headers=headers)
        read = _READ_TIMEOUTS.get(operation.rpartition("/")[2], _READ_TIMEOUT)
        timeout = httpx.Timeout(read, connect=10.0)
        return self._http.post(operation, json=body, headers=headers, timeout=timeout)

    @property
    def _needs_token(self) -> bool:
        return bool(self._settings.client_id)

    def _bearer(self) -> str:
        with self._token_lock:
            if not self._token or self._clock() >= self._token_ends - _RENEW_BEFORE:
                body = {"client_id": self._settings.client_id, "client_secret": self._settings.client_secret}
                try:
                    response = self._attempt("applications/token", body, authorized=False)
                except ApiError as error:
                    if error.status in (400, 401, 403):
                        raise responses.wrong_credentials(error, self._settings.url) from None
                    raise
                self._token = str(responses.body(response).get("access_token", ""))
                self._token_ends = token_end(self._token)
                self.redactor.add(self._token)
            return self._token

    def _forget_token(self) -> None:
        with self._token_lock:
            self._token = ""

    def _unreachable(
        self, operation: str, error: httpx.TransportError, kind: type[UnreachableError]
    ) -> UnreachableError:
        return kind(
            f"Airbyte does not answer at {self._settings.url}",
            operation=operation,
            why=f"{type(error).__name__} on {operation}: {self.redactor.scrub(str(error))}",
            fix="Check that the server is up and that airbyteUrl is its address.",
        )

    @staticmethod
    def _lost(operation: str, how: str) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            f"The answer to {operation} was lost, so the object may or may not exist",
            operation=operation,
            why=how,
            fix="Run `pulumi up` again: an object that was made is found by its name and taken over.",
        )


def _port_forward(url: str) -> tuple[str, httpx.BaseTransport]:
    """The address that requests bear inside the cluster, and what carries them there."""
    # Only here: most servers have an address of their own, and the cluster's client takes half a second to import.
    from dynamic_providers.kubernetes.port_forward import PortForwardTransport, Target

    target = Target.parse(url)
    return target.base_url, PortForwardTransport(target)


def token_end(token: str) -> float:
    """When a JWT ends, in epoch seconds; infinity where it does not say, as a 401 will."""
    parts = token.split(".")
    if len(parts) == 3:
        try:
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
            return float(claims["exp"])
        except (binascii.Error, ValueError, KeyError, TypeError):
            pass
    return float("inf")


def _is_loopback(url: str) -> bool:
    # A proxy from the environment is never the way to our own machine.
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host.endswith(".localhost") or host == "::1" or host.startswith("127.")

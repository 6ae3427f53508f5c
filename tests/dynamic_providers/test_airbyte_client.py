"""The client: tokens, retries, errors in one paragraph, and no secret in any of them."""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from dynamic_providers.airbyte.client import Client, token_end
from dynamic_providers.airbyte.errors import (
    AirbyteError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    ServerError,
    UnauthorizedError,
    UnreachableError,
)
from dynamic_providers.airbyte.settings import Settings

SECRET = "the-client-secret"
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def jwt(ends: float) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": ends}).encode()).decode().rstrip("=")
    return f"header.{claims}.signature"


class Server:
    """Answers token requests by itself and everything else from a script."""

    def __init__(self, *script: Answer) -> None:
        self.script = iter(script)
        self.paths: list[str] = []
        self.tokens: list[str] = []
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path.removeprefix("/api/v1/"))
        if request.url.path.endswith("/applications/token"):
            assert json.loads(request.content) == {"client_id": "id", "client_secret": SECRET}
            self.tokens.append(jwt(self.now + 900 + len(self.tokens)))
            return httpx.Response(200, json={"access_token": self.tokens[-1]})
        answer = next(self.script)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)

    def client(self) -> Client:
        settings = Settings("http://airbyte.test", "id", SECRET)
        return Client(settings, transport=httpx.MockTransport(self), sleep=self.slept.append, clock=lambda: self.now)


def ok(**body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


def test_one_token_serves_many_calls() -> None:
    server = Server(ok(), ok(), ok())
    client = server.client()
    for _ in range(3):
        client.post("sources/get", {"sourceId": "1"})
    assert server.paths.count("applications/token") == 1


def test_a_token_is_renewed_before_it_ends() -> None:
    server = Server(ok(), ok())
    client = server.client()
    client.post("sources/get")
    server.now += 900 - 29
    client.post("sources/get")
    assert len(server.tokens) == 2


def test_a_token_the_server_no_longer_takes_is_renewed_once() -> None:
    def takes_the_second(request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == f"Bearer {server.tokens[1]}"
        return ok(sourceId="1")

    server = Server(httpx.Response(401, json={}), takes_the_second)
    assert server.client().post("sources/get") == {"sourceId": "1"}


def test_a_401_that_stays_is_an_error_and_not_a_loop() -> None:
    server = Server(httpx.Response(401, json={}), httpx.Response(401, json={}))
    with pytest.raises(UnauthorizedError, match="airbyteClientId"):
        server.client().post("sources/get")
    assert len(server.tokens) == 2


def test_wrong_credentials_are_said_without_showing_them() -> None:
    def turn_down(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"message": f"Invalid client id or token {SECRET}"})

    client = Client(Settings("http://airbyte.test", "id", SECRET), transport=httpx.MockTransport(turn_down))
    with pytest.raises(UnauthorizedError, match="does not accept airbyteClientId") as caught:
        client.post("sources/get")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_call_that_changes_nothing_twice_is_tried_again(status: int) -> None:
    server = Server(httpx.Response(status), httpx.ReadTimeout("slow"), ok(sourceId="1"))
    assert server.client().post("sources/update", {})["sourceId"] == "1"
    assert len(server.slept) == 2


def test_the_server_may_ask_for_a_longer_wait() -> None:
    server = Server(httpx.Response(429, headers={"Retry-After": "7"}), ok())
    server.client().post("sources/get")
    assert server.slept[0] >= 7


def test_trying_again_ends() -> None:
    server = Server(*[httpx.Response(503)] * 10)
    with pytest.raises(ServerError, match="HTTP 503"):
        server.client().post("sources/get")
    assert server.paths.count("sources/get") == 5


def test_an_address_nobody_answers_at_is_named() -> None:
    server = Server(*[httpx.ConnectError("refused")] * 5)
    with pytest.raises(UnreachableError, match="does not answer at http"):
        server.client().post("sources/get")


def test_who_could_not_be_reached_is_not_asked_again_for_a_while() -> None:
    """Given a server that is away, when many resources ask for it, then the first waits and the others don't."""
    away = httpx.ConnectError("connection refused")
    server = Server(*[away] * 5, ok(sourceId="s"))
    client = server.client()
    for _ in range(3):
        with pytest.raises(UnreachableError, match="connection refused"):
            client.post("sources/get", {"sourceId": "s"})
    assert server.paths.count("sources/get") == 5
    assert len(server.slept) == 4

    server.now += 31
    assert client.post("sources/get", {"sourceId": "s"}) == {"sourceId": "s"}


def test_who_is_seen_to_be_well_is_asked_again_at_once() -> None:
    server = Server(*[httpx.ConnectError("connection refused")] * 5, ok(available=True), ok(sourceId="s"))
    client = server.client()
    with pytest.raises(UnreachableError):
        client.post("sources/get", {"sourceId": "s"})
    assert client.ailment() == ""
    assert client.post("sources/get", {"sourceId": "s"}) == {"sourceId": "s"}


@pytest.mark.parametrize(
    "failure", [httpx.Response(504), httpx.Response(502), httpx.ReadTimeout("x"), httpx.ReadError("x")]
)
@pytest.mark.parametrize("operation", ["sources/create", "destinations/create", "connections/create"])
def test_a_create_whose_answer_is_lost_is_never_sent_again(operation: str, failure: Answer) -> None:
    server = Server(failure, ok())
    with pytest.raises(OutcomeUnknownError, match="may or may not exist"):
        server.client().post(operation, {})
    assert server.paths.count(operation) == 1


@pytest.mark.parametrize("failure", [httpx.Response(429), httpx.ConnectError("refused")])
def test_a_create_that_never_reached_the_server_is_sent_again(failure: Answer) -> None:
    server = Server(failure, ok(sourceId="1"))
    assert server.client().post("sources/create", {}) == {"sourceId": "1"}


def test_a_validation_error_is_told_without_the_spec_behind_it() -> None:
    text = "The provided configuration does not fulfill the specification. Errors: $.port is missing \nSchema: \n{...}"
    server = Server(httpx.Response(422, json={"message": text, "errorId": "e"}))
    with pytest.raises(RefusedError, match="port is missing") as caught:
        server.client().post("sources/create", {})
    assert "Schema" not in str(caught.value)


def test_an_error_that_says_nothing_gives_the_id_to_search_the_log_for() -> None:
    server = Server(httpx.Response(500, json={"errorId": "0c5c1b8a"}))
    with pytest.raises(ServerError, match="search it for 0c5c1b8a"):
        server.client().post("sources/get")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"title": "bad-request", "detail": "Invalid cron expression", "data": {"cronExpression": "0 *"}},
            "Invalid cron",
        ),
        (
            {"message": "Invalid input.", "validationErrors": [{"propertyPath": "name", "message": "is null"}]},
            "name: is null",
        ),
    ],
)
def test_problems_and_violations_are_told_in_the_servers_words(body: dict[str, Any], expected: str) -> None:
    server = Server(httpx.Response(400, json=body))
    with pytest.raises(RefusedError, match=expected):
        server.client().post("connections/update", {})


def test_an_html_page_of_a_proxy_is_reduced_to_its_title() -> None:
    page = "<html><head><title>413 Too Large</title></head><body>…</body></html>"
    server = Server(httpx.Response(413, text=page))
    with pytest.raises(RefusedError, match="413 Too Large") as caught:
        server.client().post("sources/update", {})
    assert "<" not in str(caught.value)


def test_a_login_page_with_status_200_is_an_error() -> None:
    server = Server(httpx.Response(200, text="<html>Sign in</html>"))
    with pytest.raises(ServerError, match="login page"):
        server.client().post("sources/get")


def test_an_unknown_id_has_an_error_of_its_own() -> None:
    with pytest.raises(NotFoundError):
        Server(httpx.Response(404, json={"errorId": "e"})).client().post("sources/get")


def test_a_delete_answers_without_a_body() -> None:
    assert Server(httpx.Response(204)).client().post("sources/delete", {}) == {}


def test_the_version_is_asked_once_and_without_a_token() -> None:
    server = Server(ok(version="2.0.0", defaultWorkspaceId="w"))
    client = server.client()
    assert [client.instance().version for _ in range(3)] == ["2.0.0"] * 3
    assert server.paths == ["instance_configuration"]


@pytest.mark.parametrize(
    "secret", ['p4ssw0rd"quoted', "a key/with?marks", "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END KEY-----"]
)
def test_no_secret_survives_in_an_error_however_the_server_quotes_it(secret: str) -> None:
    for shown in (secret, json.dumps(secret), httpx.QueryParams({"q": secret}).get("q")):
        client = Server(httpx.Response(400, json={"message": f"could not use {shown} for login"})).client()
        client.redactor.add(secret)
        with pytest.raises(AirbyteError) as caught:
            client.post("sources/update", {})
        assert secret not in str(caught.value)
        assert json.dumps(secret)[1:-1] not in str(caught.value)
        assert "MIIEvQIBADANBgkqhkiG9w0" not in str(caught.value)
        assert "[redacted]" in str(caught.value)


def test_a_token_that_does_not_say_when_it_ends_is_kept_until_refused() -> None:
    assert token_end("opaque") == float("inf")
    assert token_end("a.b.c") == float("inf")


def test_an_error_is_one_paragraph() -> None:
    server = Server(httpx.Response(400, json={"message": "first line\nsecond line"}))
    with pytest.raises(RefusedError) as caught:
        server.client().post("sources/update", {})
    assert "\n" not in str(caught.value)

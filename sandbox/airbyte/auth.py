"""Access tokens of the instance's one application, as JSON web tokens with an expiry."""

from __future__ import annotations

import secrets
import time

import jwt

from sandbox.airbyte.credentials import ServerEnvironment
from sandbox.airbyte.errors import RefusedError, UnauthorizedError
from sandbox.airbyte.wire import NIL_UUID

_ALGORITHM = "HS256"


class Tokens:
    """Issues and checks access tokens.

    Args:
        environment: Knows the application and the key that signs tokens. Another key makes every token invalid.
        lifetime_seconds: How long a token lives.
        enabled: False imitates an instance without authentication: any request passes.
    """

    def __init__(self, environment: ServerEnvironment, *, lifetime_seconds: int, enabled: bool = True) -> None:
        self._environment = environment
        self._not_before = 0
        self._serial = 0
        self.lifetime_seconds = lifetime_seconds
        self.enabled = enabled

    def issue(self, client_id: str, client_secret: str) -> str:
        """A new token.

        Raises:
            RefusedError: 400, unknown client or wrong secret (the answer of a community instance).
        """
        known = self._environment.credentials()
        given = f"{client_id}\n{client_secret}".encode()
        if not secrets.compare_digest(given, f"{known.client_id}\n{known.client_secret}".encode()):
            raise RefusedError(400, "Invalid client id or token")
        self._serial += 1
        claims = {
            "iss": "airbyte-sandbox",
            "sub": NIL_UUID,
            "typ": "io.airbyte.auth.application",
            "serial": self._serial,
            "exp": int(time.time()) + self.lifetime_seconds,
        }
        return jwt.encode(claims, known.signature, algorithm=_ALGORITHM)

    def expire_all(self) -> None:
        """Make every token issued so far invalid, as if its time had passed."""
        self._not_before = self._serial

    def check(self, authorization: str | None) -> None:
        """Check an Authorization header.

        Raises:
            UnauthorizedError: no bearer token, or one that is expired or not ours.
        """
        if not self.enabled:
            return
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise UnauthorizedError
        try:
            claims = jwt.decode(token.strip(), self._environment.credentials().signature, algorithms=[_ALGORITHM])
        except jwt.InvalidTokenError as error:
            raise UnauthorizedError from error
        if claims.get("serial", 0) <= self._not_before:
            raise UnauthorizedError

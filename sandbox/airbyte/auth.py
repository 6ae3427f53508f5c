"""Access tokens of the instance's one application, as JSON web tokens with an expiry."""

from __future__ import annotations

import secrets
import time

import jwt

from sandbox.airbyte.errors import RefusedError, UnauthorizedError
from sandbox.airbyte.store import Store
from sandbox.airbyte.wire import NIL_UUID

_ALGORITHM = "HS256"


class Tokens:
    """Issues and checks access tokens.

    Args:
        client_id: The application's id.
        client_secret: Its secret.
        lifetime_seconds: How long a token lives.
        enabled: False imitates an instance without authentication: any request passes.
    """

    def __init__(
        self, store: Store, *, client_id: str, client_secret: str, lifetime_seconds: int, enabled: bool = True
    ) -> None:
        self._client = (client_id, client_secret)
        self._key = str(store.setting("token_key", secrets.token_hex(32)))
        self._not_before = 0
        self._serial = 0
        self.lifetime_seconds = lifetime_seconds
        self.enabled = enabled

    def issue(self, client_id: str, client_secret: str) -> str:
        """A new token.

        Raises:
            RefusedError: 400, unknown client or wrong secret (the answer of a community instance).
        """
        given = f"{client_id}\n{client_secret}".encode()
        if not secrets.compare_digest(given, "\n".join(self._client).encode()):
            raise RefusedError(400, "Invalid client id or token")
        self._serial += 1
        claims = {
            "iss": "airbyte-sandbox",
            "sub": NIL_UUID,
            "typ": "io.airbyte.auth.application",
            "serial": self._serial,
            "exp": int(time.time()) + self.lifetime_seconds,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

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
            claims = jwt.decode(token.strip(), self._key, algorithms=[_ALGORITHM])
        except jwt.InvalidTokenError as error:
            raise UnauthorizedError from error
        if claims.get("serial", 0) <= self._not_before:
            raise UnauthorizedError

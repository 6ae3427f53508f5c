"""Access tokens."""

from __future__ import annotations

from sandbox.airbyte.instance import Instance
from sandbox.airbyte.wire import Body, Endpoints, Json

api = Endpoints()


@api.open("POST", "/v1/applications/token")
def token(instance: Instance, body: Body) -> Json:
    """A new access token; its expiry is only in the token itself."""
    return {"access_token": instance.tokens.issue(body.text("client_id"), body.text("client_secret"))}

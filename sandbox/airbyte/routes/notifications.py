"""Trying out notification targets."""

from __future__ import annotations

import httpx

from sandbox.airbyte.instance import Instance
from sandbox.airbyte.notifications import TRIGGERS
from sandbox.airbyte.wire import Body, Endpoints, Json

api = Endpoints()


@api.post("/v1/notifications/try_webhook", slow=True)
def try_webhook(_: Instance, body: Body) -> Json:
    """Send a test message to a webhook, for real."""
    webhook = body.body("slackConfiguration").text("webhook")
    trigger = body.choice("notificationTrigger", TRIGGERS)
    message = {"text": f"This is a test of the notification {trigger} from an Airbyte sandbox."}
    try:
        answer = httpx.post(webhook, json=message, timeout=5)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return {"status": "failed", "message": type(error).__name__}
    if answer.is_success:
        return {"status": "succeeded"}
    return {"status": "failed", "message": f"the webhook answered {answer.status_code}"}

"""Reading the server's answers, above all its errors, which differ by version.

Up to 1.8 an error says what is wrong and carries stack traces; from 2.0 most say only ``{"errorId": …}``, and
proxies answer in HTML. A schema violation embeds the whole spec after a line ``Schema:``.
"""

import re
from typing import Any

import httpx

from dynamic_providers.airbyte.errors import ApiError, NotFoundError, RefusedError, ServerError, UnauthorizedError
from dynamic_providers.airbyte.redaction import Redactor

_LONGEST = 600


def body(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of a successful answer; ServerError where it is none (a login page, say)."""
    value = _json(response)
    if not isinstance(value, dict):
        raise _unreadable(response)
    return value


def items(response: httpx.Response) -> list[dict[str, Any]]:
    """The JSON array of a successful answer; ServerError where it is none."""
    value = _json(response)
    if not isinstance(value, list):
        raise _unreadable(response)
    return value


def error(operation: str, response: httpx.Response, redactor: Redactor) -> ApiError:
    """The error that an unsuccessful answer stands for, in the server's words as far as it has any."""
    status = response.status_code
    said, error_id = _message(response)
    message = redactor.scrub(said)
    what = f"Airbyte refused {operation} (HTTP {status})"
    why = message
    fix = f"The server's log says more: search it for {error_id}." if error_id and not message else ""
    if status in (401, 403):
        fix = fix or (
            "The token is not accepted: check airbyteClientId and airbyteClientSecret."
            if status == 401
            else "The application lacks the role: version pins need an instance admin."
        )
        return UnauthorizedError(what, operation=operation, status=status, message=message, why=why, fix=fix)
    if status == 404:
        return NotFoundError(
            f"Airbyte does not know what {operation} asks for (HTTP 404)",
            operation=operation,
            status=status,
            message=message,
            why=why,
            fix=fix,
        )
    if status >= 500:
        what = f"Airbyte failed on {operation} (HTTP {status})"
        if status == 504:
            fix = "A proxy in front of Airbyte gave up waiting: let it wait 10 minutes, since checks take that long."
        return ServerError(what, operation=operation, status=status, message=message, why=why, fix=fix)
    return RefusedError(what, operation=operation, status=status, message=message, why=why, fix=fix)


def wrong_credentials(cause: ApiError, url: str) -> UnauthorizedError:
    """The error of a token request that was turned down."""
    return UnauthorizedError(
        f"Airbyte at {url} does not accept airbyteClientId and airbyteClientSecret",
        operation=cause.operation,
        status=cause.status,
        message=cause.message,
        why=cause.message,
        fix="`abctl local credentials`, or the Kubernetes secret airbyte-auth-secrets, shows the right ones. After a "
        "rotation of that secret the server has to be restarted to know them.",
    )


def retry_after(response: httpx.Response) -> float:
    """Seconds the server asks to wait, at most a minute; 0 where it does not say."""
    value = response.headers.get("Retry-After", "")
    return min(float(value), 60.0) if value.isdigit() else 0.0


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _unreadable(response: httpx.Response) -> ServerError:
    return ServerError(
        f"Airbyte answered {response.request.url.path} with something that is not the JSON expected",
        operation=response.request.url.path,
        status=response.status_code,
        fix="Check that airbyteUrl is the address of the Airbyte server and not of a proxy's login page.",
    )


def _message(response: httpx.Response) -> tuple[str, str]:
    value = _json(response)
    if not isinstance(value, dict):
        return ("", "") if value else (_from_html(response.text), "")
    parts = [str(value[key]) for key in ("message", "detail", "title") if value.get(key)][:1]
    for violation in value.get("validationErrors") or []:
        parts.append(f"{violation.get('propertyPath')}: {violation.get('message')}")
    data = value.get("data")
    if isinstance(data, dict):
        parts += [str(item) for item in data.values() if isinstance(item, str)]
    text = " ".join(part.partition("\nSchema:")[0] for part in parts)
    return text[:_LONGEST], str(value.get("errorId") or "")


def _from_html(text: str) -> str:
    title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return (title[1] if title else re.sub(r"<[^>]*>", " ", text)).strip()[:200]

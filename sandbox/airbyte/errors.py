"""How the server says no.

Tree::

    ApiError
    |- NotFoundError            404  unknown id
    |- MissingFieldError        400  a required field is absent
    |- InvalidBodyError         422  not JSON, or a value of the wrong type
    |- SchemaMismatchError      422  a connector configuration that its specification refuses
    |- RefusedError             4xx  a known refusal with a text for the caller
    |- ServerFaultError         500  what Airbyte does not catch: illegal arguments, states, duplicates
    |- ProblemError             any  RFC 9457 body
    |- UnauthorizedError        401  no, expired or wrong token

Since 2.0 the first three and ServerFaultError show nothing but an ``errorId`` (SchemaMismatchError and RefusedError
keep their text); before, all show their message and a Java class name.
"""

from __future__ import annotations

import uuid
from typing import Any

REFERENCE = "https://reference.airbyte.com/reference/errors"


class ApiError(Exception):
    """A request that fails.

    Args:
        message: The text of the server's log, shown to the caller when the release does so.
    """

    status = 500
    hidden_since_2 = True
    java_class = "java.lang.RuntimeException"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def body(self, *, opaque: bool) -> dict[str, Any]:
        """The JSON body; ``opaque`` is the manner of 2.0 and later."""
        if opaque:
            error_id = str(uuid.uuid4())
            return {"errorId": error_id} if self.hidden_since_2 else {"message": self.message, "errorId": error_id}
        return {"message": self.message, "exceptionClassName": self.java_class, "exceptionStack": []}


class NotFoundError(ApiError):
    """An id that no row has."""

    status = 404
    java_class = "io.airbyte.commons.server.errors.IdNotFoundKnownException"

    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"Could not find configuration for {kind}: {identifier}.")
        self.identifier = identifier


class MissingFieldError(ApiError):
    """A required field is absent or null."""

    status = 400
    java_class = "jakarta.validation.ConstraintViolationException"

    def __init__(self, field: str) -> None:
        super().__init__("Some properties contained invalid input.")
        self.field = field

    def body(self, *, opaque: bool) -> dict[str, Any]:
        """Before 2.0 the body also names the field."""
        found = super().body(opaque=opaque)
        if not opaque:
            found["validationErrors"] = [{"propertyPath": self.field, "message": "must not be null"}]
        return found


class InvalidBodyError(ApiError):
    """A body that is no JSON object, or a field of the wrong type."""

    status = 422
    java_class = "com.fasterxml.jackson.databind.JsonMappingException"

    def __init__(self, detail: str) -> None:
        super().__init__(f"Invalid json input. {detail}")


class SchemaMismatchError(ApiError):
    """A connector configuration that does not fit the specification; the text ends with the whole schema."""

    status = 422
    hidden_since_2 = False
    java_class = "io.airbyte.commons.server.errors.BadObjectSchemaKnownException"

    def __init__(self, violations: list[str], pretty_schema: str) -> None:
        super().__init__(
            "The provided configuration does not fulfill the specification. Errors: json schema validation failed "
            f"when comparing the data to the json schema. \nErrors: {', '.join(violations)} "
            f"\nSchema: \n{pretty_schema}"
        )


class RefusedError(ApiError):
    """A refusal the caller is told about in every release (400, 403, 409, 410, 422, 423)."""

    hidden_since_2 = False
    java_class = "io.airbyte.commons.server.errors.KnownException"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ServerFaultError(ApiError):
    """What Airbyte lets through as an uncaught exception."""

    def __init__(self, message: str, java_class: str = "java.lang.IllegalArgumentException") -> None:
        super().__init__(f"Internal Server Error: {message}")
        self.java_class = java_class


class ProblemError(ApiError):
    """A typed problem, the same in every release."""

    def __init__(self, status: int, kind: str, title: str, detail: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.status, self.kind, self.title, self.data = status, kind, title, data

    def body(self, *, opaque: bool) -> dict[str, Any]:  # noqa: ARG002 - problems never hide
        """The RFC 9457 members."""
        return {
            "status": self.status,
            "type": self.kind,
            "title": self.title,
            "detail": self.message,
            "documentationUrl": None,
            "data": self.data or {},
        }


class UnauthorizedError(ApiError):
    """No token, or one that is expired or not ours."""

    status = 401

    def __init__(self) -> None:
        super().__init__("UnauthorizedError")

    def body(self, *, opaque: bool) -> dict[str, Any]:  # noqa: ARG002 - the framework's own answer
        """The web framework's default body."""
        return {"message": "UnauthorizedError", "_links": {"self": {"href": "/api", "templated": False}}}


def as_problem(error: ApiError) -> ProblemError:
    """The same failure as the public API tells it."""
    match error:
        case ProblemError():
            return error
        case NotFoundError():
            return ProblemError(404, f"{REFERENCE}#resource-not-found", "resource-not-found", error.message)
        case SchemaMismatchError():
            text = error.message.split("\nSchema:")[0].strip()
            return ProblemError(422, f"{REFERENCE}#unprocessable-entity", "unprocessable-entity", text)
        case MissingFieldError():
            return ProblemError(400, f"{REFERENCE}#bad-request", "bad-request", f"{error.field} must not be null")
        case InvalidBodyError():
            return ProblemError(422, f"{REFERENCE}#unprocessable-entity", "unprocessable-entity", error.message)
        case RefusedError(status=409):
            return ProblemError(409, f"{REFERENCE}#409-state-conflict", "state-conflict", "Could not fulfill request")
        case RefusedError():
            return ProblemError(error.status, f"{REFERENCE}#{error.status}", "request-refused", error.message)
        case _:
            return ProblemError(500, REFERENCE, "unexpected-problem", "An unexpected problem has occurred.")

"""What can go wrong, each said in one paragraph a user can act on.

::

    AirbyteError
    ├── SettingsError               the connection settings are missing or unusable
    ├── AbandonedError              the engine is gone, so nothing more is created
    ├── NotReadyError               the server did not come up in time
    ├── ApiError                    the server answered something else than success
    │   ├── UnreachableError        nobody answered at the address
    │   │   └── NoAnswerError       the request was sent, and the connection broke or nobody answered in time
    │   ├── UnauthorizedError       401 or 403: the credentials do not do
    │   ├── NotFoundError           404: no such object
    │   ├── RefusedError            another 4xx: the server will not take the request
    │   ├── ServerError             5xx, after the retries that the operation allows
    │   └── OutcomeUnknownError     a create may or may not have happened
    ├── UnknownConnectorError       no connector definition of that name
    ├── UnknownVersionError         no such version of a connector
    ├── BreakingChangeError         a version change that its maker calls breaking, not accepted
    ├── VersionHeldError            an actor still runs another version than it was told to
    ├── InvalidConfigError          a configuration its connector's spec does not allow
    ├── InvalidStreamsError         streams the source or the destination can't sync
    ├── InvalidScheduleError        a schedule Airbyte would not take
    ├── CheckFailedError            the connector can't work with this configuration
    │   ├── CheckCrashedError       the check's job broke down before the connector could say anything
    │   └── CheckNotRunError        the check could not be run or waited for at all
    ├── DiscoverFailedError         the source can't say which streams it has
    │   └── DiscoverNotRunError     it could not be asked, or not be waited for
    ├── UnsupportedConnectorError   a connector whose maker no longer supports the version it runs
    ├── AlreadyExistsError          an object of that name exists and is not known to be ours
    ├── InUseError                  a connector that would take sources or destinations with it
    ├── WebhookConfigsError         a change that would remove a workspace's webhooks
    ├── AfterChangeError            what was loaded before a change could not be refreshed or cleared
    └── StateLossError              a change that would forget how far a sync has come

No error holds a secret: the client redacts what it parses, and validation names fields, not values.
"""

from dynamic_providers.errors import ReadableError


class AirbyteError(ReadableError):
    """Base of all errors of this package; its text is one readable paragraph."""

    def __init__(self, what: str, *, origin: str | None = None, why: str = "", fix: str = "") -> None:
        """Compose the paragraph: `origin` is a file and line, `why` the server's words, `fix` what to do."""
        self.what, self.origin, self.why, self.fix = what, origin, why, fix
        where = f"{origin}: " if origin else ""
        super().__init__(where + " ".join(_sentence(part) for part in (what, why, fix) if part))


class SettingsError(AirbyteError):
    """The connection settings are missing or unusable."""


class AbandonedError(AirbyteError):
    """The engine is gone, so nothing more is created."""


class NotReadyError(AirbyteError):
    """The server did not come up in time."""


class ApiError(AirbyteError):
    """The server answered something else than success."""

    def __init__(
        self,
        what: str,
        *,
        operation: str,
        status: int | None = None,
        message: str = "",
        why: str = "",
        fix: str = "",
    ) -> None:
        """`operation` is the path below /api/v1, `message` what the server said, already redacted."""
        self.operation, self.status, self.message = operation, status, message
        super().__init__(what, why=why, fix=fix)


class UnreachableError(ApiError):
    """Nobody answered at the address."""


class NoAnswerError(UnreachableError):
    """The request was sent, and the connection broke or nobody answered in time."""


class UnauthorizedError(ApiError):
    """401 or 403: the credentials do not do."""


class NotFoundError(ApiError):
    """404: no such object."""


class RefusedError(ApiError):
    """Another 4xx: the server will not take the request."""


class ServerError(ApiError):
    """5xx, after the retries that the operation allows."""


class OutcomeUnknownError(ApiError):
    """A create may or may not have happened: the answer was lost on its way."""


class UnknownConnectorError(AirbyteError):
    """No connector definition of that name."""


class UnknownVersionError(AirbyteError):
    """No such version of a connector."""


class BreakingChangeError(AirbyteError):
    """A version change that its maker calls breaking, not accepted by the program."""


class VersionHeldError(AirbyteError):
    """An actor still runs another version than it was told to."""


class InvalidConfigError(AirbyteError):
    """A configuration its connector's spec does not allow."""


class InvalidStreamsError(AirbyteError):
    """Streams the source or the destination can't sync."""


class InvalidScheduleError(AirbyteError):
    """A schedule Airbyte would not take."""


class CheckFailedError(AirbyteError):
    """The connector can't work with this configuration."""


class CheckCrashedError(CheckFailedError):
    """The check's job broke down before the connector could say anything."""


class CheckNotRunError(CheckFailedError):
    """The check could not be run or waited for at all."""


class DiscoverFailedError(AirbyteError):
    """The source can't say which streams it has."""


class DiscoverNotRunError(DiscoverFailedError):
    """The source could not be asked which streams it has, or not be waited for."""


class UnsupportedConnectorError(AirbyteError):
    """A connector whose maker no longer supports the version it runs."""


class AlreadyExistsError(AirbyteError):
    """An object of that name exists and is not known to be ours."""


class InUseError(AirbyteError):
    """A connector that would take the sources or destinations with it that are made of it."""


class WebhookConfigsError(AirbyteError):
    """A change that would remove a workspace's webhooks, which Airbyte does by itself."""


class AfterChangeError(AirbyteError):
    """What was loaded before a change could not be refreshed or cleared."""


class StateLossError(AirbyteError):
    """A change that would forget how far a sync has come."""


def _sentence(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if one_line.endswith((".", "!", "?", ":")) else f"{one_line}."

"""Waiting for a server that the same `pulumi up` installs: its health check, then our credentials, then its answers.

A platform takes minutes from its pods to an API that works: images are pulled, the bootloader migrates the database
and writes the credentials' Secret. What depends on this resource is created after that and not before.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dynamic_providers.airbyte.errors import ApiError, NotReadyError, UnauthorizedError
from dynamic_providers.airbyte.notices import progress
from dynamic_providers.airbyte.session import Session
from dynamic_providers.crud import Checked, Difference, Live, changed_keys
from dynamic_providers.values import Properties

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 10.0
_BETWEEN_LINES = 20.0
"""Seconds between two lines about the same trouble."""
_PATIENCE_WITH_CREDENTIALS = 60.0
"""Seconds that a healthy server may turn our credentials down: right after its start it may not know them yet."""


@dataclass
class _Wait:
    """One wait: since when, and what was said of it."""

    clock: Callable[[], float]
    started: float = field(init=False)
    said: float = float("-inf")
    refused_since: float | None = None

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def seconds(self) -> float:
        return self.clock() - self.started


@dataclass(frozen=True)
class AirbyteApiResource:
    """Inputs: ``revision``, what was installed, whose change means waiting again; ``deadline_seconds``.

    Outputs, beside those: ``version``, the server's own.
    """

    session: Session
    clock: Callable[[], float] = time.monotonic

    def check(self, olds: Properties, news: Properties) -> Checked:  # noqa: ARG002
        """Nothing a user writes."""
        return Checked(news)

    def diff(self, id_: str, olds: Properties, news: Properties) -> Difference:  # noqa: ARG002
        """Another revision is another wait; another deadline alone is not."""
        return Difference(changed_keys(olds, news, ("revision",)))

    def create(self, news: Properties) -> tuple[str, Properties]:
        """Wait."""
        return self.session.client.url, self._wait(news)

    def update(self, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG002
        """Wait again."""
        return self._wait(news)

    def read(self, id_: str, olds: Properties) -> Live | None:  # noqa: ARG002
        """The version it runs now; raises UnreachableError where nobody answers."""
        return Live(
            {key: value for key, value in olds.items() if key != "version"},
            {**olds, "version": self.session.client.instance().version},
        )

    def delete(self, id_: str, olds: Properties) -> None:
        """Nothing was made."""

    def _wait(self, news: Properties) -> Properties:
        client = self.session.client
        deadline = float(news["deadline_seconds"])
        wait = _Wait(self.clock)
        pause = _FIRST_PAUSE
        while trouble := self._trouble(wait):
            if wait.seconds + pause > deadline:
                raise NotReadyError(
                    f"Airbyte at {client.url} was not ready within {deadline:.0f} s",
                    why=f"The last that was seen: {trouble}",
                    fix="`kubectl get pods` and `kubectl get events` in its namespace tell which part did not come up; "
                    "then run `pulumi up` again. If it only needs longer, raise platform.readyTimeoutSeconds.",
                )
            if wait.clock() - wait.said >= _BETWEEN_LINES:
                progress(self.session, f"waiting for Airbyte at {client.url}, {wait.seconds:.0f} s: {trouble}")
                wait.said = wait.clock()
            client.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 1.5)
        if wait.said > wait.started - 1:
            progress(self.session, f"Airbyte at {client.url} is ready after {wait.seconds:.0f} s")
        return {**news, "version": client.instance().version}

    def _trouble(self, wait: _Wait) -> str:
        """What there is still to wait for; empty for nothing. Raises UnauthorizedError where credentials stay wrong."""
        client = self.session.client
        if ailment := client.ailment():
            wait.refused_since = None
            return ailment
        try:
            client.post("workspaces/get", {"workspaceId": self.session.workspace()})
        except UnauthorizedError as error:
            wait.refused_since = wait.refused_since if wait.refused_since is not None else wait.clock()
            if wait.clock() - wait.refused_since >= _PATIENCE_WITH_CREDENTIALS:
                raise
            return str(error)
        except ApiError as error:
            return str(error)
        return ""

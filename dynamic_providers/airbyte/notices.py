"""What a user should know although nothing fails: lines on standard error, which the engine shows as diagnostics.

Said once a process, so that a preview of forty pipelines on one deprecated connector says it once.
"""

import sys
import threading

from dynamic_providers.airbyte.session import Session

_said: set[tuple[str, str]] = set()
"""Server and text."""
_lock = threading.Lock()


def progress(session: Session, text: str) -> None:
    """Show a line while something takes long."""
    print(session.redactor.scrub(text), file=sys.stderr, flush=True)  # noqa: T201 - the engine reads it there


def warn(session: Session, text: str) -> None:
    """Show a paragraph, without any secret, below the command's output."""
    line = session.redactor.scrub(" ".join(text.split()))
    with _lock:
        if (session.client.url, line) in _said:
            return
        _said.add((session.client.url, line))
    print(f"warning: {line}", file=sys.stderr, flush=True)  # noqa: T201 - the engine reads it there

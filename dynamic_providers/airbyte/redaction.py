"""Keeping secrets out of everything that is printed."""

import json
import threading
from urllib.parse import quote

_SHORTEST = 4
"""Replacing every occurrence of a shorter text would hide the message and no secret worth the name."""


class Redactor:
    """Replaces every secret it was told of by ``[redacted]``; safe to share between threads."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._lock = threading.Lock()

    def add(self, secret: object) -> None:
        """Remember a secret, and how it looks inside JSON and inside an address."""
        if isinstance(secret, str) and len(secret) >= _SHORTEST:
            lines = [line for line in secret.splitlines() if len(line) >= 4 * _SHORTEST and "-----" not in line]
            with self._lock:
                self._secrets.update({secret, json.dumps(secret)[1:-1], quote(secret, safe=""), *lines})

    def scrub(self, text: str) -> str:
        """The text without any known secret."""
        with self._lock:
            longest_first = sorted(self._secrets, key=len, reverse=True)
        for secret in longest_first:
            text = text.replace(secret, "[redacted]")
        return text

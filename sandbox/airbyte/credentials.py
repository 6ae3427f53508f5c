"""What the server knows from its environment variables: the instance admin's application, and what signs its tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

VARIABLES = {
    "client_id": "AB_INSTANCE_ADMIN_CLIENT_ID",
    "client_secret": "AB_INSTANCE_ADMIN_CLIENT_SECRET",
    "signature": "AB_JWT_SIGNATURE_SECRET",
}
"""As the chart names them in the server's container."""


@dataclass(frozen=True)
class Credentials:
    """The application, and the key that signs its tokens."""

    client_id: str
    client_secret: str
    signature: str


class ServerEnvironment:
    """The environment of a server that may be restarted with another one: its file is replaced then.

    Args:
        file: A JSON object of variables. None, or a file that is not there, is a server without any.
        default: What holds for variables that are not set, or empty.

    Raises:
        ValueError: the file is there and something else.
    """

    def __init__(self, file: Path | None, default: Credentials) -> None:
        self._file = file
        self._default = default
        self._read: tuple[tuple[int, int, int], Credentials] | None = None
        self.credentials()

    def credentials(self) -> Credentials:
        """Those that the server has now."""
        if self._file is None:
            return self._default
        try:
            status = self._file.stat()
            version = (status.st_ino, status.st_mtime_ns, status.st_size)
            if self._read is None or self._read[0] != version:
                self._read = version, self._credentials(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return self._default
        return self._read[1]

    def _credentials(self, text: str) -> Credentials:
        try:
            variables = json.loads(text)
            given = {field: variables[name] for field, name in VARIABLES.items() if variables.get(name)}
        except (ValueError, AttributeError):
            raise ValueError(f"{self._file} is not a JSON object of environment variables") from None
        return replace(self._default, **given)

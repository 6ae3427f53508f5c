"""``python -m sandbox.airbyte``: an Airbyte server on loopback until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from sandbox.airbyte.instance import Instance
from sandbox.airbyte.server import listen, web_server
from sandbox.airbyte.settings import Settings, parse_connect_to
from sandbox.airbyte.versions import Release

SECRET_VARIABLE = "AIRBYTE_CLIENT_SECRET"  # noqa: S105 - the name of a variable


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.airbyte", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    parser.add_argument("--data", type=Path, help="keep the state in this directory (default: in memory)")
    parser.add_argument("--version", type=Release.parse, default="2.0.0", help="release to imitate, or HEAD")
    parser.add_argument("--client-id", default="sandbox", help=f"its secret comes from {SECRET_VARIABLE}")
    parser.add_argument(
        "--environment",
        type=Path,
        metavar="FILE",
        help="JSON object of the server's environment variables; once it is there, the client and the key that signs "
        "tokens are those in it, and those of a changed file replace them at once",
    )
    parser.add_argument("--workspace-id", help="id of the default workspace (default: invented once)")
    parser.add_argument("--latency-ms", type=int, default=0, help="added to every call")
    parser.add_argument(
        "--connect-to",
        type=parse_connect_to,
        action="append",
        default=[],
        metavar="HOST=ADDRESS:PORT",
        help="where connectors really connect when they are told HOST",
    )
    parser.add_argument("--no-auth", action="store_true", help="answer without token")
    parser.add_argument("--token-lifetime", type=int, metavar="SECONDS", help="default: the release's")
    parser.add_argument("--assume-checks-pass", action="store_true", help="of connectors that cannot run here")
    parser.add_argument("--max-attempts", type=int, default=3, help="of a sync")
    parser.add_argument(
        "--fault", type=json.loads, action="append", default=[], metavar="JSON", help="see sandbox.airbyte.faults"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server."""
    parser = _parser()
    given = parser.parse_args(arguments)
    settings = Settings(
        release=given.version,
        data=given.data,
        client_id=given.client_id,
        client_secret=os.environ.get(SECRET_VARIABLE) or _invented_secret(given.data),
        environment=given.environment,
        auth=not given.no_auth,
        token_lifetime_seconds=given.token_lifetime,
        latency_ms=given.latency_ms,
        connect_to=dict(given.connect_to),
        assume_checks_pass=given.assume_checks_pass,
        workspace_id=given.workspace_id,
        max_attempts=given.max_attempts,
        faults=tuple(given.fault),
    )
    try:
        instance = Instance(settings)
        listener = listen(given.port)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(f"airbyte sandbox listening on http://localhost:{listener.getsockname()[1]}", flush=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        # The web server stops at a signal, and then raises it again for the handler that was there before.
        signal.signal(number, _exit)
    try:
        web_server(instance).run(sockets=[listener])
    finally:
        instance.close()
    return 0


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _invented_secret(directory: Path | None) -> str:
    """The client secret kept in the data directory, invented at first use; its file is told on stderr."""
    if directory is None:
        folder = Path(tempfile.mkdtemp(prefix="airbyte-sandbox-"))
    else:
        folder = directory
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "client-secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    print(f"{SECRET_VARIABLE} is not set; the client secret is in {path}", file=sys.stderr, flush=True)
    return path.read_text().strip()


if __name__ == "__main__":
    sys.exit(main())

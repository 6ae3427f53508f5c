"""Runs the account: `python -m sandbox.snowflake --port 0 --data DIR --admin-public-key FILE`.

The first line on stdout says where it listens; SIGTERM or SIGINT ends it. Nothing but loopback is served.
"""

import argparse
import ipaddress
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from sandbox.snowflake.account import Account
from sandbox.snowflake.journal import Journal
from sandbox.snowflake.server import build


def main() -> None:
    """Parse the command line and serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.snowflake", description=__doc__)
    parser.add_argument("--host", type=_loopback, default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--data", type=Path, required=True, help="directory that keeps the account")
    parser.add_argument("--admin-public-key", type=Path, required=True, help="PEM file of the administrator's key")
    parser.add_argument("--admin-user", default="ADMIN")
    parser.add_argument("--log", type=Path, help="append a JSON line for every statement")
    arguments = parser.parse_args()

    account = Account(
        arguments.data.resolve(),
        arguments.admin_user,
        arguments.admin_public_key.read_text(encoding="ascii"),
        Journal(arguments.log),
    )
    listener = socket.create_server((arguments.host, arguments.port))
    # inherited by accepted sockets; without it every answer waits 40 ms for the client's delayed ACK
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = listener.getsockname()[1]
    print(f"snowflake sandbox listening on http://{arguments.host}:{port}", flush=True)
    config = uvicorn.Config(build(account), log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops at a signal, then raises it again for the handler that was there before
        signal.signal(number, _exit)
    try:
        server.run(sockets=[listener])
    finally:
        account.close()


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _loopback(text: str) -> str:
    try:
        if ipaddress.ip_address(text).is_loopback:
            return text
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a loopback address: the sandbox serves this machine only")


if __name__ == "__main__":
    main()

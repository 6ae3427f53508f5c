"""``python -m sandbox.postgres --port 54321 --data DIR``: PostgreSQL in the foreground.

The administrator is ``POSTGRES_ADMIN_USER`` (``postgres`` if unset) with ``POSTGRES_ADMIN_PASSWORD``, which is invented
and kept in ``DIR/admin-password`` if unset.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from sandbox.postgres import PostgresError, start

ENDS = (signal.SIGTERM, signal.SIGINT)


def end(*_: object) -> NoReturn:
    """Unwind, which stops the server; an impatient second signal must not cut that short."""
    for request in ENDS:
        signal.signal(request, signal.SIG_IGN)
    sys.exit(0)


def serve(
    data: Annotated[Path, typer.Option(help="Directory of the server's data; made if it does not exist.")],
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 is any free one.")] = 0,
) -> None:
    """Run PostgreSQL on 127.0.0.1 until SIGTERM or Ctrl-C."""
    for request in ENDS:
        signal.signal(request, end)
    try:
        with start(
            data,
            port,
            admin_user=os.environ.get("POSTGRES_ADMIN_USER") or "postgres",
            admin_password=os.environ.get("POSTGRES_ADMIN_PASSWORD"),
        ) as server:
            print(f"postgres sandbox listening on {server.host}:{server.port}", flush=True)
            status = server.wait()
    except PostgresError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    print(f"PostgreSQL ended by itself with status {status}; its log is {server.log}.", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    typer.run(serve)

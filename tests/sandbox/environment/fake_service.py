"""A service for tests: a web server with the manners of a real one, and flaws on demand.

Flaws are files in its data directory: `fails` (it ends instead of starting) and `stubborn` (it ignores SIGTERM).
"""

import argparse
import http.server
import os
import signal
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--peer", type=int)
    given = parser.parse_args()
    if (given.data / "fails").exists():
        sys.exit("the fake service was told to fail")
    given.data.mkdir(parents=True, exist_ok=True)
    with (given.data / "starts").open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", given.port), http.server.BaseHTTPRequestHandler)
    if (given.data / "stubborn").exists():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdout.write(f"fake service listening on http://127.0.0.1:{given.port}\n")
    server.serve_forever()


if __name__ == "__main__":
    main()

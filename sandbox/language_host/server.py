"""Serve the language host to the engine that started it, for as long as that engine lives."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent import futures
from pathlib import Path

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import language_pb2_grpc

from .children import Children
from .service import LanguageHost

PARENT_POLL = 1.0
"""Seconds between two looks at whether the engine is still there."""

UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
"""Configurations may be large; the engine sets no limit on its side either."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop (SIGTERM, SIGINT) or until the engine is gone, then end what still runs.

    Prints the port as the one line the engine reads, as every Pulumi plugin does.
    """
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    engine = os.getppid()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())

    children = Children()
    host = LanguageHost(options.executor, children, engine=options.engine, tracing=options.tracing)
    server = grpc.server(futures.ThreadPoolExecutor(), options=UNLIMITED)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()

    # A killed engine closes nothing and signals no one, but its children get a new parent.
    while not stopping.wait(PARENT_POLL):
        if options.engine and os.getppid() != engine:
            break
    children.close()
    server.stop(grace=None).wait()


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line that the engine gives every plugin: flags, then its address."""
    parser = argparse.ArgumentParser(prog="pulumi-language-python", description=__doc__)
    parser.add_argument("--executor", type=Path, required=True, help="path of pulumi-language-python-exec")
    parser.add_argument("--tracing", default="", help="tracing endpoint, passed on to programs")
    parser.add_argument("--logtostderr", action="store_true", help="accepted; this host writes no log")
    parser.add_argument("-v", type=int, default=0, metavar="LEVEL", help="accepted; this host writes no log")
    parser.add_argument("engine", nargs="?", default="", help="address of the engine")
    return parser.parse_args(arguments)

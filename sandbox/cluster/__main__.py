"""``python -m sandbox.cluster --port 6443 --data DIR``: a Kubernetes cluster in the foreground.

The administrator's kubeconfig is ``DIR/kubeconfig``.
"""

import re
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from sandbox.cluster import start
from sandbox.errors import SandboxError

ENDS = (signal.SIGTERM, signal.SIGINT)
LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
"""See https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set."""


def end(*_: object) -> NoReturn:
    """Unwind, which stops the programs; an impatient second signal must not cut that short."""
    for request in ENDS:
        signal.signal(request, signal.SIG_IGN)
    sys.exit(0)


def forward(text: str) -> tuple[int, tuple[str, int]]:
    """Read ``PODPORT=HOST:PORT``. Raises typer.BadParameter."""
    pod_port, _, target = text.partition("=")
    host, _, port = target.rpartition(":")
    if not (host and pod_port.isdecimal() and port.isdecimal()):
        raise typer.BadParameter(f"{text!r} is not PODPORT=HOST:PORT, such as 8001=127.0.0.1:8000")
    return int(pod_port), (host, int(port))


def environment(text: str) -> tuple[str, Path]:
    """Read ``COMPONENT=FILE``. Raises typer.BadParameter."""
    component, _, file = text.partition("=")
    if not (LABEL_VALUE.fullmatch(component) and file):
        raise typer.BadParameter(f"{text!r} is not COMPONENT=FILE, such as server=environment.json")
    return component, Path(file)


def serve(
    data: Annotated[Path, typer.Option(help="Directory of the cluster's data; made if it does not exist.")],
    port: Annotated[int, typer.Option(help="Port of the API server on 127.0.0.1; 0 is any free one.")] = 0,
    forwards: Annotated[
        list[str] | None,
        typer.Option(
            "--forward",
            metavar="PODPORT=HOST:PORT",
            help="Where a port-forward to this port of any pod really leads. May be given several times.",
        ),
    ] = None,
    environments: Annotated[
        list[str] | None,
        typer.Option(
            "--environment",
            metavar="COMPONENT=FILE",
            help="Write the environment that a pod labelled airbyte=COMPONENT starts with to this file, as JSON, "
            "before the pod is ready. May be given several times.",
        ),
    ] = None,
    toolchain: Annotated[
        Path | None, typer.Option(help="Folder with the cluster's programs; found, downloaded or built if not given.")
    ] = None,
) -> None:
    """Run a Kubernetes cluster on 127.0.0.1 until SIGTERM or Ctrl-C."""
    for request in ENDS:
        signal.signal(request, end)
    relays = dict(forward(text) for text in forwards or ())
    files = dict(environment(text) for text in environments or ())
    try:
        with start(data, port, forwards=relays, environments=files, bin_dir=toolchain) as cluster:
            print(f"kubernetes sandbox listening on {cluster.url}", flush=True)
            why = cluster.wait()
    except SandboxError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    print(why, file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    typer.run(serve)

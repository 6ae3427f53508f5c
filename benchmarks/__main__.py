"""``python -m benchmarks --connections 100``: measure, and print the tables of docs/scale.md."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from benchmarks.measuring import Cost
from benchmarks.programs import BESIDES, STREAMS
from benchmarks.stack import ROOT, Stack
from sandbox import postgres, toolchain

_UNCHECKED = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
_MIB = 1024 * 1024
_ROLES = ("engine", "program", "provider")


@dataclass(frozen=True)
class Measured:
    """One command on our stack and on those it is compared with, and the calls that ours made of the API."""

    name: str
    ours: Cost
    others: tuple[Cost, ...]
    calls: int

    def row(self) -> str:
        """A row of the table: ours, and its ratio to each of the others."""
        ours = self.ours
        seconds, cpu, peaks = (
            [f"{mine / theirs:.2f}" for theirs in others]
            for mine, others in (
                (ours.seconds, [other.seconds for other in self.others]),
                (ours.cpu_seconds, [other.cpu_seconds for other in self.others]),
                (ours.peak, [other.peak for other in self.others]),
            )
        )
        cells = [self.name, f"{ours.seconds:.1f} s", *seconds, f"{ours.cpu_seconds:.1f} s", *cpu]
        cells += [f"{ours.peak / _MIB:.0f} MiB", *peaks, str(self.calls)]
        return f"| {' | '.join(cells)} |"

    def parts(self) -> str:
        """A row of the table of where the CPU time goes."""
        spent = [f"{side.cpu.get(role, 0.0):.1f}" for role in _ROLES for side in (self.ours, *self.others)]
        return f"| {self.name} | {' | '.join(spent)} |"


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--connections", type=int, nargs="+", default=[100], help="and as many sources (default: 100)")
    parser.add_argument("--latency-ms", type=int, default=20, help="of each API call (default: 20)")
    parser.add_argument("--repeats", type=int, default=3, help="of preview and refresh; the best counts (default: 3)")
    parser.add_argument("--skip-checkpoints", action="store_true", help="in the first up, which takes minutes at 1000")
    parser.add_argument("--one-input", action="store_true", help="compare with resources of a single input too")
    parser.add_argument("--parallel-diff", action="store_true", help="with PULUMI_PARALLEL_DIFF")
    given = parser.parse_args()
    bin_dir = toolchain.ensure(print).bin_dir
    for connections in given.connections:
        print(
            f"{connections} sources, {connections} connections of {STREAMS} streams, "
            f"{2 * connections + BESIDES} resources; {given.latency_ms} ms a call; "
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start",
            flush=True,
        )
        with (
            tempfile.TemporaryDirectory(prefix="benchmarks-") as folder,
            database(Path(folder) / "postgres") as source,
            airbyte(given.latency_ms) as server,
        ):
            bench = Bench(Path(folder), bin_dir, source, connections, server, given.one_input)
            environment = {"PULUMI_PARALLEL_DIFF": "true"} if given.parallel_diff else {}
            report(bench.life(environment, given.repeats, checkpoints=not given.skip_checkpoints), bench)
        print(f"load {os.getloadavg()[0]:.1f} at the end", flush=True)
    return 0


@dataclass
class Bench:
    """What is measured, and where; `state` is what ours stored."""

    folder: Path
    bin_dir: Path
    source: dict[str, Any]
    connections: int
    server: Server
    one_input: bool
    state: bytes = b""

    def life(self, environment: dict[str, str], repeats: int, *, checkpoints: bool) -> list[Measured]:
        """A first `up`, a preview and a refresh that find nothing to do, and an `up` of one change."""
        stacks = self._stacks(environment)
        self._declare(stacks, "24h")
        first = "first up" if checkpoints else "first up, no checkpoints"
        measured = [self._measured(first, stacks, lambda stack: stack.up({} if checkpoints else _UNCHECKED))]
        measured.append(self._measured("clean preview", stacks, Stack.preview, repeats))
        measured.append(self._measured("clean refresh", stacks, Stack.refresh, repeats))
        self._declare(stacks, "12h")
        measured.append(self._measured("up of one change", stacks, Stack.up))
        self.state = stacks[0].state()
        return measured

    def _stacks(self, environment: dict[str, str]) -> list[Stack]:
        config = {
            "airbyteUrl": self.server.url,
            "airbyteClientId": "sandbox",
            "airbyteClientSecret": "${AIRBYTE_CLIENT_SECRET}",
        }
        environment = {**environment, "AIRBYTE_CLIENT_SECRET": self.server.secret}
        programs = ("airbyte", "nothing", *(["nothing_with_one_input"] if self.one_input else []))
        return [Stack(self.folder / one, self.bin_dir, one, config, environment) for one in programs]

    def _declare(self, stacks: list[Stack], change: str) -> None:
        for stack in stacks:
            stack.declare(self.connections, change, self.source)

    def _measured(self, name: str, stacks: list[Stack], command: Callable[[Stack], Cost], repeats: int = 1) -> Measured:
        """Run it on all stacks in turn, so that none has the machine to itself, and keep each one's fastest."""
        self.server.forget_calls()
        runs = []
        for _ in range(repeats):
            costs = [command(stack) for stack in stacks]
            print(f"  {name}: {', '.join(f'{cost.seconds:.1f} s' for cost in costs)}", flush=True)
            runs.append(costs)
        ours, *others = (min(costs, key=lambda cost: cost.seconds) for costs in zip(*runs, strict=True))
        return Measured(name, ours, tuple(others), self.server.calls() // repeats)


def report(measured: list[Measured], bench: Bench) -> None:
    """Print the tables; the ratios are to as many resources that do nothing."""
    compared = ["to nothing", *(["to one input"] if bench.one_input else [])]
    heads = ["command", "time", *compared, "CPU", *compared, "memory", *compared, "API calls"]
    print(f"\n| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    print("\n".join(one.row() for one in measured))
    sides = ["ours", *(name.removeprefix("to ") for name in compared)]
    heads = ["CPU seconds", *(f"{role}: {side}" for role in _ROLES for side in sides)]
    print(f"\n| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    print("\n".join(one.parts() for one in measured))
    resources = json.loads(bench.state)["checkpoint"]["latest"]["resources"]
    kept = [one for one in resources if one["type"].endswith(":Connection")]
    each, traces = (sum(map(size, of)) / len(kept) for of in (kept, [one.get("stackTrace") for one in kept]))
    print(
        f"\nState: {len(bench.state)} bytes; {len(bench.state) / bench.connections:.0f} a connection with its "
        f"source, of which {each:.0f} are the connection's, {traces:.0f} of them the SDK's stack trace."
    )


def size(value: object) -> int:
    """Bytes in the state."""
    return len(json.dumps(value, separators=(",", ":")))


@dataclass(frozen=True)
class Server:
    """An emulator in a process of its own."""

    url: str
    secret: str

    def calls(self) -> int:
        """How many API calls were made since they were forgotten."""
        return int(httpx.get(f"{self.url}/sandbox/v1/calls", trust_env=False).json()["total"])

    def forget_calls(self) -> None:
        """Count from 0 again."""
        httpx.delete(f"{self.url}/sandbox/v1/calls", trust_env=False)


@contextlib.contextmanager
def airbyte(latency_ms: int) -> Iterator[Server]:
    """A server whose every call takes so long at least."""
    secret = secrets.token_urlsafe(16)
    command = [sys.executable, "-m", "sandbox.airbyte", "--port=0", f"--latency-ms={latency_ms}"]
    environment = {**os.environ, "AIRBYTE_CLIENT_SECRET": secret}
    with psutil.Popen(
        [*command, "--assume-checks-pass"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Server(process.stdout.readline().split()[-1], secret)
        finally:
            process.terminate()


@contextlib.contextmanager
def database(folder: Path) -> Iterator[dict[str, Any]]:
    """A PostgreSQL with the tables to sync; gives the configuration that connects to it."""
    password = secrets.token_urlsafe(16)
    with postgres.start(folder) as server:
        with psycopg.connect(server.conninfo(), autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS orders, users CASCADE")
            for number in range(STREAMS):
                connection.execute(
                    f"CREATE TABLE table_{number} (id int PRIMARY KEY, name text, updated_at timestamptz)"
                )
            statement = psycopg.sql.SQL("CREATE ROLE airbyte LOGIN PASSWORD {}")
            connection.execute(statement.format(psycopg.sql.Literal(password)))
            connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO airbyte")
        yield {
            "host": server.host,
            "port": server.port,
            "database": "production",
            "username": "airbyte",
            "password": password,
        }


if __name__ == "__main__":
    sys.exit(main())

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
from collections.abc import Iterator
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

_BULK = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Measured:
    """One command on the three stacks, and the calls that ours made of the API."""

    name: str
    ours: Cost
    nothing: Cost
    same: Cost
    calls: int

    def row(self) -> str:
        """A row of the table."""
        cells = [self.name]
        ours, nothing, same = self.ours, self.nothing, self.same
        cells += [f"{ours.seconds:.1f} s"] + [f"{ours.seconds / other.seconds:.2f}" for other in (nothing, same)]
        cells += [f"{ours.peak / _MIB:.0f} MiB"] + [f"{ours.peak / other.peak:.2f}" for other in (nothing, same)]
        return f"| {' | '.join(cells)} | {self.calls} |"

    def parts(self) -> str:
        """A row of the table of where the CPU time goes."""
        sides = (self.ours, self.nothing, self.same)
        spent = [f"{side.cpu.get(role, 0.0):.1f}" for role in ("engine", "program", "provider") for side in sides]
        return f"| {self.name} | {' | '.join(spent)} |"


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--connections", type=int, default=100, help="and as many sources (default: 100)")
    parser.add_argument("--latency-ms", type=int, default=20, help="of each API call (default: 20)")
    parser.add_argument("--parallel-diff", action="store_true", help="with PULUMI_PARALLEL_DIFF")
    given = parser.parse_args()
    print(
        f"{given.connections} sources, {given.connections} connections of {STREAMS} streams, "
        f"{2 * given.connections + BESIDES} resources; {given.latency_ms} ms a call; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start",
        flush=True,
    )
    parallel = {"PULUMI_PARALLEL_DIFF": "true"} if given.parallel_diff else {}
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder, database(Path(folder) / "postgres") as source:
        bench = Bench(Path(folder), toolchain.ensure(print).bin_dir, source, given.connections, given.latency_ms)
        bulk = bench.first_up({**parallel, **_BULK}, "first up, no checkpoints")
        report([*bench.life(parallel), bulk], bench)
    print(f"load {os.getloadavg()[0]:.1f} at the end")
    return 0


@dataclass
class Bench:
    """What is measured, and where; `state` is what ours stored."""

    folder: Path
    bin_dir: Path
    source: dict[str, Any]
    connections: int
    latency_ms: int
    state: bytes = b""

    def first_up(self, environment: dict[str, str], name: str) -> Measured:
        """An `up` of everything, on an empty server."""
        with airbyte(self.latency_ms) as server:
            stacks = self._stacks(server, environment, "first")
            self._declare(stacks, "24h")
            return self._measured(name, stacks, "up", server)

    def life(self, environment: dict[str, str]) -> list[Measured]:
        """A first `up`, a preview and a refresh that find nothing to do, and an `up` of one change."""
        with airbyte(self.latency_ms) as server:
            stacks = self._stacks(server, environment, "life")
            self._declare(stacks, "24h")
            measured = [self._measured("first up", stacks, "up", server)]
            measured.append(self._measured("clean preview", stacks, "preview", server))
            measured.append(self._measured("clean refresh", stacks, "refresh", server))
            self._declare(stacks, "12h")
            measured.append(self._measured("up of one change", stacks, "up", server))
            self.state = stacks[0].state()
            return measured

    def _stacks(self, server: Server, environment: dict[str, str], name: str) -> list[Stack]:
        config = {
            "airbyteUrl": server.url,
            "airbyteClientId": "sandbox",
            "airbyteClientSecret": "${AIRBYTE_CLIENT_SECRET}",
        }
        environment = {**environment, "AIRBYTE_CLIENT_SECRET": server.secret}
        programs = ("airbyte", "nothing", "nothing_with_the_same_inputs")
        return [Stack(self.folder / f"{name}-{one}", self.bin_dir, one, config, environment) for one in programs]

    def _declare(self, stacks: list[Stack], change: str) -> None:
        ours, *others = stacks
        ours.declare(self.connections, change, self.source)
        for other in others:
            other.declare(self.connections, change)

    @staticmethod
    def _measured(name: str, stacks: list[Stack], command: str, server: Server) -> Measured:
        server.forget_calls()
        ours, nothing, same = (getattr(stack, command)() for stack in stacks)
        return Measured(name, ours, nothing, same, server.calls())


def report(measured: list[Measured], bench: Bench) -> None:
    """Print the tables; the ratios are to resources that do nothing, with one input and with as large ones."""
    print("\n| command | time | to nothing | to same inputs | memory | to nothing | to same inputs | API calls |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(one.row() for one in measured))
    print("\nCPU seconds: ours, nothing, nothing with the same inputs")
    print("\n| command | engine | | | program | | | provider | | |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    print("\n".join(one.parts() for one in measured))
    resources = json.loads(bench.state)["checkpoint"]["latest"]["resources"]
    kept = sum(len(json.dumps(one, separators=(",", ":"))) for one in resources if one["type"].endswith(":Connection"))
    print(
        f"\nState: {len(bench.state)} bytes; {len(bench.state) / bench.connections:.0f} a connection with its "
        f"source, of which {kept / bench.connections:.0f} are the connection's."
    )


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

"""`python -m sandbox.toolchain`: make programs available; progress on stderr, the folders for PATH on stdout."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox.toolchain import ToolchainError, ensure, ensure_kubernetes, numbered

Say = Callable[[str], None]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _pulumi(say: Say) -> Path:
    found = ensure(say)
    say(f"pulumi: {found.pulumi} ({found.origin}); Python language host: {found.language_host}")
    return found.bin_dir


def _kubernetes(say: Say) -> Path:
    found = ensure_kubernetes(say)
    say(f"kubernetes: {found.bin_dir} ({found.origin})")
    return found.bin_dir


TOOLCHAINS: Mapping[str, Callable[[Say], Path]] = {"pulumi": _pulumi, "kubernetes": _kubernetes}


def main() -> int:
    """Return 0 once everything works, 1 (with the reason on stderr) where something cannot be made to."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.toolchain", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{' or '.join(TOOLCHAINS)}; all if not given")
    names: list[str] = parser.parse_args().names or list(TOOLCHAINS)
    if unknown := [name for name in names if name not in TOOLCHAINS]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(TOOLCHAINS)}")
    try:
        folders = [TOOLCHAINS[name](numbered(_say, number, len(names))) for number, name in enumerate(names, start=1)]
    except ToolchainError as error:
        _say(f"error: {error}")
        return 1
    print(os.pathsep.join(map(str, folders)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

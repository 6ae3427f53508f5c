"""`python -m sandbox.toolchain`: make Pulumi available; progress on stderr, the folder for PATH on stdout."""

import argparse
import sys

from sandbox.toolchain import ToolchainError, ensure


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Return 0 once Pulumi works, 1 (with the reason on stderr) where it cannot be made to."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.toolchain", description=__doc__)
    parser.parse_args()
    try:
        toolchain = ensure(_say)
    except ToolchainError as error:
        _say(f"error: {error}")
        return 1
    _say(f"pulumi: {toolchain.pulumi} ({toolchain.origin}); Python language host: {toolchain.language_host}")
    print(toolchain.bin_dir)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Long steps that say so: a line every few seconds, and a program's last words where it fails.

Lines only, never a carriage return, so that a CI log reads as well as a terminal.
"""

import collections
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox.toolchain._errors import ToolchainError

Say = Callable[[str], None]

INTERVAL = 5.0
"""Most seconds without a line."""

LAST_WORDS = 20
"""Lines of a failed program's output that are shown."""


def numbered(say: Say, number: int, total: int) -> Say:
    """Say lines as those of step `number` of `total`; as they are where there is only one step."""
    return say if total == 1 else lambda line: say(f"[{number}/{total}] {line}")


@contextmanager
def heartbeat(say: Say, describe: Callable[[], str], interval: float = INTERVAL) -> Iterator[None]:
    """Say what `describe` returns every `interval` seconds for as long as the block runs."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(interval):
            say(describe())

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def run(
    arguments: Sequence[str | Path],
    *,
    doing: str,
    environment: Mapping[str, str],
    directory: Path,
    on_line: Callable[[str], None] = lambda _: None,
) -> None:
    """Run a program to its end, giving each line that it prints to `on_line`.

    Raises ToolchainError with the end of its output where it fails or cannot be started; `doing` completes the
    sentence "Could not …".
    """
    last_words: collections.deque[str] = collections.deque(maxlen=LAST_WORDS)
    try:
        process = subprocess.Popen(
            arguments,
            env=environment,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise ToolchainError(f"Could not {doing}: {error}") from error
    with process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last_words.append(line.rstrip())
                on_line(line.rstrip())
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        output = "\n".join(last_words)
        raise ToolchainError(f"Could not {doing}: {arguments[0]} ended with code {process.returncode}.\n{output}")

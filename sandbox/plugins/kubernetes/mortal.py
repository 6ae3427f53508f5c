"""Become a program that is killed when the process that started it dies, even by SIGKILL.

``python mortal.py PARENT PROGRAM [ARGUMENT...]``, on Linux; PARENT is the id of the process that starts this. It is a
program of its own, since in a process with threads no Python may run between fork and exec.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>. What it asks for lasts beyond an exec; see prctl(2)."""


def mortal(command: Sequence[str]) -> list[str]:
    """The command line that runs `command` so; elsewhere than on Linux the command itself, which outlives us.

    The system takes the end of the thread that starts a program for the end of its parent: that thread has to stay
    until the program ends.
    """
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def main(parent: str, *command: str) -> None:
    """Become the command, unless the parent is gone already."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == int(parent):
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(*sys.argv[1:])

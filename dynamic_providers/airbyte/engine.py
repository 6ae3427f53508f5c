"""The engine that started this provider process, and its end.

An engine that is killed leaves its providers running. What such a provider would still create, no state would know,
and the next `pulumi up` may be creating it at the same time. So it creates nothing more, and ends.
"""

import os
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Final

_BETWEEN_LOOKS: Final = 5.0
_TIMEOUT: Final = 1.0


class Engine:
    """An engine by the address that it gave to its provider; `arguments` are the process's own."""

    def __init__(self, arguments: Sequence[str]) -> None:
        host, _, port = (arguments[1] if len(arguments) > 1 else "").rpartition(":")
        self._address = (host, int(port)) if host and port.isdigit() else None

    def gone(self) -> bool:
        """Whether nobody listens at its address any more; False where that can't be told."""
        if self._address is None:
            return False
        try:
            socket.create_connection(self._address, timeout=_TIMEOUT).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False  # slow, perhaps: only a refusal says that nobody is there
        return False

    def end_process_with_it(self, end: Callable[[int], object] = os._exit) -> None:
        """Watch it from a thread of its own, and end this process once it is gone."""

        def watch() -> None:
            pause = threading.Event()
            while not self.gone():
                pause.wait(_BETWEEN_LOOKS)
            end(1)

        if self._address is not None:
            threading.Thread(target=watch, name="engine-watch", daemon=True).start()

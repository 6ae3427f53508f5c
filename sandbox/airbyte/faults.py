"""Failures on demand, and the log of calls that says what a client really did.

A fault is a JSON object:

==============  =====================================================================================
``path``        which calls, as a pattern of the path below ``/api`` (``/v1/sources/create``, ``/v1/*``)
``skip``        let so many matching calls pass first (default 0)
``times``       strike so many times (default 1; 0 is forever)
``when``        ``before`` the handler (default), or ``after`` it: the write is done, the answer is lost
``delay_ms``    wait so long
``hold``        true: wait until the faults are removed; a client may be killed meanwhile
``status``      answer this status instead
``body``        ``html`` (an ingress's page), ``json`` (default) or ``empty``
``headers``     headers of that answer, e.g. ``{"Retry-After": "1"}``
``disconnect``  true: break the connection in the middle of the answer
``expire``      true: make all tokens issued so far invalid
``connector``   what a connector says: ``{"message": …, "crash": false}``; the path of such a fault is
                ``connector:check:<repository>`` (or ``discover``, ``sync``), patterns included
==============  =====================================================================================
"""

from __future__ import annotations

import fnmatch
import itertools
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sandbox.airbyte.wire import Json

_KEPT_CALLS = 100_000


@dataclass
class Fault:
    """One injected fault; see the module for its members."""

    path: str
    skip: int = 0
    times: int = 1
    when: str = "before"
    delay_ms: int = 0
    hold: bool = False
    status: int | None = None
    body: str = "json"
    headers: dict[str, str] = field(default_factory=dict)
    disconnect: bool = False
    expire: bool = False
    connector: Json | None = None
    id: int = 0
    struck: int = 0

    @classmethod
    def from_json(cls, members: Json) -> Fault:
        """Read a fault.

        Raises:
            ValueError: an unknown member, or no ``path``.
        """
        known = set(cls.__dataclass_fields__) - {"id", "struck"}
        if unknown := set(members) - known:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}")
        if "path" not in members:
            raise ValueError("a fault needs a path, for example /v1/sources/create")
        if members.get("when", "before") not in ("before", "after"):
            raise ValueError("a fault strikes 'before' or 'after' the handler")
        return cls(**members)


class Faults:
    """The faults that are set, in order; the first that matches a call strikes."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, members: Json) -> Fault:
        """Set a fault.

        Raises:
            ValueError: it is not a fault.
        """
        fault = Fault.from_json(members)
        fault.id = next(self._numbers)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Remove all faults, and let go on what they hold."""
        with self._lock:
            for fault in self._faults:
                fault.hold = False
            self._faults.clear()

    def all(self) -> list[Json]:
        """The faults with how often each struck."""
        return [vars(fault) for fault in self._faults]

    def strike(self, path: str) -> Fault | None:
        """The fault that strikes this call, if any; counts it."""
        with self._lock:
            for fault in self._faults:
                if not fnmatch.fnmatchcase(path, fault.path) or (fault.times and fault.struck >= fault.times):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.struck += 1
                return fault
        return None


class Calls:
    """Every call of the API, in order; bodies are never kept."""

    def __init__(self) -> None:
        self._calls: list[Json] = []
        self._numbers = itertools.count(1)

    def begin(self, method: str, path: str) -> Json:
        """Note a call's arrival."""
        call: Json = {"number": next(self._numbers), "method": method, "path": path, "at": time.time(), "status": None}
        self._calls.append(call)
        del self._calls[:-_KEPT_CALLS]
        return call

    def clear(self) -> None:
        """Forget all calls."""
        self._calls.clear()

    def report(self) -> dict[str, Any]:
        """``total``, ``byPath`` and the ``calls``; the status of one still being answered is null."""
        calls = list(self._calls)
        return {"total": len(calls), "byPath": dict(Counter(call["path"] for call in calls)), "calls": calls}

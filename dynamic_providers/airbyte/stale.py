"""Streams whose loaded rows no longer fit what is declared, kept in mind until a refresh or a clear puts them right.

The state has them as ``stale_streams``: by the stream's key, the number of the last job that had loaded anything when
the stream was changed. Whoever starts it, here or in Airbyte, a later job that refreshes or clears the stream and
succeeds is what it takes.
"""

from collections.abc import Mapping

from dynamic_providers.airbyte import after_change, streams
from dynamic_providers.airbyte.models import Connection
from dynamic_providers.airbyte.session import Session
from dynamic_providers.values import Properties

Stale = dict[str, int]


def found(session: Session, connection: Connection, olds: Properties, news: Properties) -> Stale:
    """The streams that a change makes stale, if anything was loaded."""
    changed = after_change.affected(olds, news)
    entries = streams.by_key(connection.streams, news["streams"], olds.get("stream_namespaces") or {})
    for key, entry in entries.items():
        ignored = {"cursor"} if entry.defines_cursor else set()
        ignored |= {"primary key"} if entry.source_key else set()
        if key in changed and set(changed[key]) <= ignored:
            del changed[key]  # the source's own counts, whatever is declared
    last = after_change.last_load(session, connection.connection_id) if changed else None
    return {} if last is None else dict.fromkeys(changed, last)


def remaining(session: Session, connection: Connection, olds: Properties) -> Stale:
    """Those of the stale streams that nobody has put right yet; one call, and none where there are none."""
    stale: Mapping[str, int] = olds.get("stale_streams") or {}
    if not stale:
        return {}
    entries = streams.by_key(connection.streams, olds["streams"], olds.get("stream_namespaces") or {})
    settled = after_change.last_settled(session, connection.connection_id, entries)
    return {key: job for key, job in stale.items() if settled.get(key, -1) <= job}


def output(stale: Stale) -> Properties:
    """The output, which is there only where a stream is stale."""
    return {"stale_streams": dict(sorted(stale.items()))} if stale else {}

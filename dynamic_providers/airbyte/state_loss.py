"""What a change of a connection makes Airbyte forget: how far each incremental stream has come.

Without its state a stream is loaded from the start. See
https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol#state--checkpointing
"""

from typing import Any, Final

from dynamic_providers.values import Properties, contains_unknown

ENDPOINTS: Final = ("source_id", "destination_id")
_REASON: Final = 'To accept that, give a reason: allow_state_loss: "<reason>".'


def losses(olds: Properties, news: Properties) -> list[str]:
    """Why a change loses state, and of which streams, a paragraph each; empty for a new connection."""
    before, after = _streams(olds), _streams(news)
    kept = [key for key, stream in before.items() if stream.get("sync_mode") == "incremental"]
    what = f"the sync state of {named(kept)}" if kept else "its sync state, which no stream of it depends on"
    found = [
        f"Another {key.removesuffix('_id')} means another connection: this one is deleted with {what}, and the new "
        f"one loads everything from the start. {_REASON}"
        for key in ENDPOINTS
        if key in olds and olds[key] != news.get(key)
    ]
    for key in sorted(set(before) & set(after)):
        old, new = before[key].get("sync_mode"), after[key].get("sync_mode")
        if old == "incremental" and new != old:
            found.append(
                f"Stream {key} changes from {old} to {new}: Airbyte deletes the stream's state, and going back later "
                f"loads it from the start. {_REASON}"
            )
    return found


def notes(olds: Properties, news: Properties) -> list[str]:
    """What else a reader of the preview should know: a stream that is taken out loses nothing, yet may miss rows."""
    after = news.get("streams") or {}
    if not olds or contains_unknown(after) or any(olds.get(key) != news.get(key) for key in ENDPOINTS):
        return []
    gone = sorted(set(_streams(olds)) - set(after))
    if not gone:
        return []
    return [
        f"No longer synced: {', '.join(gone)}. The tables and the sync state stay: put back, "
        f"{'it goes' if len(gone) == 1 else 'they go'} on from there, and what a CDC source's log has dropped "
        "meanwhile is missing until a refresh."
    ]


def named(keys: list[str]) -> str:
    """As in: stream orders, or streams orders, users."""
    return f"stream{'s' if len(keys) > 1 else ''} {', '.join(sorted(keys))}"


def _streams(properties: Properties) -> dict[str, Any]:
    streams = properties.get("streams") or {}
    return {} if contains_unknown(streams) else dict(streams)

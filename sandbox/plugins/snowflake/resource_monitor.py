"""Resource monitors: https://docs.snowflake.com/en/sql-reference/sql/create-resource-monitor."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sandbox.plugins.resource import Change, Field
from sandbox.plugins.snowflake import names
from sandbox.plugins.snowflake.object import FULLY_QUALIFIED_NAME, SnowflakeObject
from sandbox.plugins.snowflake.session import Row, SnowflakeSession
from sandbox.plugins.values import Properties

_TRIGGERS = ("notifyTriggers", "suspendTrigger", "suspendImmediateTrigger")


class ResourceMonitor(SnowflakeObject):
    """A quota of credits and what happens as it is used up. A moved start or end is not seen."""

    token = "snowflake:index/resourceMonitor:ResourceMonitor"  # noqa: S105 - a type token
    noun = "Snowflake resource monitor"
    kind, plural = "RESOURCE MONITOR", "RESOURCE MONITORS"
    fields = (
        Field(name="name", required=True, replace=True, canonical=names.plain),
        Field(name="creditQuota", type="integer"),
        Field(name="frequency", server_set=True, canonical=str.upper),
        Field(name="startTimestamp", server_set=True),
        Field(name="endTimestamp"),
        Field(name="notifyTriggers", type="integers", unordered=True),
        Field(name="suspendTrigger", type="integer"),
        Field(name="suspendImmediateTrigger", type="integer"),
        Field(name="notifyUsers", type="strings", unordered=True, canonical=lambda users: list(map(names.bare, users))),
        FULLY_QUALIFIED_NAME,
    )

    def complaints(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """A frequency needs a start, and the other way round."""
        if ("frequency" in inputs) != ("startTimestamp" in inputs):
            missing = "startTimestamp" if "frequency" in inputs else "frequency"
            yield missing, "is required: frequency and startTimestamp go together"

    def replaces(self, change: Change, inputs: Properties) -> bool:
        """The last trigger can't be taken away from a monitor."""
        last = change.field.name in _TRIGGERS and not any(inputs.get(name) for name in _TRIGGERS)
        return super().replaces(change, inputs) or last

    def create(self, session: SnowflakeSession, inputs: Properties) -> None:
        """CREATE with what is declared."""
        declared = [name for name in _CLAUSES if inputs.get(name) is not None]
        session.run(" ".join([self.opening(inputs), "WITH", *_assignments(inputs, declared), _triggers(inputs)]))

    def read(self, session: SnowflakeSession, state: Properties) -> Properties | None:
        """All of it is in SHOW."""
        row = self.show(session, state)
        if row is None:
            return None
        suspend, immediate = _percentages(row, "suspend_at"), _percentages(row, "suspend_immediately_at")
        return {
            "name": state["name"],
            "creditQuota": int(float(row["credit_quota"])) if row["credit_quota"] else None,
            "frequency": row["frequency"],
            # SHOW writes moments in its own way, so a declared one is believed.
            "startTimestamp": state.get("startTimestamp") or row["start_time"],
            "endTimestamp": row["end_time"] and (state.get("endTimestamp") or row["end_time"]),
            "notifyTriggers": _percentages(row, "notify_at"),
            "suspendTrigger": suspend[0] if suspend else None,
            "suspendImmediateTrigger": immediate[0] if immediate else None,
            "notifyUsers": [user.strip() for user in (row["notify_users"] or "").split(",") if user.strip()],
            "fullyQualifiedName": self.address(state),
        }

    def update(
        self,
        session: SnowflakeSession,
        state: Properties,  # noqa: ARG002 - a new name makes a new monitor
        inputs: Properties,
        changed: Collection[str],
    ) -> None:
        """ALTER; triggers are always given all together, and never without another option."""
        names_changed = [name for name in _CLAUSES if name in changed]
        triggers = _triggers(inputs) if set(_TRIGGERS) & set(changed) else ""
        if triggers and not names_changed:
            names_changed = ["creditQuota"]
        parts = [f"ALTER RESOURCE MONITOR {self.address(inputs)} SET", *_assignments(inputs, names_changed), triggers]
        session.run(" ".join(part for part in parts if part))


_CLAUSES = {
    "creditQuota": "CREDIT_QUOTA",
    "frequency": "FREQUENCY",
    "startTimestamp": "START_TIMESTAMP",
    "endTimestamp": "END_TIMESTAMP",
    "notifyUsers": "NOTIFY_USERS",
}


def _assignments(inputs: Properties, wanted: Collection[str]) -> list[str]:
    """What is undeclared is set to null, the only way to take it back."""
    written = []
    for name in wanted:
        value = inputs.get(name)
        if name == "notifyUsers":
            text = f"({', '.join(map(names.quoted, value or []))})"
        elif value is None:
            text = "null"
        else:
            text = (
                names.text(value)
                if name.endswith("Timestamp")
                else names.words(str(value))
                if name == "frequency"
                else str(value)
            )
        written.append(f"{_CLAUSES[name]} = {text}")
    return written


def _triggers(inputs: Properties) -> str:
    actions = [(percent, "NOTIFY") for percent in sorted(inputs.get("notifyTriggers") or [])]
    if inputs.get("suspendTrigger"):
        actions.append((inputs["suspendTrigger"], "SUSPEND"))
    if inputs.get("suspendImmediateTrigger"):
        actions.append((inputs["suspendImmediateTrigger"], "SUSPEND_IMMEDIATE"))
    written = " ".join(f"ON {percent} PERCENT DO {action}" for percent, action in actions)
    return f"TRIGGERS {written}" if written else ""


def _percentages(row: Row, column: str) -> list[int]:
    return [int(part.strip().rstrip("%")) for part in str(row[column] or "").split(",") if part.strip()]

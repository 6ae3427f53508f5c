"""Asking the connector before anything is written: does it work with this configuration?

A check that does not pass ends in one of three ways, which are errors of their own: the connector says no, its job
broke down before it could say anything (an image that can't be pulled), or it could not be run or waited for at all (a
proxy that gave up). None of them lets a deployment go on.
"""

import re
from dataclasses import dataclass
from typing import Any

from dynamic_providers.airbyte import commands, notices
from dynamic_providers.airbyte.errors import (
    ApiError,
    CheckCrashedError,
    CheckFailedError,
    CheckNotRunError,
    DiscoverFailedError,
    DiscoverNotRunError,
    UnauthorizedError,
    UnsupportedConnectorError,
)
from dynamic_providers.airbyte.kinds import Kind
from dynamic_providers.airbyte.models import Actor, Discovery
from dynamic_providers.airbyte.session import Session

# What the connectors' messages come down to, first match wins: pattern, meaning, fix.
_MEANINGS: tuple[tuple[str, str, str], ...] = (
    (
        r"replication slot|pg_replication_slots|expected exactly one replication slot",
        "The replication slot that the configuration names is not there, or another plugin made it",
        "Create it with the plugin pgoutput (PostgresCdc does), or correct replication_method.replication_slot.",
    ),
    (
        r"publication",
        "The publication that the configuration names is not there",
        "Create it for the tables to sync (PostgresCdc does), or correct replication_method.publication.",
    ),
    (
        r"wal_level",
        "The database does not write the log that change capture reads",
        "Set wal_level = logical and restart the database.",
    ),
    (
        r"password authentication failed|incorrect username or password|authentication failed|28P01|"
        r"JWT token is invalid|390144|28000",
        "The user name and the secret do not go together",
        "Correct the user name, the password or the key, or wait until the new one is in force.",
    ),
    (
        r"unknownhost|name or service not known|could not translate host|nodename nor servname|resolve",
        "The host's name means nothing where the connector runs",
        "Correct the host; it must resolve inside Airbyte's network, not on this machine.",
    ),
    (
        r"connection refused|connection attempt failed|timed out|timeout|unreachable|08001",
        "Nobody answers at that host and port",
        "Correct host and port, and let Airbyte's addresses through the firewall.",
    ),
    (
        r"SSL",
        "Client and server do not agree on encryption",
        "Set ssl_mode to what the server offers, or turn TLS on there.",
    ),
    (
        r"warehouse|role .* not|insufficient privileges|permission denied|not authorized|42501",
        "The login works, but it lacks a right or an object",
        "Grant it (SnowflakeWarehouse and PostgresCdc do), or name another one.",
    ),
    (
        r"does not exist|not found|3D000",
        "Something the configuration names is not there",
        "Create it, or correct the name.",
    ),
)
_WAIVER = "To deploy without the check, give a reason as `skip_check`."


@dataclass(frozen=True)
class Subject:
    """What is checked, as errors name it."""

    kind: Kind
    name: str
    connector: str
    version: str
    origin: str | None = None

    def __str__(self) -> str:
        """As in: Source postgres_production (source-postgres 3.7.0)."""
        return f"{self.kind.title} {self.name} ({self.connector} {self.version})".replace(" )", ")")


def check(
    session: Session,
    subject: Subject,
    *,
    definition_id: str,
    workspace_id: str,
    config: dict[str, Any],
    actor_id: str | None = None,
) -> None:
    """Have the connector try this configuration; saves nothing. Raises CheckFailedError or one of its children.

    With `actor_id` the check runs at the version that this very actor is held at. Credentials that the server does
    not accept stay an UnauthorizedError.
    """
    try:
        result = commands.check(
            session.client,
            subject.kind,
            definition_id=definition_id,
            workspace_id=workspace_id,
            config=config,
            actor_id=actor_id,
        )
    except UnauthorizedError:
        raise
    except ApiError as error:
        raise CheckNotRunError(
            f"The connection check of {subject} could not be run, so nothing was written and nothing is said about "
            "its configuration",
            origin=subject.origin,
            why=" ".join(part for part in (error.what, error.why) if part),
            fix=f"{error.fix or 'Run it again once Airbyte answers.'} {_WAIVER}",
        ) from None
    if result.status == "succeeded":
        return
    message = session.redactor.scrub(result.failure).rstrip(".")
    if result.status != "failed":
        raise CheckCrashedError(
            f"The connection check of {subject} broke down before the connector could answer, so nothing was written",
            origin=subject.origin,
            why=f"Airbyte says: {message}" if message else "Airbyte gives no reason",
            fix=f"See the job's log in Airbyte; an image that can't be pulled is common. {_WAIVER}",
        )
    meaning, fix = explain(message)
    said = f"The connector says: {message}" if message else ""
    raise CheckFailedError(
        f"{subject} does not pass its connection check, so nothing was written",
        origin=subject.origin,
        why=f"{said}{'. ' if said and meaning else ''}{meaning}",
        fix=f"{fix} {_WAIVER}",
    )


def explain(message: str) -> tuple[str, str]:
    """What a connector's message means, and what to do about it; empty meaning where we have none."""
    for pattern, meaning, fix in _MEANINGS:
        if re.search(pattern, message, re.IGNORECASE):
            return meaning, fix
    return "", "Correct the configuration."


def discover(session: Session, source_id: str, origin: str | None, *, fresh: bool = False) -> Discovery:
    """What streams a source has; raises DiscoverFailedError where it can't say, or can't be asked."""
    try:
        discovery = session.inventory.discovery(source_id, fresh=fresh)
    except UnauthorizedError:
        raise
    except ApiError as error:
        raise DiscoverNotRunError(
            f"Source {source_id} could not be asked which streams it has, so no connection was written",
            origin=origin,
            why=" ".join(part for part in (error.what, error.why) if part),
            fix=error.fix or "Run it again once Airbyte answers.",
        ) from None
    if discovery.catalog is None:
        message = session.redactor.scrub(discovery.failure)
        meaning, fix = explain(message)
        raise DiscoverFailedError(
            f"Source {source_id} can't say which streams it has, so no connection was written",
            origin=origin,
            why=f"The connector says: {message.rstrip('.')}. {meaning}" if message else meaning,
            fix=fix,
        )
    return discovery


def supported(session: Session, actor: Actor, kind: Kind, waived: str | None, origin: str | None) -> None:
    """Raise UnsupportedConnectorError for a version past its deadline, unless waived; warn while one is ahead."""
    if actor.support_state not in ("unsupported", "deprecated"):
        return
    coming = "; ".join(
        f"{change.version} by {change.upgrade_deadline or 'now'}, see {change.migration_documentation_url or '-'}"
        for change in actor.upcoming
    )
    upgrade = f"Upgrade it across {coming}" if coming else "Upgrade it"
    if actor.support_state == "unsupported" and not waived:
        raise UnsupportedConnectorError(
            f"{kind.title} {actor.name} runs a version that its maker no longer supports, so no connection was written",
            origin=origin,
            fix=f'{upgrade}. To connect it nevertheless, give a reason: allow_unsupported: "<reason>".',
        )
    state = "is no longer supported" if actor.support_state == "unsupported" else "is deprecated"
    waiver = f" That was accepted: {waived}." if waived and actor.support_state == "unsupported" else ""
    notices.warn(session, f"{kind.title} {actor.name} runs a connector version that {state}. {upgrade}.{waiver}")

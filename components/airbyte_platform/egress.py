"""What the job pods may reach for the pipelines' sake: the hosts of sources and destinations, as address ranges.

A NetworkPolicy knows addresses and no names. A host that is an address is opened as it is; for a name the user says in
`platform.network.egress` where it is. In production a host without an entry is refused here, before anything is
declared; elsewhere its port is opened to everywhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from components.airbyte_platform.network import Opening, distinct
from components.airbyte_platform.network_settings import EgressEntry
from components.errors import Problem
from components.pipeline_file import Actor

_PORTS = {
    "source-postgres": 5432,
    "source-mysql": 3306,
    "source-mssql": 1433,
    "source-oracle": 1521,
    "source-mongodb-v2": 27017,
    "source-redshift": 5439,
    "destination-postgres": 5432,
    "destination-mysql": 3306,
    "destination-mssql": 1433,
    "destination-redshift": 5439,
    "destination-clickhouse": 8443,
}
"""Where connectors connect to when their configuration names no port; all others speak HTTPS."""

_HOST_FIELDS = ("host", "hostname", "server", "endpoint", "url", "base_url", "api_url", "s3_endpoint", "account_url")
_HTTPS, _SSH = 443, 22


@dataclass(frozen=True)
class Endpoint:
    """Where one source or destination connects to."""

    where: str
    """File, line and field."""
    connector: str
    host: str | None
    """None where the configuration names none."""
    port: int


def endpoint(actor: Actor, config: Mapping[str, Any]) -> Endpoint:
    """Find it in a resolved configuration: the SSH tunnel where there is one, else the host."""
    connector = actor.spec.connector
    tunnel = config.get("tunnel_method")
    if isinstance(tunnel, Mapping) and isinstance(tunnel.get("tunnel_host"), str):
        where = actor.where("config", "tunnel_method", "tunnel_host")
        return Endpoint(where, connector, tunnel["tunnel_host"].lower(), _number(tunnel.get("tunnel_port"), _SSH))
    default = _PORTS.get(connector.rsplit("/", 1)[-1], _HTTPS)
    for field in _HOST_FIELDS:
        text = config.get(field)
        if isinstance(text, str) and text:
            parts = urlsplit(text if "://" in text else f"//{text}")
            port = parts.port or _number(config.get("port"), 80 if parts.scheme == "http" else default)
            return Endpoint(actor.where("config", field), connector, (parts.hostname or text).lower(), port)
    return Endpoint(actor.where("connector"), connector, None, _number(config.get("port"), default))


def openings(
    endpoints: Iterable[Endpoint], entries: Iterable[EgressEntry], *, strict: bool, setting: str
) -> tuple[list[Opening], list[Problem]]:
    """What to open; with `strict`, and what is wrong. `setting` names the entries' place in messages."""
    entries, opened, problems = list(entries), list[Opening](), list[Problem]()
    for each in endpoints:
        own = _address(each.host)
        if own is not None:
            if own.is_link_local:
                what = f"`{each.host}` is where clouds hand out credentials, not a source or destination."
                problems.append(Problem(each.where, what, "Correct the host."))
            opened.append(Opening((f"{own}/{own.max_prefixlen}",), (each.port,)))
            continue
        covering = [entry for entry in entries if entry.covers(each.host, each.connector)]
        for entry in covering:
            opened.append(Opening(tuple(entry.cidrs), tuple(entry.ports) or (each.port,), entry.pods))
        if not covering and not strict:
            opened.append(Opening(("0.0.0.0/0",), (each.port,)))
        elif strict and not any(not entry.ports or each.port in entry.ports for entry in covering):
            problems.append(_uncovered(each, setting, bool(covering)))
    return distinct(opened), problems


def _uncovered(each: Endpoint, setting: str, ports_only: bool) -> Problem:
    key, value = ("host", each.host) if each.host else ("connector", each.connector)
    if ports_only:
        what = f"{value} is listed in {setting}, but its port {each.port} is not."
        return Problem(each.where, what, "Add the port to the entry's `ports`.")
    what = (
        f"job pods can't reach {value}: a network policy knows addresses and no names."
        if each.host
        else f"job pods can't reach what {value} connects to: its configuration names no host."
    )
    fix = f"Say where it is, in {setting}: `- {{{key}: {value}, cidrs: [<its addresses>], ports: [{each.port}]}}`."
    return Problem(each.where, what, fix)


def _address(host: str | None) -> Any:
    try:
        return ip_address((host or "").strip("[]"))
    except ValueError:
        return None


def _number(value: Any, default: int) -> int:
    return value if isinstance(value, int) else int(value) if isinstance(value, str) and value.isdigit() else default

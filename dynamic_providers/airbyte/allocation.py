"""What the jobs of a source or destination may use of a cluster: Airbyte's ``resourceAllocation``.

::

    {"default": {"memory_limit": "2Gi"}, "sync": {"cpu_request": "500m"}}

By the type of job, ``default`` for all others; the values are Kubernetes quantities. An update without it clears it,
and a release before 1.8 does not show it.
"""

from collections.abc import Mapping
from typing import Any, Final

from dynamic_providers.airbyte.models import Actor
from dynamic_providers.airbyte.session import Session
from dynamic_providers.airbyte.suggestions import nearest
from dynamic_providers.values import Properties

Resources = dict[str, dict[str, str]]

DEFAULT: Final = "default"
JOBS: Final = (
    "get_spec",
    "check_connection",
    "discover_schema",
    "sync",
    "reset_connection",
    "connection_updater",
    "replicate",
)
QUANTITIES: Final = (
    "cpu_request",
    "cpu_limit",
    "memory_request",
    "memory_limit",
    "ephemeral_storage_request",
    "ephemeral_storage_limit",
)


def canonical(declared: Mapping[str, Mapping[str, Any]]) -> Resources:
    """The quantities that are given, as texts."""
    found = {
        job: {name: str(value) for name, value in quantities.items() if value not in (None, "")}
        for job, quantities in declared.items()
    }
    return {job: quantities for job, quantities in found.items() if quantities}


def problems(declared: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong with them, a sentence each."""
    jobs = (DEFAULT, *JOBS)
    found = [f"resources.{job} is unknown. {nearest(job, jobs)}".rstrip() for job in declared if job not in jobs]
    return found + [
        f"resources.{job}.{name} is unknown. {nearest(name, QUANTITIES)}".rstrip()
        for job, quantities in declared.items()
        for name in quantities
        if name not in QUANTITIES
    ]


def to_api(resources: Resources | None) -> dict[str, Any]:
    """The part of a request; empty where there is nothing to ask for."""
    if not resources:
        return {}
    specific = [
        {"jobType": job, "resourceRequirements": quantities} for job, quantities in resources.items() if job != DEFAULT
    ]
    by_default = {"default": resources[DEFAULT]} if DEFAULT in resources else {}
    return {"resourceAllocation": {**by_default, **({"jobSpecific": specific} if specific else {})}}


def live(session: Session, actor: Actor, olds: Properties) -> Resources:
    """What the server has; what was last written, where it does not tell."""
    if not session.client.release.tells_resources:
        return dict(olds.get("resources") or {})
    return shown(actor)


def shown(actor: Actor) -> Resources:
    """What the server shows of it."""
    allocation = actor.resource_allocation or {}
    specific = {
        str(entry.get("jobType")): entry.get("resourceRequirements") or {}
        for entry in allocation.get("jobSpecific") or []
    }
    return canonical({DEFAULT: allocation.get("default") or {}, **specific})

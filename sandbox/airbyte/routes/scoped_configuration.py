"""Scoped configurations, above all version pins. Their fields are in snake case, unlike the rest of the API."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.airbyte.definitions import RESOURCE_TYPE, SCOPES, VERSION_KEY
from sandbox.airbyte.entities import Pin, new_id, now
from sandbox.airbyte.errors import RefusedError, ServerFaultError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.wire import NIL_UUID, Body, Endpoints, Json, present

api = Endpoints()

_KEYS = (VERSION_KEY, "network_security_token", "product_limits")
_ORIGINS = ("user", "breaking_change", "connector_rollout", "private_link")


@api.post("/v1/scoped_configuration/create")
def create(instance: Instance, body: Body) -> Json:
    """A new configuration; there is no upsert, a second one for the same scope is a 500."""
    return {"data": read(instance, instance.definitions.save_pin(_pin(instance, body, new_id())))}


@api.post("/v1/scoped_configuration/update")
def update(instance: Instance, body: Body) -> Json:
    """Replace a configuration."""
    held = instance.store.pins.get(body.id("scopedConfigurationId"))
    pin = _pin(instance, body.body("data"), held.id)
    pin.created_at = held.created_at
    return {"data": read(instance, instance.definitions.save_pin(pin))}


@api.post("/v1/scoped_configuration/get")
def get(instance: Instance, body: Body) -> Json:
    """One configuration."""
    return {"data": read(instance, instance.store.pins.get(body.id("scopedConfigurationId")))}


@api.post("/v1/scoped_configuration/list")
def list_configurations(instance: Instance, body: Body) -> Json:
    """Configurations by key or by origin type; exactly one, and the origin type as an upper-case enum name."""
    key, origin = body.optional_text("config_key"), body.optional_text("origin_type")
    if (key is None) == (origin is None):
        raise ServerFaultError("Either config_key or origin_type must be provided", "java.lang.RuntimeException")
    if origin is not None and origin.lower() in _ORIGINS and origin != origin.upper():
        raise ServerFaultError(f"No enum constant ConfigOriginType.{origin}")
    if origin is not None and origin.lower() not in _ORIGINS:
        raise ServerFaultError(f"No enum constant ConfigOriginType.{origin}")
    found = [p for p in instance.store.pins if p.key == key or (origin and p.origin_type == origin.lower())]
    return {"scopedConfigurations": [read(instance, pin) for pin in found]}


@api.post("/v1/scoped_configuration/get_context")
def get_context(instance: Instance, body: Body) -> Json:
    """What counts for a scope, what is set above it and what below."""
    if body.text("config_key") != VERSION_KEY:
        raise RefusedError(400, "Unsupported configuration key")
    scope_type, scope_id = body.choice("scope_type", SCOPES), body.id("scope_id")
    definition_id = body.optional_id("resource_id")
    pins = [p for p in instance.store.pins if p.key == VERSION_KEY and p.resource_id == definition_id]
    upwards = _ancestors(instance, scope_type, scope_id)
    chain = [p for place in [(scope_type, scope_id), *upwards] for p in pins if (p.scope_type, p.scope_id) == place]
    below = [p for p in pins if (scope_type, scope_id) in _ancestors(instance, p.scope_type, p.scope_id)]
    active = chain[0] if chain else None
    return present(
        {
            "activeConfiguration": read(instance, active) if active else None,
            "ancestorConfigurations": [
                read(instance, pin) for pin in chain if (pin.scope_type, pin.scope_id) != (scope_type, scope_id)
            ],
            "descendantConfigurations": [read(instance, pin) for pin in below],
        }
    )


@api.post("/v1/scoped_configuration/delete")
def delete(instance: Instance, body: Body) -> Json:
    """Delete a configuration; 200 with its id.

    In the development head a pin that holds actors back from a breaking change is turned into pins of the origin
    ``breaking_change`` instead: its own row for an actor, one per actor for a wider scope.
    """
    pin = instance.store.pins.get(body.id("scopedConfigurationId"))
    instance.definitions.remove_pin(pin)
    if instance.release.is_head and pin.key == VERSION_KEY:
        _keep_behind_breaking_change(instance, pin)
    return {"scopedConfigurationId": pin.id}


def _keep_behind_breaking_change(instance: Instance, pin: Pin) -> None:
    version = instance.definitions.by_version_id(pin.value)
    upcoming = instance.definitions.upcoming_breaking_changes(version) if version else []
    if version is None or not upcoming or pin.origin_type != "user":
        return
    breaking = str(upcoming[0]["version"])
    if pin.scope_type == "actor":
        pin.origin_type, pin.origin, pin.updated_at = "breaking_change", breaking, now()
        instance.definitions.save_pin(pin)
        return
    for actor in instance.store.actors:
        covered = (pin.scope_type, pin.scope_id) in _ancestors(instance, "actor", actor.id)
        concerned = actor.definition_id == pin.resource_id and covered and not actor.tombstone
        if concerned and instance.definitions.resolve_actor(actor).pin is None:
            instance.definitions.pin_for_breaking_change(version, "actor", actor.id, breaking)


def _ancestors(instance: Instance, scope_type: str, scope_id: str) -> list[tuple[str, str]]:
    """The wider scopes that contain a scope, nearest first."""
    actor = instance.store.actors.find(scope_id) if scope_type == "actor" else None
    workspace_id = actor.workspace_id if actor else scope_id if scope_type == "workspace" else None
    workspace = instance.store.workspaces.find(workspace_id) if workspace_id else None
    above = [("workspace", workspace.id)] if actor and workspace else []
    return [*above, ("organization", workspace.organization_id)] if workspace else above


def _pin(instance: Instance, body: Body, pin_id: str) -> Pin:
    if instance.release.scoped_configuration_needs_resource:
        body.id("resource_id")
        body.text("resource_type")
    pin = Pin(
        id=pin_id,
        key=body.choice("config_key", _KEYS),
        value=body.text("value"),
        scope_type=body.choice("scope_type", SCOPES),
        scope_id=body.id("scope_id"),
        origin_type=body.choice("origin_type", _ORIGINS),
        origin=body.text("origin"),
        resource_type=body.optional_choice("resource_type", [RESOURCE_TYPE]),
        resource_id=body.optional_id("resource_id"),
        description=body.optional_text("description"),
        reference_url=body.optional_text("reference_url"),
        expires_at=body.optional_text("expires_at"),
    )
    _require_related(instance, pin)
    return pin


def _require_related(instance: Instance, pin: Pin) -> None:
    """What a configuration refers to must exist.

    Raises:
        RefusedError: 400 with what is missing.
    """
    if pin.origin_type == "user" and pin.origin != NIL_UUID:
        raise RefusedError(400, f"Origin type user with id {pin.origin} does not exist")
    if pin.key == VERSION_KEY and instance.definitions.by_version_id(pin.value) is None:
        raise RefusedError(400, f"Value {pin.value} is not a version of a connector")
    if pin.resource_id and instance.store.definitions.find(pin.resource_id) is None:
        raise RefusedError(400, f"Resource type {pin.resource_type} with id {pin.resource_id} does not exist")
    exists = {
        "actor": instance.store.actors.find(pin.scope_id) is not None,
        "workspace": instance.store.workspaces.find(pin.scope_id) is not None,
        "organization": pin.scope_id == NIL_UUID,
    }
    if not exists[pin.scope_type]:
        raise RefusedError(400, f"Scope type {pin.scope_type} with id {pin.scope_id} does not exist")


def read(instance: Instance, pin: Pin) -> Json:
    """``ScopedConfigurationRead``; ``value_name`` of a version pin is its docker tag."""
    version = instance.definitions.by_version_id(pin.value) if pin.key == VERSION_KEY else None
    scope = instance.store.actors.find(pin.scope_id) or instance.store.workspaces.find(pin.scope_id)
    resource = instance.store.definitions.find(pin.resource_id) if pin.resource_id else None
    return present(
        {
            "id": pin.id,
            "config_key": pin.key,
            "value": pin.value,
            "value_name": version.tag if version else None,
            "description": pin.description,
            "reference_url": pin.reference_url,
            "resource_type": pin.resource_type,
            "resource_id": pin.resource_id,
            "resource_name": resource.name if resource else None,
            "scope_type": pin.scope_type,
            "scope_id": pin.scope_id,
            "scope_name": scope.name if scope else None,
            "origin_type": pin.origin_type,
            "origin": pin.origin,
            "origin_name": "Default User" if pin.origin_type == "user" else pin.origin,
            "expires_at": pin.expires_at,
            "created_at": _iso(pin.created_at),
            "updated_at": _iso(pin.updated_at),
        }
    )


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Webhook operations; normalization and dbt operations have been gone since before 1.0."""

from __future__ import annotations

from sandbox.airbyte.entities import Operation, new_id
from sandbox.airbyte.errors import ServerFaultError
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.wire import Answer, Body, Endpoints, Json

api = Endpoints()


@api.post("/v1/operations/create")
def create(instance: Instance, body: Body) -> Json:
    """A new operation."""
    workspace = instance.store.workspaces.get(body.id("workspaceId"))
    return read(_save(instance, new_id(), workspace.id, body))


@api.post("/v1/operations/update")
def update(instance: Instance, body: Body) -> Json:
    """Replace an operation."""
    held = instance.store.operations.get(body.id("operationId"))
    return read(_save(instance, held.id, held.workspace_id, body))


@api.post("/v1/operations/get")
def get(instance: Instance, body: Body) -> Json:
    """One operation."""
    return read(instance.store.operations.get(body.id("operationId")))


@api.post("/v1/operations/list")
def list_operations(instance: Instance, body: Body) -> Json:
    """The operations of a connection."""
    connection = instance.store.connections.get(body.id("connectionId"))
    found = [instance.store.operations.find(operation_id) for operation_id in connection.operation_ids]
    return {"operations": [read(operation) for operation in found if operation]}


@api.post("/v1/operations/delete", status=204)
def delete(instance: Instance, body: Body) -> Answer:
    """Remove an operation, also from connections."""
    operation = instance.store.operations.get(body.id("operationId"))
    instance.store.operations.remove(operation.id)
    for connection in instance.store.connections:
        if operation.id in connection.operation_ids:
            connection.operation_ids.remove(operation.id)
            instance.store.connections.save(connection)
    return None


def _save(instance: Instance, operation_id: str, workspace_id: str, body: Body) -> Operation:
    configuration = body.object("operatorConfiguration")
    if str(configuration.get("operatorType", "")).lower() != "webhook":
        raise ServerFaultError("Unsupported operator type")
    return instance.store.operations.save(Operation(operation_id, workspace_id, body.text("name"), configuration))


def read(operation: Operation) -> Json:
    """``OperationRead``."""
    return {
        "operationId": operation.id,
        "workspaceId": operation.workspace_id,
        "name": operation.name,
        "operatorConfiguration": operation.configuration,
    }

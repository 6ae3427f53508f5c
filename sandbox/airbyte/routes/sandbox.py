"""The sandbox's own endpoints, below ``/sandbox/v1``: none of them is Airbyte's, none needs a token, none is counted.

- ``GET /secrets``: every stored secret in the clear, and the stored configurations that refer to them;
  ``PUT /secrets`` ``{"id": …, "value": …}`` puts one into the customer's secret manager, for ``secret_coordinate::id``.
- ``GET /calls``: the calls of the API so far; ``DELETE /calls`` forgets them.
- ``GET /faults``, ``POST /faults`` (one fault, see ``faults``), ``DELETE /faults``.
- ``POST /registry`` publishes a connector (the shape of ``registry/data``) or changes members of a known one by ``id``;
  ``POST /registry/tick`` is the cron job that moves unused definitions to the latest version;
  ``POST /registry/online`` ``{"online": false}`` cuts the registry off.
- ``POST /tokens/expire`` makes all tokens issued so far invalid.
- ``POST /jobs/wait`` ``{"timeoutSeconds": 30}`` answers when no job runs any more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.airbyte.entities import Secret
from sandbox.airbyte.instance import Instance
from sandbox.airbyte.wire import Json

Work = Callable[[Instance, Json], Any]
_PREFIX = "/sandbox/v1"


def routes(instance: Instance) -> list[Route]:
    """The routes of an instance."""
    return [Route(_PREFIX + path, _route(instance, work), methods=[method]) for method, path, work in _TABLE]


def _route(instance: Instance, work: Work) -> Callable[[Request], Any]:
    async def respond(request: Request) -> JSONResponse:
        raw = await request.body()
        try:
            return JSONResponse(await run_in_threadpool(work, instance, json.loads(raw or b"{}")))
        except (ValueError, KeyError, TypeError) as error:
            return JSONResponse({"message": str(error)}, 400)

    return respond


def _show_secrets(instance: Instance, _: Json) -> Json:
    with instance.store.lock:
        return {
            "secrets": {secret.id: secret.value for secret in instance.store.secrets},
            "configurations": {actor.id: actor.configuration for actor in instance.store.actors},
        }


def _put_secret(instance: Instance, body: Json) -> Json:
    with instance.store.lock:
        instance.store.secrets.save(Secret(body["id"], body["value"], external=True))
    return {"id": body["id"]}


def _publish(instance: Instance, body: Json) -> Json:
    with instance.store.lock:
        known = instance.registry.find(body["id"])
        entry = {**(known.facts if known else {}), **body}
        connector = instance.registry.publish(entry)
        instance.definitions.adopt(connector)
        published = [e for e in instance.store.setting("published_connectors", []) if e["id"] != connector.id]
        instance.store.remember("published_connectors", [*published, entry])
    return {"id": connector.id, "latestTag": connector.latest_tag}


def _tick(instance: Instance, _: Json) -> Json:
    with instance.store.lock:
        return {"moved": instance.definitions.tick()}


def _go_online(instance: Instance, body: Json) -> Json:
    instance.registry.online = bool(body["online"])
    return {"online": instance.registry.online}


def _expire(instance: Instance, _: Json) -> Json:
    instance.tokens.expire_all()
    return {}


def _wait(instance: Instance, body: Json) -> Json:
    instance.jobs.wait_all(float(body.get("timeoutSeconds", 30)))
    return {}


def _clear_calls(instance: Instance, _: Json) -> Json:
    instance.calls.clear()
    return {}


def _clear_faults(instance: Instance, _: Json) -> Json:
    instance.faults.clear()
    return {}


_TABLE: list[tuple[str, str, Work]] = [
    ("GET", "/secrets", _show_secrets),
    ("PUT", "/secrets", _put_secret),
    ("GET", "/calls", lambda instance, _: instance.calls.report()),
    ("DELETE", "/calls", _clear_calls),
    ("GET", "/faults", lambda instance, _: {"faults": instance.faults.all()}),
    ("POST", "/faults", lambda instance, body: vars(instance.faults.add(body))),
    ("DELETE", "/faults", _clear_faults),
    ("POST", "/registry", _publish),
    ("POST", "/registry/tick", _tick),
    ("POST", "/registry/online", _go_online),
    ("POST", "/tokens/expire", _expire),
    ("POST", "/jobs/wait", _wait),
]

"""A provider whose engine is gone creates nothing more, and ends."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from dynamic_providers.airbyte.client import Client
from dynamic_providers.airbyte.engine import Engine
from dynamic_providers.airbyte.errors import AbandonedError
from dynamic_providers.airbyte.settings import Settings

if TYPE_CHECKING:
    from tests.recovery.conftest import Airbyte

FAKER = "dfd88b22-b603-4c3d-aad7-3701784586b1"


def test_an_engine_is_gone_when_nobody_listens_at_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        engine = Engine(["provider", f"127.0.0.1:{listener.getsockname()[1]}"])
        assert not engine.gone()
    assert engine.gone()


@pytest.mark.parametrize("arguments", [["provider"], ["provider", "--help"], ["provider", ""]])
def test_without_an_address_no_engine_is_taken_for_gone(arguments: list[str]) -> None:
    assert not Engine(arguments).gone()


def test_the_process_ends_with_its_engine() -> None:
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        engine = Engine(["provider", f"127.0.0.1:{listener.getsockname()[1]}"])
    engine.end_process_with_it(lambda _: ended.set())
    assert ended.wait(5)


def test_a_create_is_not_sent_for_an_engine_that_is_gone(airbyte: Airbyte) -> None:
    client = Client(Settings(airbyte.server.url, "sandbox", "emulator-client-secret"))
    client.abandoned = lambda: True
    workspace = str(client.instance().default_workspace_id)
    body = {"sourceDefinitionId": FAKER, "workspaceId": workspace, "name": "late", "connectionConfiguration": {}}
    with pytest.raises(AbandonedError, match="engine"):
        client.post("sources/create", body)
    assert airbyte.names()["sources"] == []
    client.abandoned = lambda: False
    client.post("sources/create", body)
    assert airbyte.names()["sources"] == ["late"]

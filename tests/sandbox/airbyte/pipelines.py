"""A connection from a PostgreSQL database to a Snowflake schema, and what it moved."""

from __future__ import annotations

from typing import Any

from tests.sandbox.airbyte.databases import Account, Database
from tests.sandbox.airbyte.harness import POSTGRES, Api, Json

DEDUP = {"syncMode": "incremental", "destinationSyncMode": "append_dedup", "primaryKey": [["id"]]}


class Pipeline:
    """A connection from a shop to a schema of its own."""

    def __init__(self, api: Api, account: Account, shop: Database) -> None:
        self.api, self.account, self.shop = api, account, shop
        self.schema = shop.name.upper()
        self.connection: Json = {}

    def connect(self, mode: Json, source: Json | None = None, destination: Json | None = None, **fields: Any) -> Json:
        """Make source, destination and connection; all streams that were discovered in one mode."""
        made = self.api.source(POSTGRES, source or self.shop.config())
        discovered = self.api.post("sources/discover_schema", sourceId=made["sourceId"])
        for entry in discovered["catalog"]["streams"]:
            entry["config"] |= {"selected": True} | mode
        body = {"namespaceDefinition": "destination", "syncCatalog": discovered["catalog"]} | fields
        there = self.api.destination(destination or self.account.config(self.schema))
        self.connection = self.api.connection(made, there, sourceCatalogId=discovered["catalogId"], **body)
        return self.connection

    def sync(self) -> dict[str, int]:
        """Run a sync that succeeds; the records it moved, by stream."""
        info = self.api.sync(self.connection)
        assert info["job"]["status"] == "succeeded", info["attempts"][-1]["attempt"].get("failureSummary")
        return moved(info)

    def failure(self) -> Json:
        """Run a sync that fails; its reason."""
        info = self.api.sync(self.connection)
        assert info["job"]["status"] == "failed"
        found: Json = info["attempts"][-1]["attempt"]["failureSummary"]["failures"][0]
        return found

    def rows(self, columns: str = '"ID", "STATUS"', table: str = "ORDERS", schema: str = "") -> list[tuple[Any, ...]]:
        """What is in the destination."""
        return self.account.run(f'SELECT {columns} FROM RAW."{schema or self.schema}"."{table}" ORDER BY 1, 2')


def moved(info: Json) -> dict[str, int]:
    stats = info["attempts"][-1]["attempt"]["streamStats"]
    return {item["streamName"]: item["stats"]["recordsCommitted"] for item in stats}

"""Network policies: https://docs.snowflake.com/en/sql-reference/sql/create-network-policy."""

from __future__ import annotations

import json

from sandbox.plugins.resource import Field
from sandbox.plugins.snowflake import names
from sandbox.plugins.snowflake.object import COMMENT, FULLY_QUALIFIED_NAME, Option, SnowflakeObject


def _addresses(told: str) -> list[str]:
    return [address.strip() for address in told.split(",") if address.strip()]


def _rules(told: str) -> list[str]:
    return [rule["fullyQualifiedRuleName"] for rule in json.loads(told)]


def _bare(rules: list[str]) -> list[str]:
    return list(map(names.bare, rules))


def _ip_list(name: str, sql: str) -> Option:
    return Option(
        name=name,
        sql=sql,
        type="strings",
        style="texts",
        source="describe",
        default=[],
        unordered=True,
        parse=_addresses,
    )


def _rule_list(name: str, sql: str) -> Option:
    return Option(
        name=name,
        sql=sql,
        type="strings",
        style="names",
        source="describe",
        default=[],
        unordered=True,
        parse=_rules,
        canonical=_bare,
    )


class NetworkPolicy(SnowflakeObject):
    """Which addresses may log in; an empty list is set as such, since lists can't be unset."""

    token = "snowflake:index/networkPolicy:NetworkPolicy"  # noqa: S105 - a type token
    noun = "Snowflake network policy"
    kind, plural = "NETWORK POLICY", "NETWORK POLICIES"
    fields = (
        Field(name="name", required=True, canonical=names.plain),
        _ip_list("allowedIpLists", "ALLOWED_IP_LIST"),
        _ip_list("blockedIpLists", "BLOCKED_IP_LIST"),
        _rule_list("allowedNetworkRuleLists", "ALLOWED_NETWORK_RULE_LIST"),
        _rule_list("blockedNetworkRuleLists", "BLOCKED_NETWORK_RULE_LIST"),
        COMMENT,
        FULLY_QUALIFIED_NAME,
    )

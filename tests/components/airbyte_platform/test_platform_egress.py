"""Where connectors connect to is read from their configuration, and matched with what the user says of addresses."""

from pathlib import Path
from typing import Any

import pytest

from components.airbyte_platform.egress import Endpoint, endpoint, openings
from components.airbyte_platform.network import Opening
from components.airbyte_platform.network_settings import EgressEntry, Pods
from components.pipeline_file import Actor, SourceSpec
from components.pipeline_file.document import Document

Config = dict[str, Any]


def found(connector: str, config: Config) -> tuple[str | None, int]:
    spec = SourceSpec.model_validate({"name": "it", "connector": connector, "config": config})
    made = endpoint(Actor("source", spec, Document(Path("pipelines/it.yaml"), {})), config)
    return made.host, made.port


ENDPOINTS: dict[str, tuple[str, Config, tuple[str | None, int]]] = {
    "host and port": ("source-postgres", {"host": "DB.example.com", "port": 6432}, ("db.example.com", 6432)),
    "the connector's own port": ("source-mysql", {"host": "db.example.com"}, ("db.example.com", 3306)),
    "an image of one's own": ("acme/source-postgres", {"host": "db.example.com"}, ("db.example.com", 5432)),
    "an address": ("source-shop", {"url": "https://shop.example.com/api"}, ("shop.example.com", 443)),
    "an address with a port": ("source-shop", {"base_url": "http://shop.example.com:8080"}, ("shop.example.com", 8080)),
    "a tunnel": (
        "source-postgres",
        {"host": "db", "tunnel_method": {"tunnel_method": "SSH_KEY_AUTH", "tunnel_host": "bastion.example.com"}},
        ("bastion.example.com", 22),
    ),
    "no tunnel": (
        "source-postgres",
        {"host": "db", "tunnel_method": {"tunnel_method": "NO_TUNNEL"}},
        ("db", 5432),
    ),
    "no host": ("source-github", {"repositories": ["a/b"]}, (None, 443)),
}


@pytest.mark.parametrize("case", ENDPOINTS)
def test_the_endpoint_of_a_configuration(case: str) -> None:
    connector, config, expected = ENDPOINTS[case]
    assert found(connector, config) == expected


def entry(**written: Any) -> EgressEntry:
    return EgressEntry.model_validate(written)


def opened(entries: list[EgressEntry], *endpoints: Endpoint, strict: bool = True) -> tuple[list[Opening], list[str]]:
    made, problems = openings(endpoints, entries, strict=strict, setting="network.egress")
    return made, [str(problem) for problem in problems]


SHOP = Endpoint("pipelines/shop.yaml:3: source.config.url", "source-shop", "eu.shop.example.com", 443)
GITHUB = Endpoint("pipelines/code.yaml:3: source.connector", "source-github", None, 443)


def test_a_star_covers_names_below_and_not_the_name_itself() -> None:
    entries = [entry(host="*.shop.example.com", cidrs=["203.0.113.0/24"])]
    assert opened(entries, SHOP) == ([Opening(("203.0.113.0/24",), (443,))], [])
    bare = Endpoint(SHOP.where, SHOP.connector, "shop.example.com", 443)
    assert opened(entries, bare)[1]


def test_a_connector_without_a_host_is_covered_by_its_name() -> None:
    made, _ = opened([entry(connector="source-github", cidrs=["140.82.112.0/20"])], GITHUB)
    assert made == [Opening(("140.82.112.0/20",), (443,))]
    (problem,) = opened([], GITHUB)[1]
    assert "pipelines/code.yaml:3" in problem
    assert "its configuration names no host" in problem
    assert "connector: source-github" in problem


def test_a_host_may_be_in_the_same_cluster() -> None:
    pods = {"namespace": "shops", "podLabels": {"app": "shop"}}
    made, _ = opened([entry(host="eu.shop.example.com", pods=pods, ports=[443, 8443])], SHOP)
    assert made == [Opening((), (443, 8443), Pods(namespace="shops", pod_labels={"app": "shop"}))]


def test_hosts_that_several_pipelines_share_are_opened_once() -> None:
    entries = [entry(host="eu.shop.example.com", cidrs=["203.0.113.0/24"])]
    assert len(opened(entries, SHOP, SHOP)[0]) == 1


def test_addresses_of_either_kind_are_opened_as_they_are() -> None:
    ends = [Endpoint("", "source-shop", host, 443) for host in ("203.0.113.7", "2001:db8::7")]
    assert [each.cidrs for each in opened([], *ends)[0]] == [("2001:db8::7/128",), ("203.0.113.7/32",)]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("host", ["169.254.169.254", "fe80::1"])
def test_link_local_addresses_are_never_a_source(host: str, strict: bool) -> None:
    (problem,) = opened([], Endpoint("pipelines/it.yaml:3", "source-shop", host, 80), strict=strict)[1]
    assert "where clouds hand out credentials" in problem

"""Fixtures that several suites share."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import pytest

from tests.kubectl import Kubectl
from tests.relay import Relay

if TYPE_CHECKING:
    from sandbox.cluster import Cluster

T = TypeVar("T")
PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The project's own folder."""
    return PROJECT


@pytest.fixture(scope="session")
def poll() -> Callable[[Callable[[], T | None], float], T]:
    """Ask until there is an answer: ``poll(question, deadline in seconds)``."""

    def until(question: Callable[[], T | None], deadline: float) -> T:
        end = time.monotonic() + deadline
        while (answer := question()) is None:
            assert time.monotonic() < end, f"no answer within {deadline} s"
            time.sleep(0.1)
        return answer

    return until


@pytest.fixture(scope="session")
def cluster_programs() -> Path:
    """The folder with the programs of a cluster, `kubectl` and `helm` among them."""
    from sandbox import toolchain

    return toolchain.ensure_kubernetes(print).bin_dir


@pytest.fixture(scope="session")
def relay() -> Iterator[Relay]:
    """Where a port-forward to port 8001 of any pod of the cluster leads: say `with relay.to(port)`."""
    with Relay() as made:
        yield made
        made.shutdown()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, cluster_programs: Path, relay: Relay) -> "Iterator[Cluster]":
    """One Kubernetes cluster for all suites, as it takes seconds and half a gigabyte; namespaces keep tests apart."""
    from sandbox import cluster as clusters

    data = tmp_path_factory.mktemp("cluster") / "data"
    forwards, environments = {8001: ("127.0.0.1", relay.port)}, {"observed": data / "environment.json"}
    with clusters.start(data, forwards=forwards, environments=environments, bin_dir=cluster_programs) as running:
        yield running


@pytest.fixture
def kubectl(cluster: "Cluster") -> Iterator[Kubectl]:
    """`kubectl` in a namespace of the test's own."""
    made = Kubectl(cluster.bin_dir / "kubectl", cluster.kubeconfig, f"test-{uuid4().hex[:8]}")
    made("create", "namespace", made.namespace)
    made.wait("serviceaccount/default", "create")  # before, no pod is admitted
    yield made
    made("delete", "namespace", made.namespace, "--wait=false")

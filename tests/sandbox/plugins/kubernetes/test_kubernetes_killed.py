"""What a kill leaves of a release that was being written: no helm that goes on, and something to go on with."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from concurrent import futures
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]
import psutil
import pytest

from tests.sandbox.plugins.stack import Stack, stand_in_stack

if TYPE_CHECKING:
    from sandbox.cluster import Cluster
    from tests.kubectl import Kubectl
    from tests.sandbox.plugins.kubernetes.conftest import Engine, PluginProcess

Poll = Callable[[Callable[[], Any], float], Any]
Release = Callable[..., dict[str, Any]]
Helm = Callable[..., str]
Refusal = Callable[[Callable[[], object]], str]
KilledWhile = Callable[..., None]

RELEASE = "kubernetes:helm.sh/v3:Release"
STUCK = {"values": {"replicas": 1, "nodes": {"nowhere": "true"}}, "timeout": 120}
"""A Deployment that never gets ready, waited for."""
GOOD = {"values": {"replicas": 1}}
SOON = 20.0
"""Seconds within which a plugin that is left alone ends, and far fewer than helm would go on waiting."""

PROGRAM = """
import json, os
import pulumi, pulumi_kubernetes as k8s

given = json.loads(os.environ["GIVEN"])
cluster = k8s.Provider("cluster", kubeconfig=given["kubeconfig"])
k8s.helm.v3.Release("tiny", name="tiny", chart=given["chart"], namespace=given["namespace"], timeout=120, atomic=True,
    values=given["values"], opts=pulumi.ResourceOptions(provider=cluster))
"""


@pytest.fixture
def killed_while(plugin_process: Callable[[], PluginProcess], kubectl: Kubectl, poll: Poll) -> KilledWhile:
    """Kills a plugin, or the engine above it, once helm waits for what the call has it make; helm ends too."""

    def kill(call: Callable[[Engine], object], *, engine: bool = False) -> None:
        plugin = plugin_process()
        with futures.ThreadPoolExecutor() as pool:
            under_way = pool.submit(call, plugin.engine)
            poll(lambda: waits_for_pods(kubectl), 20)
            helm = plugin.helm()
            assert helm is not None
            (plugin.parent if engine else plugin.process).kill()
            with pytest.raises(grpc.RpcError):
                under_way.result(timeout=SOON)
        try:
            helm.wait(SOON)
            plugin.process.wait(SOON)
        finally:
            with suppress(psutil.NoSuchProcess):
                helm.kill()

    return kill


def waits_for_pods(kubectl: Kubectl) -> bool | None:
    return any(pod["spec"].get("nodeSelector") for pod in kubectl.get("pods")["items"]) or None


def status(helm: Helm) -> str:
    return str(json.loads(helm("status", "tiny", "--output", "json"))["info"]["status"])


def test_a_killed_plugin_takes_its_helm_with_it_and_an_install_goes_on_after_an_uninstall(
    killed_while: KilledWhile, engine: Engine, release: Release, helm: Helm, kubectl: Kubectl, refusal: Refusal
) -> None:
    killed_while(lambda plugin: plugin.create(RELEASE, release(**STUCK)))
    assert status(helm) == "pending-install"

    # as with the official plugin, the release is in the way of another, which says what to do
    remedy = f"helm uninstall tiny --namespace {kubectl.namespace}"
    assert f"`{remedy}`" in refusal(lambda: engine.create(RELEASE, release(**GOOD)))
    helm(*remedy.split()[1:])
    assert engine.create(RELEASE, release(**GOOD)).outputs["status"]["status"] == "deployed"


def test_a_killed_plugin_takes_its_helm_with_it_and_an_upgrade_goes_on_after_a_rollback(
    killed_while: KilledWhile, engine: Engine, release: Release, helm: Helm, kubectl: Kubectl, refusal: Refusal
) -> None:
    held = engine.create(RELEASE, release(skipAwait=True))
    killed_while(lambda plugin: plugin.update(held, release(**STUCK)))
    assert status(helm) == "pending-upgrade"

    remedy = f"helm rollback tiny --namespace {kubectl.namespace}"
    assert f"`{remedy}`" in refusal(lambda: engine.update(held, release(**GOOD)))
    helm(*remedy.split()[1:])
    assert engine.update(held, release(**GOOD)).outputs["status"]["status"] == "deployed"
    # what only the killed upgrade had added is gone; without its record, helm would leave it
    assert "nodeSelector" not in kubectl.get("deployment/tiny-server")["spec"]["template"]["spec"]


def test_a_killed_engine_is_noticed_and_helm_takes_back_an_atomic_upgrade_so_that_the_next_update_just_goes_on(
    killed_while: KilledWhile, engine: Engine, release: Release, helm: Helm
) -> None:
    held = engine.create(RELEASE, release(skipAwait=True))
    killed_while(lambda plugin: plugin.update(held, release(**STUCK, atomic=True)), engine=True)
    assert status(helm) == "deployed"
    assert engine.update(held, release(**GOOD)).outputs["status"]["status"] == "deployed"


@pytest.mark.slow
@pytest.mark.e2e
def test_after_a_kill_of_the_real_engine_the_usual_recovery_is_all_it_takes(
    tmp_path: Path,
    project_root: Path,
    cluster: Cluster,
    kubectl: Kubectl,
    chart: Path,
    helm: Helm,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {"kubeconfig": str(cluster.kubeconfig), "namespace": kubectl.namespace, "chart": str(chart), "values": {}}
    stack = stand_in_stack(tmp_path, project_root, monkeypatch, PROGRAM, given, cluster.bin_dir)

    for again in (False, True):  # an install, then an upgrade
        killed_engine(stack, kubectl, poll)
        stack.run("cancel", "--yes")
        stack.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
        stack.given["values"] = {"replicas": 1, "greeting": f"again: {again}"}
        stack.run("up", "--yes", "--skip-preview")
        assert status(helm) == "deployed"
        assert kubectl.get("deployment/tiny-server")["status"]["availableReplicas"] == 1


def killed_engine(stack: Stack, kubectl: Kubectl, poll: Poll) -> None:
    """Kill the engine of an update that is stuck; nothing that it started goes on."""
    environment = {**stack.environment, "GIVEN": json.dumps({**stack.given, **STUCK})}
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
    with subprocess.Popen(command, cwd=stack.folder, env=environment, stdout=subprocess.DEVNULL) as engine:
        try:
            poll(lambda: waits_for_pods(kubectl), 60)
            left = psutil.Process(engine.pid).children(recursive=True)
        finally:
            engine.kill()
    assert any("--values" in process.cmdline() for process in left)
    _, alive = psutil.wait_procs(left, SOON)
    assert alive == []

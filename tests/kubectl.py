"""The real `kubectl`, for tests that look at a cluster as its users do."""

import json
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self


def kubeconfig(server: str, token: str = "a-token", *, verified: bool = True) -> str:
    """The contents of a kubeconfig: one cluster, context `x`; `verified` is whether its certificate has to be right."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": server, "insecure-skip-tls-verify": not verified}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    )


@dataclass(frozen=True)
class Kubectl:
    """The real `kubectl`, as the administrator, in one namespace."""

    program: Path
    kubeconfig: Path
    namespace: str = "default"

    def run(self, *arguments: str, given: object = None) -> subprocess.CompletedProcess[str]:
        """Run it to its end; `given` is an object on its standard input."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            input=None if given is None else json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def __call__(self, *arguments: str, given: object = None) -> str:
        """Run it; what it printed."""
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *arguments: str) -> Any:
        """The object that `kubectl get` finds."""
        return json.loads(self("get", *arguments, "-o", "json"))

    def apply(self, *things: dict[str, Any]) -> None:
        self("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": list(things)})

    def edit(self, thing: str, *operations: dict[str, Any]) -> None:
        """Change an object as `kubectl edit` does, which is under that name, by a JSON patch."""
        self("patch", thing, "--field-manager=kubectl-edit", "--type=json", "--patch", json.dumps(operations))

    def wait(self, thing: str, condition: str) -> None:
        self("wait", thing, f"--for={condition}", "--timeout=30s")

    def within(self, namespace: str) -> Self:
        """The same in another namespace."""
        return replace(self, namespace=namespace)

    def command(self, *arguments: str) -> list[str]:
        return [str(self.program), "--namespace", self.namespace, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "NO_PROXY": "127.0.0.1"}

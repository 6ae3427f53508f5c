"""``python -m sandbox.plugins.kubernetes``: the plugin process that the engine starts."""

from sandbox.plugins.kubernetes.provider import Kubernetes
from sandbox.plugins.kubernetes.servicer import KubernetesServicer
from sandbox.plugins.server import serve

if __name__ == "__main__":
    serve(KubernetesServicer(Kubernetes()))

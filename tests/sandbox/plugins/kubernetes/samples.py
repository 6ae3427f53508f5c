"""Objects that the tests declare, and the types they are of."""

from typing import Any

NAMESPACE = "kubernetes:core/v1:Namespace"
SECRET = "kubernetes:core/v1:Secret"
CONFIG = "kubernetes:core/v1:ConfigMap"
QUOTA = "kubernetes:core/v1:ResourceQuota"
LIMITS = "kubernetes:core/v1:LimitRange"
SERVICE_ACCOUNT = "kubernetes:core/v1:ServiceAccount"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
JOB = "kubernetes:batch/v1:Job"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"


def policy(*cidrs: str, **more: Any) -> dict[str, Any]:
    rules = [{"to": [{"ipBlock": {"cidr": cidr}}], "ports": [{"port": 5432, "protocol": "TCP"}]} for cidr in cidrs]
    spec = {"podSelector": {}, "policyTypes": ["Egress", "Ingress"], "ingress": [], "egress": rules}
    return {"metadata": {"name": "fence", **more}, "spec": spec}


def deployment(image: str = "example/server:1", replicas: int = 1, **pod: Any) -> dict[str, Any]:
    labels = {"app": "server"}
    container = {
        "name": "main",
        "image": image,
        "env": [{"name": "MODE", "value": "calm"}],
        "resources": {"limits": {"cpu": "0.5", "memory": "1024Mi"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "initialDelaySeconds": 0},
    }
    template = {"metadata": {"labels": labels}, "spec": {"hostNetwork": False, "containers": [container], **pod}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": "server"}, "spec": spec}


SAMPLES: dict[str, dict[str, Any]] = {
    SERVICE_ACCOUNT: {"metadata": {"name": "jobs"}, "automountServiceAccountToken": False},
    CONFIG: {"metadata": {"name": "words", "labels": {}}, "data": {"greeting": "hello"}},
    SECRET: {
        "metadata": {"name": "words"},
        "type": "Opaque",
        "stringData": {"password": "hunter2"},
        "data": {"b": "Yg=="},
    },
    QUOTA: {
        "metadata": {"name": "quota"},
        "spec": {"hard": {"requests.cpu": "0.5", "limits.memory": "1024Mi", "pods": 9}},
    },
    LIMITS: {"metadata": {"name": "limits"}, "spec": {"limits": [{"type": "Container", "default": {"cpu": "1000m"}}]}},
    POLICY: policy("10.0.0.0/8"),
    ROLE: {"metadata": {"name": "role"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    BINDING: {
        "metadata": {"name": "binding"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "role"},
        "subjects": [{"kind": "ServiceAccount", "name": "jobs", "namespace": "default"}],
    },
    DEPLOYMENT: deployment(),
    BUDGET: {"metadata": {"name": "budget"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}},
}

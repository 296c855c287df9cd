"""Each rule for pods is broken by a pod that breaks no other."""

import pytest
from tests.charts.pod_security import violations
from tests.charts.rendering import Object

CONTEXT: Object = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
RESOURCES: Object = {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"memory": "1Mi"}}
CONTAINER: Object = {"name": "x", "resources": RESOURCES, "securityContext": CONTEXT}
POD: Object = {"automountServiceAccountToken": False, "containers": [CONTAINER]}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"automountServiceAccountToken": True}, "token"),
        ({"automountServiceAccountToken": None}, "token"),
        ({"hostNetwork": True}, "hostNetwork"),
        ({"hostPID": True}, "hostPID"),
        ({"hostIPC": True}, "hostIPC"),
        ({"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}, "volume {'hostPath'}"),
        ({"securityContext": {"sysctls": [{"name": "x", "value": "1"}]}}, "x: sysctls"),
    ],
)
def test_forbidden_pod_is_found(change: Object, rule: str) -> None:
    assert list(violations({**POD, **change})) == [rule]


def secured(**context: object) -> Object:
    """A container whose security context is good but for that."""
    return {"securityContext": {**CONTEXT, **context}}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (secured(privileged=True), "privileged"),
        (secured(allowPrivilegeEscalation=None), "escalation"),
        (secured(runAsNonRoot=None), "root"),
        (secured(runAsUser=0), "root"),
        (secured(seccompProfile={}), "seccomp"),
        (secured(seccompProfile={"type": "Unconfined"}), "seccomp"),
        (secured(appArmorProfile={"type": "Unconfined"}), "AppArmor"),
        (secured(seLinuxOptions={"type": "spc_t"}), "SELinux"),
        (secured(windowsOptions={"hostProcess": True}), "Windows"),
        (secured(capabilities={}), "drops"),
        (secured(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}), "adds"),
        (secured(procMount="Unmasked"), "procMount"),
        (secured(readOnlyRootFilesystem=None), "root filesystem"),
        ({"ports": [{"containerPort": 80, "hostPort": 80}]}, "host port"),
        ({"livenessProbe": {"httpGet": {"host": "x", "port": 80}}}, "host of a probe"),
        ({"lifecycle": {"preStop": {"tcpSocket": {"host": "x", "port": 80}}}}, "host of a probe"),
        ({"resources": {**RESOURCES, "requests": {"cpu": "1m"}}}, "requests"),
        ({"resources": {**RESOURCES, "requests": {"memory": "1Mi"}}}, "requests"),
        ({"resources": {**RESOURCES, "limits": {"cpu": "1"}}}, "limits"),
    ],
)
@pytest.mark.parametrize("part", ["initContainers", "containers"])
def test_forbidden_container_is_found(part: str, change: Object, rule: str) -> None:
    assert list(violations({**POD, part: [{**CONTAINER, **change}]})) == [f"x: {rule}"]

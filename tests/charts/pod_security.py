"""Rules of pods: Pod Security "restricted", and what no pod here needs.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from collections.abc import Iterator

from tests.charts.rendering import Object, containers

VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


def violations(pod: Object) -> Iterator[str]:
    """Return what is forbidden in a pod's spec, a few words each."""
    if pod.get("automountServiceAccountToken") is not False:
        yield "token"
    for shared in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(shared):
            yield shared
    for volume in pod.get("volumes", ()):
        if forms := set(volume) - VOLUMES - {"name"}:
            yield f"volume {forms}"
    for container in containers(pod):
        own = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
        rules = {**_restricted(container, own), **_bounded(container, own)}
        yield from (f"{container['name']}: {rule}" for rule, kept in rules.items() if not kept)


def _restricted(container: Object, own: Object) -> dict[str, bool]:
    """Return for each rule of `restricted` whether it is kept, in places more strictly."""
    capabilities = own.get("capabilities", {})
    confined = {"RuntimeDefault", "Localhost"}
    return {
        "privileged": not own.get("privileged"),
        "escalation": own.get("allowPrivilegeEscalation") is False,
        "root": own.get("runAsNonRoot") is True and own.get("runAsUser") != 0,
        "seccomp": own.get("seccompProfile", {}).get("type") in confined,
        "AppArmor": own.get("appArmorProfile", {}).get("type", "RuntimeDefault") in confined,
        "SELinux": "seLinuxOptions" not in own,
        "Windows": "windowsOptions" not in own,
        "drops": "ALL" in capabilities.get("drop", ()),
        "adds": set(capabilities.get("add", ())) <= {"NET_BIND_SERVICE"},
        "host port": not any("hostPort" in port for port in container.get("ports", ())),
        "host of a probe": not any("host" in action for action in _actions(container)),
        "procMount": own.get("procMount", "Default") == "Default",
        "sysctls": "sysctls" not in own,
    }


def _actions(container: Object) -> Iterator[Object]:
    """Return what the kubelet does to a container by its probes and around its life."""
    probes = [container.get(f"{each}Probe", {}) for each in ("startup", "liveness", "readiness")]
    for handler in (*probes, *container.get("lifecycle", {}).values()):
        yield from (handler[each] for each in ("httpGet", "tcpSocket") if each in handler)


def _bounded(container: Object, own: Object) -> dict[str, bool]:
    """Return whether it leaves its image as it is, and the node to others."""
    resources = container.get("resources", {})
    return {
        "root filesystem": own.get("readOnlyRootFilesystem") is True,
        "requests": resources.get("requests", {}).keys() >= {"cpu", "memory"},
        "limits": "memory" in resources.get("limits", {}),
    }

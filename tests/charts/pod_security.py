"""Pod Security "restricted": https://kubernetes.io/docs/concepts/security/pod-security-standards/"""

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
    """What `restricted` forbids in a pod's spec, a few words each."""
    for shared in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(shared):
            yield shared
    for volume in pod.get("volumes", ()):
        if forms := set(volume) - VOLUMES - {"name"}:
            yield f"volume {forms}"
    for container in containers(pod):
        own = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
        yield from (f"{container['name']}: {each}" for each in _of_container(container, own))


def _of_container(container: Object, own: Object) -> Iterator[str]:
    capabilities = own.get("capabilities", {})
    rules = {
        "privileged": not own.get("privileged"),
        "escalation": own.get("allowPrivilegeEscalation") is False,
        "root": own.get("runAsNonRoot") is True and own.get("runAsUser") != 0,
        "seccomp": own.get("seccompProfile", {}).get("type") in {"RuntimeDefault", "Localhost"},
        "drops": "ALL" in capabilities.get("drop", ()),
        "adds": set(capabilities.get("add", ())) <= {"NET_BIND_SERVICE"},
        "host port": not any("hostPort" in port for port in container.get("ports", ())),
        "procMount": own.get("procMount", "Default") == "Default",
        "sysctls": "sysctls" not in own,
    }
    return (rule for rule, is_kept in rules.items() if not is_kept)

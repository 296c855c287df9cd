"""The platform in a cluster, as whoever operates it: kubectl and Helm."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from testkit.waiting import wait_for

ROOT = Path(__file__).parents[2]
RELEASE = "conference"
UPGRADE = f"helm upgrade {RELEASE} charts/conference --values values.yaml"
"""Stands where operate.md has `helm upgrade …`."""
SERVICES = ("frontend", "agenda-service", "c4p-service", "email-service")
"""What may be replaced while visitors are there."""
PATIENCE_SECONDS = 180
READ_METRICS = (
    "from urllib.request import urlopen;"
    " print(urlopen('http://127.0.0.1:9090/metrics', timeout=5).read().decode())"
)

Object = dict[str, Any]
"""Something that Kubernetes knows, as it describes it."""


class CommandError(Exception):
    """A command that failed, with what it said."""


def command(
    *arguments: str | Path, stdin: str = "", env: Mapping[str, str] = {}, seconds: float = 600
) -> str:
    """Return what a command prints; `env` is added to the environment.

    CommandError with what it said when it fails.
    """
    ended = subprocess.run(
        [str(each) for each in arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        cwd=ROOT,
        env={**os.environ, **env},
    )
    if ended.returncode != 0:
        raise CommandError(f"{' '.join(map(str, arguments))}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


@dataclass(frozen=True, slots=True)
class Version:
    """Images in a registry, and the checkout that has their charts."""

    registry: str
    tag: str
    checkout: Path = ROOT

    def image(self, name: str) -> str:
        """The reference of one of them."""
        return f"{self.registry}/conference/{name}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A namespace of the cluster that KUBECONFIG names, and the address of the Gateway."""

    namespace: str
    url: str

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Return what kubectl prints, about this namespace."""
        return command("kubectl", "--namespace", self.namespace, *arguments, stdin=stdin)

    def get(self, *what: str) -> Object:
        """An object, or a list of objects with `items`."""
        found: Object = json.loads(self.kubectl("get", *what, "--output", "json"))
        return found

    def all_pods(self, name: str) -> list[Object]:
        """The pods of a part, those that are about to end too."""
        pods: list[Object] = self.get("pods", "--selector", f"app.kubernetes.io/name={name}")[
            "items"
        ]
        return pods

    def pods(self, name: str) -> list[Object]:
        """The pods of a part that are not about to end."""
        return [each for each in self.all_pods(name) if "deletionTimestamp" not in each["metadata"]]

    def deploy(self, version: Version, *options: str) -> None:
        """Install this version, or put it in the place of the one that is there."""
        command(
            version.checkout / "environments/local/deploy",
            *(version.registry, version.tag, *options),
            env={"NAMESPACE": self.namespace, "PUBLIC_URL": self.url},
        )

    def helm(self, *arguments: str) -> str:
        """Return what Helm prints, about this namespace."""
        return command("helm", "--namespace", self.namespace, *arguments)

    def restart(self, *names: str) -> None:
        """Replace the pods of some services, at once, and wait until that is done."""
        self.kubectl("rollout", "restart", *(f"deployment/{each}" for each in names))
        self.wait_until_rolled_out(*names)

    def wait_until_rolled_out(self, *names: str) -> None:
        """Return when every pod of these services is new and ready, and the old ones are gone."""
        for name in names:
            self.kubectl(
                "rollout", "status", f"deployment/{name}", f"--timeout={PATIENCE_SECONDS}s"
            )
        for name in names:
            # Of pods that are about to end, and of those that are gone since a moment ago, the
            # status says nothing.
            wait_for(partial(self._is_whole, name), f"all of {name}", PATIENCE_SECONDS, 0.5)

    def _is_whole(self, name: str) -> bool:
        replicas = self.get("deployment", name)["spec"]["replicas"]
        # One that was evicted stays to be looked at.
        pods = [each for each in self.all_pods(name) if each["status"]["phase"] != "Failed"]
        return len(pods) == replicas and all(map(is_ready, pods))

    def scale(self, name: str, replicas: int) -> None:
        """Have so many pods of a service, and wait for them, or for the end of all others."""
        self.kubectl("scale", f"deployment/{name}", f"--replicas={replicas}")
        self.wait_until_rolled_out(name)

    def evict(self, pod: str) -> bool:
        """Ask for the end of a pod as a drain does; whether its PodDisruptionBudget allows it."""
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": self.namespace},
        }
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/eviction"
        try:
            self.kubectl("create", "--raw", path, "--filename", "-", stdin=json.dumps(eviction))
        except CommandError as refused:
            if "disruption budget" not in str(refused):
                raise
            return False
        return True

    def run(self, pod: str, *arguments: str) -> str:
        """Return what a program prints in a pod."""
        return self.kubectl("exec", pod, "--", *arguments)

    def secret(self, name: str, key: str) -> str:
        """A value of a Secret."""
        template = f"{{{{index .data {json.dumps(key)} | base64decode}}}}"
        return self.kubectl("get", "secret", name, "--output", f"go-template={template}")

    def run_consistency_job(self, name: str) -> None:
        """A run of the CronJob, now; it has ended, well or with something left to do."""
        self.kubectl("create", "job", name, "--from=cronjob/consistency-job")
        wait_for(lambda: self._has_ended(name), f"the end of {name}", PATIENCE_SECONDS, 0.5)

    def _has_ended(self, job: str) -> bool:
        conditions = self.get("job", job)["status"].get("conditions", ())
        ended = {"Complete", "Failed"}
        return any(each["type"] in ended and each["status"] == "True" for each in conditions)

    def metrics(self, pod: str) -> Mapping[str, float]:
        """The metrics of a pod that have no labels."""
        # From inside: where policies are enforced, the API server may not call a pod either.
        lines = self.run(pod, "python", "-c", READ_METRICS).strip().splitlines()
        pairs = (line.split() for line in lines if not line.startswith("#") and "{" not in line)
        return {name: float(value) for name, value in pairs}

    @contextmanager
    def forwarded(self, what: str, port: int) -> Iterator[str]:
        """An address on this machine for a port of something in the cluster."""
        arguments = ["kubectl", "--namespace", self.namespace, "port-forward", what, f":{port}"]
        # A file, since it says something for each connection, and a pipe would fill up.
        with NamedTemporaryFile() as said, subprocess.Popen(arguments, stdout=said) as forwarding:
            try:
                # Forwarding from 127.0.0.1:40001 -> 1080
                found = wait_for(
                    lambda: re.match(r"Forwarding from (\S+) ", Path(said.name).read_text()),
                    f"a way to {what}",
                )
                yield f"http://{found[1]}"
            finally:
                forwarding.terminate()


def is_ready(pod: Object) -> bool:
    """Return whether a pod gets calls, and is not about to end."""
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", ())}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


def gateway_address() -> str:
    """Return where the Gateway answers inside the cluster: the pod of its controller."""
    gateway = json.loads(
        command("kubectl", "--namespace=traefik", "get", "gateway/web", "--output=json")
    )
    pods = json.loads(command("kubectl", "--namespace=traefik", "get", "pods", "--output=json"))
    (pod, *_) = filter(is_ready, pods["items"])
    return f"http://{pod['status']['podIP']}:{gateway['spec']['listeners'][0]['port']}"


def other_routes(namespace: str) -> Sequence[str]:
    """Namespaces beside this one that the Gateway sends visitors to."""
    found = json.loads(command("kubectl", "get", "httproutes", "--all-namespaces", "--output=json"))
    return sorted({each["metadata"]["namespace"] for each in found["items"]} - {namespace})

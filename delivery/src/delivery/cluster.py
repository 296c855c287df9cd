"""The cluster of KUBECONFIG, by the kubectl program."""

import json
import subprocess
from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any

from delivery.development_secrets import Secrets
from delivery.problems import DeliveryError

SECONDS = 60


class Cluster:
    """A namespace of the cluster."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def secrets(self, names: Iterable[str]) -> Secrets:
        """Return those of the Secrets that are there."""
        ended = self._run("get", "secret", *names, "--ignore-not-found", "--output=json")
        if ended.returncode:
            raise _refusal(ended)
        if not ended.stdout.strip():
            return {}
        told = json.loads(ended.stdout)
        found = told["items"] if told["kind"] == "List" else [told]
        return {each["metadata"]["name"]: _texts(each) for each in found}

    def create(self, manifest: Mapping[str, Any]) -> bool:
        """Make an object; return False, and change nothing, where it is there already."""
        ended = self._run("create", "--filename=-", stdin=json.dumps(manifest))
        if ended.returncode and "(AlreadyExists)" not in ended.stderr:
            raise _refusal(ended)
        return ended.returncode == 0

    def _run(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(  # noqa: S603
                [  # noqa: S607
                    "kubectl",
                    f"--namespace={self._namespace}",
                    f"--request-timeout={SECONDS // 2}s",
                    *arguments,
                ],
                input=stdin,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
            )
        except FileNotFoundError as error:
            raise DeliveryError("This needs kubectl, which this machine does not have.") from error
        except subprocess.TimeoutExpired as error:
            raise DeliveryError("The cluster that KUBECONFIG names does not answer.") from error


def _texts(secret: Mapping[str, Any]) -> Mapping[str, str]:
    data: Mapping[str, str] = secret.get("data") or {}
    return {key: b64decode(value).decode(errors="replace") for key, value in data.items()}


def _refusal(ended: "subprocess.CompletedProcess[str]") -> DeliveryError:
    # What is worth knowing is its last line.
    said = ended.stderr.strip().splitlines() or ["it failed, and did not say why."]
    return DeliveryError(f"kubectl says: {said[-1]}")

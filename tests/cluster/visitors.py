"""A conference day inside the cluster: locust in a pod, and what it counted."""

import json
from types import TracebackType
from typing import Any, Self

from tests.cluster.cluster import PATIENCE_SECONDS, Cluster, Version, gateway_address
from tests.load.counted import Counted

from testkit.waiting import wait_for

PEOPLE = {"Reader": 160, "Speaker": 6, "Organizer": 2}
HASTE = 8.0
"""Together they make some 200 requests a second."""
POD = "visitors"


class Visitors:
    """As a context: they come, stay as long as it lasts, and `counted` is there at its end."""

    def __init__(self, platform: Cluster, version: Version, passcode: str) -> None:
        # Outside of the platform's namespace, whose policies would let them call nobody.
        self._cluster = Cluster(f"{platform.namespace}-visitors", platform.url)
        self._image = version.image("load")
        self._passcode = passcode
        self.counted = Counted()

    def __enter__(self) -> Self:
        namespace = {"apiVersion": "v1", "kind": "Namespace"}
        named = {**namespace, "metadata": {"name": self._cluster.namespace}}
        self._cluster.kubectl("apply", "--filename", "-", stdin=json.dumps(named))
        self._cluster.kubectl("delete", "pod", POD, "--ignore-not-found")
        self._cluster.kubectl("create", "--filename", "-", stdin=json.dumps(self._pod()))
        try:
            self._cluster.kubectl("wait", "--for=condition=Ready", f"pod/{POD}", "--timeout=60s")
            wait_for(lambda: "All users spawned" in self._log(), "all visitors", 60, 0.5)
        except BaseException:
            self._send_home()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._send_home()
            return
        self._cluster.run(POD, "python", "-c", "import os; os.kill(1, 15)")
        ended = "jsonpath={.status.phase}"
        wait_for(
            lambda: self._cluster.kubectl("get", "pod", POD, "--output", ended) != "Running",
            "the end of the day",
            PATIENCE_SECONDS,
            0.5,
        )
        self.counted = Counted.read(self._log())

    def _send_home(self) -> None:
        self._cluster.kubectl(
            "delete", "pod", POD, "--ignore-not-found", "--grace-period=0", "--force"
        )

    def _log(self) -> str:
        return self._cluster.kubectl("logs", POD)

    def _pod(self) -> dict[str, Any]:
        options = {
            "--host": gateway_address(),
            "--users": sum(PEOPLE.values()),
            "--spawn-rate": 50,
            "--haste": HASTE,
            "--acknowledged": "/dev/stdout",
            "--config-users": json.dumps(
                [{"user_class_name": each, "fixed_count": n} for each, n in PEOPLE.items()]
            ),
        }
        arguments = (each for option in options.items() for each in option)
        env = {"PASSCODE": self._passcode, "PUBLIC_URL": self._cluster.url}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": POD},
            "spec": {
                "restartPolicy": "Never",
                "containers": [
                    {
                        "name": POD,
                        "image": self._image,
                        "args": ["--only-summary", *map(str, arguments)],
                        # Who counts must not wait for a processor behind those who are counted.
                        "resources": {"requests": {"cpu": "250m"}},
                        "env": [{"name": name, "value": value} for name, value in env.items()],
                    }
                ],
            },
        }

"""Services as Rollouts: each way to a new version, and the way there that docs/operate.md says."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.office import Office
from tests.cluster.cluster import (
    PATIENCE_SECONDS,
    ROOT,
    UPGRADE,
    Cluster,
    CommandError,
    Version,
    command,
)
from tests.cluster.support import assert_kept
from tests.cluster.visitors import Visitors

from testkit.waiting import wait_for

SERVICES = ("frontend", "agenda-service")
"""One that people ask, which the Gateway weighs, and one that only services ask."""
STEPS = json.dumps([{"setWeight": 20}, {"pause": {"duration": 10}}], separators=(",", ":"))
FEWEST_PER_SECOND = 20


@pytest.fixture(scope="module", autouse=True)
def known_to_the_cluster() -> None:
    """Fail where the kinds are not: who asks for this file by its name wants it to run."""
    kinds = ("rollouts.argoproj.io", "traefikservices.traefik.io")
    try:
        command("kubectl", "get", "customresourcedefinitions", *kinds)
    except CommandError:
        pytest.fail(f"the cluster does not know {' and '.join(kinds)}")


@pytest.fixture
def run(
    cluster: Cluster, version: Version, operator: Callable[[str], str], workplace: Path
) -> Iterator[Callable[[str], str]]:
    """An operator in the folder of the values, who does with both services what is written of one;
    afterwards both are Deployments, whatever has happened.
    """

    def in_words_of_here(text: str) -> str:
        text = text.replace("helm upgrade …", UPGRADE)
        text = re.sub(r"(deployment|rollout)/frontend", r"\g<0> \1/agenda-service", text)
        return re.sub(r"(--set\S*) frontend\.(\S+)", r"\g<0> \1 agenda-service.\2", text)

    yield lambda text: operator(f"cd '{workplace}'\n{in_words_of_here(text)}")
    cluster.deploy(version, "--wait=legacy", "--force-conflicts")
    cluster.kubectl("delete", "rollouts", "--all")
    cluster.wait_until_rolled_out(*SERVICES)


@pytest.fixture(scope="module")
def documented() -> list[str]:
    """The shell blocks of the section: there, and back."""
    text = (ROOT / "docs" / "operate.md").read_text()
    section = text.partition("## A new version beside the old one")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def upgrade(kind: str, revision: str, *options: str) -> str:
    """Return the command by which new pods come, by this strategy."""
    words = (f"--set frontend.strategy.type={kind}", *options)
    pods = f"--set-string frontend.podAnnotations.revision={revision}"
    return f"{UPGRADE} --wait=legacy {' '.join(words)} {pods}"


def status(cluster: Cluster, name: str) -> dict[str, Any]:
    """Return what Rollouts says of one of them."""
    found: dict[str, Any] = cluster.get("rollout", name).get("status", {})
    return found


def is_done(cluster: Cluster, name: str, revision: str) -> bool:
    """Tell whether all requests go to the pods of a revision."""
    rollout = cluster.get("rollout", name)
    annotations = rollout["spec"]["template"]["metadata"]["annotations"]
    now = rollout.get("status", {})
    if (
        annotations.get("revision") != revision
        or now.get("observedGeneration") != str(rollout["metadata"]["generation"])
        or now.get("phase") != "Healthy"
    ):
        return False
    if "blueGreen" in rollout["spec"]["strategy"]:
        # Pods that a weighed canary has made stay idle behind this for as long as Rollouts 1.10
        # does not look again.
        return bool(now["blueGreen"]["activeSelector"] == now["stableRS"] == now["currentPodHash"])
    pods = cluster.all_pods(name)
    hashes = {each["metadata"]["labels"]["rollouts-pod-template-hash"] for each in pods}
    return hashes == {now["stableRS"]}


def wait_until_done(cluster: Cluster, revision: str) -> None:
    for name in SERVICES:
        wait_for(
            lambda: is_done(cluster, name, revision),  # noqa: B023
            f"revision {revision} of {name}",
            PATIENCE_SECONDS,
            0.5,
        )


def weights(cluster: Cluster) -> list[int]:
    """Return the shares of the stable and of the new version of what people ask."""
    services = cluster.get("traefikservice", "frontend")["spec"]["weighted"]["services"]
    return [each["weight"] for each in services]


def test_new_versions_come_by_each_strategy_and_fail_nobody(
    cluster: Cluster,
    visitors: Callable[[], Visitors],
    office: Office,
    run: Callable[[str], str],
    documented: list[str],
) -> None:
    there, back = documented
    run(there)
    assert weights(cluster) == [100, 0]
    with visitors() as canary:
        run(upgrade("canary", "1", f"--set-json frontend.strategy.canary.steps='{STEPS}'"))
        wait_for(
            lambda: weights(cluster) == [80, 20], "a fifth for the canary", PATIENCE_SECONDS, 0.5
        )
        assert status(cluster, "frontend")["phase"] in {"Progressing", "Paused"}
        wait_until_done(cluster, "1")
        assert weights(cluster) == [100, 0]

    short = "--set frontend.strategy.blueGreen.scaleDownDelaySeconds=15"
    run(upgrade("blueGreen", "1", short))
    wait_until_done(cluster, "1")
    with visitors() as blue_green:
        run(upgrade("blueGreen", "2", short))
        wait_until_done(cluster, "2")
    for name in SERVICES:
        for service in (name, f"{name}-preview"):
            selector = cluster.get("service", service)["spec"]["selector"]
            hashed = status(cluster, name)["stableRS"]
            assert selector == {"rollouts-pod-template-hash": hashed}

    run(back)
    cluster.wait_until_rolled_out(*SERVICES)
    assert not cluster.get("rollouts")["items"]
    for day in (canary, blue_green):
        print(f"\nby canary, then by blue/green: {day.counted}")
        assert day.counted.per_second > FEWEST_PER_SECOND
        assert not day.counted.failures
        assert_kept(day.counted, office)

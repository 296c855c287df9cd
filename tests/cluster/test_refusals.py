"""Values that can't work are refused in one sentence, and nothing of it is installed."""

import json
import re
from collections.abc import Iterator

import pytest
from tests.cluster.cluster import RELEASE, ROOT, Cluster, CommandError, command

CHART = str(ROOT / "charts/conference")
MANAGED = ("--values", f"{CHART}/ci/managed.yaml")


@pytest.fixture(scope="module")
def elsewhere(cluster: Cluster) -> Iterator[Cluster]:
    """A namespace that stays empty."""
    other = Cluster(f"{cluster.namespace}-refused", cluster.url)
    named = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other.namespace}}
    other.kubectl("apply", "--filename", "-", stdin=json.dumps(named))
    yield other
    command("kubectl", "delete", "namespace", other.namespace, "--wait=false")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--set", "frontend.replicsa=3"), r"'?replicsa'?"),
        (
            ("--set", "frontend.replicas=many"),
            r"frontend:\n- at ./replicas.: got string, want integer",
        ),
        (MANAGED, r"takes \w+ from key \"\w+\" of Secret \"[\w-]+\", which namespace .* not have"),
        (("--set", "global.settings.PUBLIC_URL=http://x", *MANAGED), r"needs an https:// address"),
    ],
    ids=["unknown value", "wrong value", "missing secret", "production without TLS"],
)
def test_install_with_what_cannot_work_is_refused_whole(
    elsewhere: Cluster, options: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(CommandError) as refused:
        elsewhere.helm("install", RELEASE, CHART, *options)
    print(f"\n{str(refused.value).splitlines()[-1]}")
    assert re.search(sentence, str(refused.value))
    assert not json.loads(elsewhere.helm("list", "--output", "json"))
    kinds = "deployments,statefulsets,services,secrets,configmaps,networkpolicies"
    left = {each["metadata"]["name"] for each in elsewhere.get(kinds)["items"]}
    assert left <= {"kube-root-ca.crt"}


def test_kubernetes_that_is_too_old_is_refused() -> None:
    with pytest.raises(CommandError, match="requires kubeVersion: >=1"):
        command("helm", "template", RELEASE, CHART, "--kube-version", "1.24.0")

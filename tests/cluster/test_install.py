"""From nothing into a namespace that lets in no pod with rights; then everybody's stories."""

import os
import subprocess
import sys

from tests.acceptance.site import Site
from tests.cluster.cluster import RELEASE, ROOT, Cluster

RESTRICTED = "pod-security.kubernetes.io/enforce"


def test_every_pod_runs_where_none_may_have_rights(cluster: Cluster) -> None:
    namespace = cluster.get("namespace", cluster.namespace)
    assert namespace["metadata"]["labels"][RESTRICTED] == "restricted"
    pods = cluster.get("pods")["items"]
    for pod in pods:
        security = pod["spec"]["securityContext"]
        assert security["runAsNonRoot"]
        assert security["runAsUser"] > 0
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"], pod["metadata"]["name"]
    restarts = [each["restartCount"] for pod in pods for each in pod["status"]["containerStatuses"]]
    print(f"\n{len(pods)} pods, {sum(restarts)} restarts")


def test_acceptance_tests_pass_through_the_gateway(site: Site) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/acceptance"],
        cwd=ROOT,
        env={
            **os.environ,
            "BASE_URL": site.url,
            "MAIL_URL": site.mail_url,
            "PASSCODE": site.passcode,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stdout[-8000:]
    assert "skipped" not in ended.stdout.splitlines()[-1]
    print(f"\nacceptance tests: {ended.stdout.splitlines()[-1]}")


def test_helm_test_hands_in_a_proposal(cluster: Cluster) -> None:
    said = cluster.helm("test", RELEASE, "--logs")
    assert "Phase:          Succeeded" in said
    assert "Handed in: 201" in said

"""A database that comes later than its service costs no restart and no back-off."""

from datetime import UTC, datetime, timedelta

from tests.acceptance.office import Office
from tests.cluster.cluster import PATIENCE_SECONDS, Cluster, Object
from tests.cluster.support import proposals

from testkit.waiting import wait_for

MIGRATION = "migration"
LATE = timedelta(seconds=30)
"""More than several attempts of a container that crashes would take."""


def waiting_pods(cluster: Cluster) -> list[Object]:
    """Return the pods of c4p-service whose migration has been running for LATE."""
    found = []
    for pod in cluster.pods("c4p-service"):
        for each in pod["status"].get("initContainerStatuses", ()):
            started = each["state"].get("running", {}).get("startedAt")
            if started and datetime.now(UTC) - datetime.fromisoformat(started) > LATE:
                found.append(pod)
    return found


def restarts(pod: Object) -> int:
    status = pod["status"]
    containers = [*status["initContainerStatuses"], *status["containerStatuses"]]
    return sum(each["restartCount"] for each in containers)


def test_migration_waits_for_a_database_that_comes_later(cluster: Cluster, office: Office) -> None:
    before = proposals(office)
    cluster.kubectl("scale", "statefulset/postgresql", "--replicas=0")
    wait_for(lambda: not cluster.all_pods("postgresql"), "no database", PATIENCE_SECONDS, 0.5)
    try:
        cluster.kubectl("rollout", "restart", "deployment/c4p-service")
        pod, *_ = wait_for(lambda: waiting_pods(cluster), "a migration that waits", 120, 1)
        said = cluster.kubectl("logs", pod["metadata"]["name"], "--container", MIGRATION)
        assert said.startswith("Waiting for the database: ")
    finally:
        cluster.kubectl("scale", "statefulset/postgresql", "--replicas=1")
    cluster.wait_until_rolled_out("c4p-service")
    assert [restarts(each) for each in cluster.pods("c4p-service")] == [0, 0]
    assert proposals(office) == before

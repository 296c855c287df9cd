"""A pod that joins has its share of the requests, though those who call keep their connections."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from tests.cluster.cluster import READ_METRICS, Cluster
from tests.cluster.visitors import Visitors

from testkit.waiting import wait_for

SERVICES = ("agenda-service", "c4p-service")
FEWEST, MOST = 0.20, 0.45
"""The share of one pod of three: a third, but for chance."""
REQUESTS = re.compile(
    r'^http_request_duration_seconds_count{(?!.*route="/(?:livez|readyz|info)").*} (\S+)$',
    re.MULTILINE,
)
"""The counters of a pod, without those of its probes."""
AGE = """
import os, time
print(time.time() - os.stat("/proc/1").st_ctime)
"""


def age_seconds(cluster: Cluster, pod: str) -> float:
    """Return how long the service of a pod has been running."""
    return float(cluster.run(pod, "python", "-c", AGE))


def requests(cluster: Cluster, service: str) -> dict[str, float]:
    """Return how many requests each pod of a service has answered, by the pod's name."""
    names = [each["metadata"]["name"] for each in cluster.pods(service)]
    texts = {name: cluster.run(name, "python", "-c", READ_METRICS) for name in names}
    return {name: sum(map(float, REQUESTS.findall(text))) for name, text in texts.items()}


@pytest.fixture
def callers(cluster: Cluster) -> Iterator[None]:
    """Twice as many callers as usual: with few connections, chance alone may miss the bounds."""
    cluster.scale("frontend", 4)
    yield
    cluster.scale("frontend", 2)
    for service in SERVICES:
        cluster.scale(service, 2)


@pytest.mark.usefixtures("callers")
def test_pod_that_joins_has_its_share_after_a_minute(
    cluster: Cluster, visitors: Callable[[], Visitors]
) -> None:
    old = {service: requests(cluster, service).keys() for service in SERVICES}
    with visitors() as day:
        for service in SERVICES:
            cluster.scale(service, 3)
        before = {service: requests(cluster, service) for service in SERVICES}
        new = {service: next(iter(before[service].keys() - old[service])) for service in SERVICES}
        for service in SERVICES:
            wait_for(lambda: age_seconds(cluster, new[service]) > 60, "a minute", 90, 1)  # noqa: B023
        first = {service: requests(cluster, service) for service in SERVICES}
        for service in SERVICES:
            wait_for(lambda: age_seconds(cluster, new[service]) > 180, "two more", 150, 1)  # noqa: B023
        second = {service: requests(cluster, service) for service in SERVICES}
    print()
    for service in SERVICES:
        answered = {pod: second[service][pod] - first[service][pod] for pod in first[service]}
        share = answered[new[service]] / sum(answered.values())
        print(f"{service}: the new pod had {share:.0%} of {json.dumps(answered)}")
        assert FEWEST <= share <= MOST
    assert not day.counted.failures

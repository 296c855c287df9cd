"""Faults of a cluster: what it does to pods, and stores that are stopped, wiped and restarted."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count

import httpx2
import pytest
from tests.acceptance.mails import Mails
from tests.acceptance.office import Office, Talk
from tests.acceptance.programs import program
from tests.acceptance.site import Site
from tests.cluster.cluster import PATIENCE_SECONDS, SERVICES, Cluster, CommandError
from tests.cluster.support import agenda_is_right, assert_kept, failed_on_the_agenda
from tests.cluster.visitors import Visitors

from testkit.problems import problem
from testkit.waiting import wait_for

TOO_MUCH = """
import os, time
open("/proc/1/oom_score_adj", "w").write("1000")
for _ in range(40):
    if not os.fork():
        break
    time.sleep(0.05)
taken = b"x" * (20 << 20)
time.sleep(60)
"""
"""Fills its container with small processes, so that the kernel ends the service; 800 MB at most."""


@pytest.fixture
def client(site: Site) -> Iterator[httpx2.Client]:
    with program(site.url) as made:
        yield made


def names(cluster: Cluster, service: str) -> list[str]:
    return [each["metadata"]["name"] for each in cluster.pods(service)]


def restarts(cluster: Cluster, service: str) -> int:
    pods = cluster.pods(service)
    return sum(each["status"]["containerStatuses"][0]["restartCount"] for each in pods)


def test_pods_that_are_deleted_fail_nobody_on_the_agenda(
    cluster: Cluster, visitors: Callable[[], Visitors], office: Office
) -> None:
    with visitors() as day:
        for service in SERVICES:
            pod, *_ = names(cluster, service)
            # The frontend's with its grace period, since an answer that is under way has no other
            # way to its visitor; the others all of a sudden.
            grace = () if service == "frontend" else ("--grace-period=0", "--force")
            cluster.kubectl("delete", "pod", pod, *grace)
            cluster.wait_until_rolled_out(service)
    print(f"\npods deleted, {day.counted}\n{day.counted.failures}")
    assert not failed_on_the_agenda(day.counted)
    assert_kept(day.counted, office)


def test_containers_that_take_too_much_memory_fail_nobody_on_the_agenda(
    cluster: Cluster, visitors: Callable[[], Visitors], office: Office
) -> None:
    with visitors() as day:
        for service in SERVICES[1:]:
            before = restarts(cluster, service)
            pod, *_ = names(cluster, service)
            with suppress(CommandError):  # it ends with its container
                cluster.run(pod, "python", "-c", TOO_MUCH)
            wait_for(
                lambda: restarts(cluster, service) > before,  # noqa: B023
                f"the end of a container of {service}",
                PATIENCE_SECONDS,
            )
            cluster.wait_until_rolled_out(service)
    print(f"\ncontainers out of memory, {day.counted}\n{day.counted.failures}")
    assert not failed_on_the_agenda(day.counted)
    assert_kept(day.counted, office)


def test_drain_waits_for_the_disruption_budget_and_fails_nobody(
    cluster: Cluster, visitors: Callable[[], Visitors], office: Office
) -> None:
    refused: Counter[str] = Counter()

    def evict(service: str, pod: str) -> bool:
        evicted = cluster.evict(pod)
        refused[service] += not evicted
        return evicted

    with visitors() as day:
        for service in SERVICES:
            for pod in names(cluster, service):
                wait_for(partial(evict, service, pod), f"leave to end {pod}", PATIENCE_SECONDS, 0.2)
            cluster.wait_until_rolled_out(service)
    print(f"\ndrained, evictions refused: {dict(refused)}, {day.counted}")
    assert all(refused[each] for each in SERVICES), (
        "two pods of a service may be unavailable at once"
    )
    assert not day.counted.failures
    assert_kept(day.counted, office)


def test_saved_agenda_answers_without_agenda_service(
    cluster: Cluster, client: httpx2.Client, accepted: dict[str, str]
) -> None:
    def is_saved() -> bool:
        page = client.get("/agenda")
        assert page.status_code == 200
        assert accepted["title"] in page.text
        return "live agenda is unavailable" in page.text

    wait_for(lambda: not is_saved(), "the live agenda", 30)
    # Visitors come while it ends, too.
    cluster.kubectl("scale", "deployment/agenda-service", "--replicas=0")
    try:
        told = time.monotonic()
        wait_for(is_saved, "the note that the agenda is a saved one", 60)
        print(f"\nsaved agenda {time.monotonic() - told:.1f} s after the last pod was told to end")
    finally:
        cluster.scale("agenda-service", 2)
    wait_for(lambda: not is_saved(), "the live agenda", 30)


def test_consistency_job_rebuilds_the_agenda_that_valkey_has_lost(
    cluster: Cluster, office: Office, accepted: dict[str, str], mails: Mails
) -> None:
    office.wait_until_told(accepted)
    subject = "Your proposal is accepted"
    assert len(mails.to(accepted["speaker_email"], subject)) == 1
    assert cluster.run("valkey-0", "valkey-cli", "flushall").strip() == "OK"
    runs = count()

    def is_rebuilt() -> bool:
        # What was decided a moment ago counts as under way, and is left to the next run.
        cluster.run_consistency_job(f"rebuild-{next(runs)}")
        return agenda_is_right(office)

    wait_for(is_rebuilt, "the agenda", PATIENCE_SECONDS, 5)
    print(f"\nagenda rebuilt by {next(runs)} runs of the consistency job")
    assert len(mails.to(accepted["speaker_email"], subject)) == 1


def test_restart_of_postgresql_is_a_503_and_needs_no_restart_of_ours(
    cluster: Cluster, client: httpx2.Client, office: Office, submitted: dict[str, str], talk: Talk
) -> None:
    before = set(names(cluster, "c4p-service")), restarts(cluster, "c4p-service")
    cluster.kubectl("delete", "pod", "postgresql-0", "--wait=false")
    seen = wait_for(
        lambda: answer if (answer := client.get("/api/cfp")).status_code != 200 else None,
        "the absence of PostgreSQL",
        60,
        0.01,
    )
    away = time.monotonic()
    assert problem(seen)[0] == 503
    taken = [submitted]

    def hand_in() -> bool:
        answer = client.post("/api/proposals", json=talk)
        if answer.status_code != 201:
            assert problem(answer)[0] == 503
            return False
        taken.append(answer.json())
        return True

    wait_for(hand_in, "proposals to be taken again", PATIENCE_SECONDS, 0.2)
    print(f"\nPostgreSQL was unavailable for {time.monotonic() - away:.1f} s")
    for each in taken:
        kept = office.proposal(each["id"])
        assert {name: kept[name] for name in talk} == {name: each[name] for name in talk}
    assert (set(names(cluster, "c4p-service")), restarts(cluster, "c4p-service")) == before

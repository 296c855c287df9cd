"""Rate limits on real processes and a real Valkey: shared by replicas, and never in the way."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
from redis import Redis

from frontend.identity.openid import CALLBACK
from testkit.issuer import Issuer
from testkit.problems import problem
from testkit.process import Process, Program
from testkit.waiting import wait_for

from .conftest import Reply, World

LIMITS = {"SUBMISSIONS_PER_TEN_MINUTES": "6", "SIGN_INS_PER_TEN_MINUTES": "6"}
JSON = {"title": "Canaries"}


@pytest.fixture
def world(
    tmp_path: Path, issuer: Issuer, own_valkey: Process, make_frontend: Callable[..., Program]
) -> Iterator[World]:
    with ExitStack() as stack:
        world = World(tmp_path, stack, issuer, own_valkey.url, make_frontend)
        world.c4p.replies["/proposals"] = Reply(201, {})
        yield world


def submit(client: httpx2.Client, **headers: str) -> httpx2.Response:
    return client.post("/api/proposals", json=JSON, headers=headers)


def passed(client: httpx2.Client, count: int, **headers: str) -> list[int]:
    """The statuses of some submissions."""
    return [submit(client, **headers).status_code for _ in range(count)]


def metrics(process: Process) -> str:
    return httpx2.get(f"http://127.0.0.1:{process.program.env['METRICS_PORT']}/metrics").text


def test_limit_is_shared_by_replicas(world: World, own_valkey: Process) -> None:
    first = (world.start(**LIMITS), world.client())[1]
    second = (world.start(**LIMITS), world.client())[1]
    assert passed(first, 3) + passed(second, 3) == [201] * 6
    for client in (first, second):
        answer = submit(client)
        assert problem(answer) == (429, "rate-limited")
        assert 50 <= int(answer.headers["retry-after"]) <= 100
    assert len(world.c4p.received) == 6
    # Another limit, which is not used up.
    assert first.get("/sign-in").status_code == 303
    with Redis.from_url(own_valkey.url, decode_responses=True) as stored:
        keys = list(stored.scan_iter())
        assert len(keys) == 2
        assert not any("127.0.0.1" in f"{key} {stored.get(key)}" for key in keys)
        assert all(0 < stored.pttl(key) <= 600_000 for key in keys)


def test_limit_lets_through_again_when_one_has_worn_off(world: World) -> None:
    world.start(SUBMISSIONS_PER_TEN_MINUTES="200")
    client = world.client()
    assert passed(client, 200) == [201] * 200
    # Some more may pass on a machine so slow that the first have worn off.
    wait_for(lambda: submit(client).status_code == 429, "the limit", pause=0)
    wait_for(lambda: submit(client).status_code == 201, "the next one to pass")


@pytest.mark.parametrize("path", ["/sign-in", f"{CALLBACK}?code=guessed&state=guessed"])
def test_sign_in_is_limited_at_its_start_and_at_its_end(world: World, path: str) -> None:
    world.start(**LIMITS)
    client = world.client()
    statuses = {client.get(path).status_code for _ in range(6)}
    assert 429 not in statuses
    answer = client.get(path)
    assert problem(answer) == (429, "rate-limited")
    page = client.get(path, headers={"Accept": "text/html"})
    assert page.status_code == 429
    assert "<h1>Not so fast</h1>" in page.text
    assert "Please try again in 1 minute" in page.text
    assert page.headers["retry-after"].isdigit()


def test_nobody_is_refused_because_valkey_is_unavailable(world: World, own_valkey: Process) -> None:
    process = world.start(**LIMITS)
    client = world.client()
    assert passed(client, 5) == [201] * 5
    own_valkey.stop()
    # Counted from the start, by this process alone.
    assert passed(client, 6) == [201] * 6
    assert problem(submit(client)) == (429, "rate-limited")
    assert "rate limits are counted by this process alone" in process.log_text()
    alone = 'rate_limit_checks_total{counted="alone",limit="submit",outcome="passed"} 6.0'
    assert alone in metrics(process)
    own_valkey.start()
    wait_for(
        lambda: submit(client).status_code == 201 and 'counted="together"' in metrics(process),
        "the shared count",
    )


def test_frozen_valkey_delays_a_submission_hardly(world: World, own_valkey: Process) -> None:
    world.start(**LIMITS, VALKEY_TIMEOUT_SECONDS="0.3")
    client = world.client()
    own_valkey.send(signal.SIGSTOP)
    answers = [submit(client) for _ in range(4)]
    own_valkey.send(signal.SIGCONT)
    assert [each.status_code for each in answers] == [201] * 4
    assert max(each.elapsed.total_seconds() for each in answers) < 5


def test_strangers_are_not_believed_who_they_are(world: World) -> None:
    world.start(**LIMITS)
    client = world.client()
    for number in range(6):
        assert passed(client, 1, **{"X-Forwarded-For": f"192.0.2.{number}"}) == [201]
    assert passed(client, 1, **{"X-Forwarded-For": "192.0.2.77"}) == [429]


def test_proxies_are_believed_for_whom_they_ask(world: World) -> None:
    world.start(**LIMITS, FORWARDED_ALLOW_IPS="127.0.0.0/8, 10.0.0.1")
    client = world.client()
    one = {"X-Forwarded-For": "192.0.2.1"}
    assert passed(client, 7, **one) == [201] * 6 + [429]
    assert passed(client, 1, **{"X-Forwarded-For": "192.0.2.2"}) == [201]
    # Only what the proxies have added counts, not what the client said before.
    said = {"X-Forwarded-For": "203.0.113.9, 192.0.2.1, 10.0.0.1"}
    assert passed(client, 1, **said) == [429]

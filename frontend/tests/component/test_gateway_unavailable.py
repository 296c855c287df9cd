"""The gateway when the service behind is unavailable: it answers in time, and recovers."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from testkit.waiting import wait_for

from .conftest import LIMIT_SECONDS, World

OPENS_AT = 5
"""How many failures in a row open the breaker."""


def unavailable(response: httpx2.Response) -> bool:
    assert response.status_code in {200, 503}
    if response.status_code == 200:
        return False
    assert response.json()["type"] == "urn:problem:unavailable"
    assert int(response.headers["retry-after"]) >= 1
    return True


@pytest.fixture
def client(world: World) -> httpx2.Client:
    world.start()
    return world.client()


def test_gateway_answers_for_a_service_that_is_gone_and_recovers(
    world: World, client: httpx2.Client
) -> None:
    assert not unavailable(client.get("/api/cfp"))
    world.c4p.stop()
    assert unavailable(client.get("/api/cfp"))
    world.c4p.start()
    wait_for(lambda: not unavailable(client.get("/api/cfp")), "c4p to be back")


def test_gateway_breaker_opens_on_a_frozen_service_and_closes_again(
    world: World, client: httpx2.Client
) -> None:
    assert not unavailable(client.get("/api/cfp"))
    world.c4p.answering.clear()
    started = time.monotonic()
    with ThreadPoolExecutor(OPENS_AT) as pool:
        assert all(map(unavailable, pool.map(client.get, ["/api/cfp"] * OPENS_AT)))
    assert LIMIT_SECONDS / 2 < time.monotonic() - started < 5 * LIMIT_SECONDS
    started = time.monotonic()
    for _ in range(20):
        assert unavailable(client.get("/api/cfp"))
    # Held back by the breaker, apart from the one call a second that looks.
    assert time.monotonic() - started < 5 * LIMIT_SECONDS
    assert client.get("/api/sessions").status_code == 200
    assert client.get("/readyz").status_code == 200
    world.c4p.answering.set()
    wait_for(lambda: not unavailable(client.get("/api/cfp")), "the breaker to close")
    for _ in range(5):
        assert not unavailable(client.get("/api/cfp"))


def test_pages_do_not_wait_for_a_frozen_service_again_and_again(world: World) -> None:
    # A page gives up sooner than the call itself.
    world.start(NEIGHBOUR_SECONDS="30")
    client = world.client()
    world.c4p.answering.clear()
    started = time.monotonic()
    for _ in range(30):
        assert client.get("/").status_code == 200
    # Half of what it took if each waited for as long as a page does.
    assert time.monotonic() - started < 15


def test_visitors_who_leave_do_not_hold_back_who_waits(world: World) -> None:
    # A page gives up sooner than the call itself.
    world.start(NEIGHBOUR_SECONDS="30")
    client = world.client()
    world.c4p.answering.clear()
    with ThreadPoolExecutor(2 * OPENS_AT) as visitors:
        waiting = visitors.submit(client.get, "/api/cfp")
        pages = visitors.map(client.get, ["/"] * (OPENS_AT + 1))
        assert {each.status_code for each in pages} == {200}
        late = visitors.submit(client.get, "/api/cfp")
        world.c4p.answering.set()
        assert not unavailable(waiting.result())
        assert not unavailable(late.result())


def test_gateway_other_services_are_not_harmed(world: World) -> None:
    world.start(NEIGHBOUR_SECONDS="20")
    client = world.client()
    world.c4p.answering.clear()
    with ThreadPoolExecutor(OPENS_AT) as pool:
        waiting = [pool.submit(client.get, "/api/cfp") for _ in range(OPENS_AT)]
        assert client.get("/api/sessions").status_code == 200
        assert client.get("/readyz").status_code == 200
        assert not any(each.done() for each in waiting)
        world.c4p.answering.set()
        assert not any(unavailable(each.result()) for each in waiting)

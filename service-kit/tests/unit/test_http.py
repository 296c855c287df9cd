"""Breaker, retry budget, time limit, and what counts as an absent neighbour."""

import asyncio
from collections.abc import Callable, Coroutine

import httpx2
import pytest
from pydantic import BaseModel

from servicekit import metrics
from servicekit.http import Breaker, Neighbour, NeighbourUnavailableError, RetryBudget


def tripped(at: float) -> Breaker:
    breaker = Breaker(threshold=3, rest_seconds=1)
    for _ in range(3):
        breaker.failed(at)
    return breaker


def test_breaker_trips_after_failures_in_a_row() -> None:
    breaker = Breaker(threshold=3, rest_seconds=1)
    for _ in range(2):
        breaker.failed(0)
    breaker.succeeded()
    for _ in range(2):
        breaker.failed(0)
    assert breaker.allows(0.5)
    breaker.failed(0)
    assert not breaker.allows(0.5)


def test_breaker_lets_one_call_through_after_each_rest() -> None:
    breaker = tripped(at=0)
    assert breaker.allows(1.0)
    assert not breaker.allows(1.1)
    breaker.failed(1.5)
    assert not breaker.allows(2.4)
    assert breaker.allows(2.5)


def test_breaker_counts_a_pause_once_however_many_leave() -> None:
    breaker = Breaker(threshold=3, rest_seconds=1)
    for _ in range(9):
        breaker.left(10.0)
    assert breaker.allows(10.5)
    for now in (11.0, 11.9, 12.0):
        breaker.left(now)
    assert not breaker.allows(12.5)


def test_breaker_closes_when_a_call_is_answered() -> None:
    breaker = tripped(at=0)
    breaker.succeeded()
    assert not breaker.is_open
    assert breaker.allows(0)


def test_budget_allows_a_share_after_its_burst() -> None:
    budget = RetryBudget(ratio=0.25, burst=2)
    assert [budget.take() for _ in range(3)] == [True, True, False]
    for _ in range(4):
        budget.called()
    assert [budget.take() for _ in range(2)] == [True, False]


def neighbour(
    handler: Callable[[httpx2.Request], httpx2.Response]
    | Callable[[httpx2.Request], Coroutine[None, None, httpx2.Response]],
) -> Neighbour:
    return Neighbour(
        "there",
        "http://there.example",
        timeout_seconds=0.2,
        transport=httpx2.MockTransport(handler),
    )


class Line:
    """A neighbour whose first `broken` connections fail."""

    def __init__(self, broken: int) -> None:
        self.calls = 0
        self._broken = broken

    def __call__(self, _: httpx2.Request) -> httpx2.Response:
        self.calls += 1
        if self.calls <= self._broken:
            raise httpx2.ConnectError("refused")
        return httpx2.Response(200, json={"name": "x"})


async def test_neighbour_is_asked_again_when_the_call_may_be_repeated() -> None:
    line = Line(broken=1)
    answer = await neighbour(line).request("GET", "/")
    assert (answer.status_code, line.calls) == (200, 2)


async def test_connection_that_is_gone_as_soon_as_it_is_made_is_a_broken_one() -> None:
    def gone(_: httpx2.Request) -> httpx2.Response:
        raise AttributeError("'NoneType' object has no attribute 'getpeername'")

    with pytest.raises(NeighbourUnavailableError):
        await neighbour(gone).request("GET", "/")


async def test_neighbour_is_asked_again_under_an_idempotency_key() -> None:
    line = Line(broken=1)
    await neighbour(line).request("POST", "/", headers={"Idempotency-Key": "k"})
    assert line.calls == 2


async def test_neighbour_is_asked_once_when_repeating_might_double() -> None:
    line = Line(broken=1)
    with pytest.raises(NeighbourUnavailableError, match="there is unavailable: ConnectError"):
        await neighbour(line).request("POST", "/")
    assert line.calls == 1


async def test_neighbour_is_left_to_rest_after_repeated_failures() -> None:
    line = Line(broken=100)
    there = neighbour(line)
    for _ in range(10):
        with pytest.raises(NeighbourUnavailableError):
            await there.request("POST", "/")
    assert line.calls == 5
    assert there.breaker.is_open


async def test_neighbour_has_one_time_limit_for_both_attempts() -> None:
    calls = 0

    async def late(_: httpx2.Request) -> httpx2.Response:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.15)
        if calls == 1:
            raise httpx2.ReadError("gone")
        return httpx2.Response(200)

    with pytest.raises(NeighbourUnavailableError, match=r"TimeoutError|ReadError"):
        await neighbour(late).request("GET", "/")


async def test_neighbour_that_never_answers_is_unavailable_in_time() -> None:
    async def hang(_: httpx2.Request) -> httpx2.Response:
        await asyncio.Event().wait()
        raise AssertionError

    there = Neighbour(
        "there",
        "http://there.example",
        timeout_seconds=0.05,
        transport=httpx2.MockTransport(hang),
    )
    with pytest.raises(NeighbourUnavailableError, match="TimeoutError"):
        await there.request("GET", "/")


async def test_call_that_its_caller_gives_up_counts_as_failed() -> None:
    async def hang(_: httpx2.Request) -> httpx2.Response:
        await asyncio.Event().wait()
        raise AssertionError

    there = Neighbour(
        "hanging",
        "http://there.example",
        timeout_seconds=5,
        transport=httpx2.MockTransport(hang),
    )
    there.breaker = Breaker(threshold=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await there.request("GET", "/")
    assert there.breaker.is_open
    assert metrics.CALLS.labels("hanging", "failed")._value.get() == 1  # noqa: SLF001 - no other way


class Named(BaseModel):
    name: str


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"name": 7}', b'{"other": "x"}', b"\xff"])
def test_answer_that_is_nonsense_is_an_absent_neighbour(body: bytes) -> None:
    there = neighbour(lambda _: httpx2.Response(200))
    with pytest.raises(NeighbourUnavailableError, match="not understood"):
        there.parse(Named, httpx2.Response(200, content=body))


def test_answer_as_promised_is_parsed() -> None:
    there = neighbour(lambda _: httpx2.Response(200))
    assert there.parse(Named, httpx2.Response(200, json={"name": "x"})) == Named(name="x")

"""Connections to another service are given up at an age, which cuts off no request."""

import asyncio
from itertools import cycle

import httpx2

from servicekit.connection_age import POOLS, RotatingTransport

AGE_SECONDS = 30


class Pool(httpx2.AsyncBaseTransport):
    """A pool of connections that answers once it may."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.requests = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.closed = asyncio.Event()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        await self.answers.wait()
        assert not self.closed.is_set()
        return httpx2.Response(200)

    async def aclose(self) -> None:
        self.closed.set()


class Client:
    """A client with a clock of its own, and all pools that it has made so far."""

    def __init__(self, longest_seconds: float = 60) -> None:
        self.now = 1000.0
        self.pools: list[Pool] = []
        draws = cycle([0.0, 0.25, 0.5, 0.75])
        self.transport = RotatingTransport(
            self._make,
            AGE_SECONDS,
            longest_seconds,
            now=lambda: self.now,
            draw=lambda: next(draws),
        )

    def _make(self) -> Pool:
        self.pools.append(Pool(len(self.pools)))
        return self.pools[-1]

    async def ask(self, times: int = 1) -> None:
        for _ in range(times):
            request = httpx2.Request("GET", "http://service/")
            await self.transport.handle_async_request(request)


async def test_requests_go_through_all_pools_in_rotation() -> None:
    client = Client()
    await client.ask(3 * POOLS)
    assert [each.requests for each in client.pools] == [3] * POOLS
    await client.transport.aclose()


async def test_pools_are_kept_for_half_of_their_age_at_least() -> None:
    client = Client()
    await client.ask(POOLS)
    client.now += AGE_SECONDS / 2 - 0.01
    await client.ask(POOLS)
    assert len(client.pools) == POOLS
    await client.transport.aclose()


async def test_pools_are_replaced_at_their_age_at_the_latest() -> None:
    client = Client()
    await client.ask(POOLS)
    client.now += AGE_SECONDS
    await client.ask(POOLS)
    assert [each.requests for each in client.pools] == [1] * 2 * POOLS
    await client.transport.aclose()


async def test_pools_are_replaced_at_different_times() -> None:
    client = Client()
    await client.ask(POOLS)
    made = []
    client.now += AGE_SECONDS / 2
    for _ in range(4):
        await client.ask(POOLS)
        made.append(len(client.pools))
        client.now += AGE_SECONDS / 8
    assert made == [POOLS + 2, POOLS + 4, POOLS + 6, POOLS + 8]
    await client.transport.aclose()


async def test_request_under_way_is_not_cut_off_by_the_replacement() -> None:
    client = Client(longest_seconds=0.05)
    await client.ask(POOLS)
    old = client.pools[0]
    old.answers.clear()
    slow = asyncio.create_task(client.ask())
    await asyncio.sleep(0)
    client.now += AGE_SECONDS
    await client.ask(POOLS)
    assert not old.closed.is_set()
    old.answers.set()
    await slow
    await old.closed.wait()
    await client.transport.aclose()


async def test_closing_closes_pools_that_were_replaced_too() -> None:
    client = Client()
    await client.ask(POOLS)
    client.now += AGE_SECONDS
    await client.ask(POOLS)
    await client.transport.aclose()
    assert all(each.closed.is_set() for each in client.pools)

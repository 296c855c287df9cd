"""Connections to a service that are replaced in time, so that each of its pods has its share.

A connection leads to one pod as long as it is open, and which one is decided when it is made. A
pod that joins would get no request from a client that keeps its connections.
"""

import asyncio
import random
from collections.abc import Callable
from time import monotonic

import httpx2

POOLS = 8
"""The number of pools that are used in rotation: a client that sends one request at a time still
reaches several pods, and does not make all of its connections anew at once.
"""


class RotatingTransport(httpx2.AsyncBaseTransport):
    """A transport that sends requests through several others in rotation, each replaced in time.

    `make` makes one that keeps connections. It is used for `age_seconds` at most, and for half of
    that at least: chance decides, so that many clients do not connect anew together. It is closed
    `longest_seconds` later, within which time each of its requests has to end. `now` is a clock in
    seconds that never goes back, `draw` a random number from 0 to 1.
    """

    def __init__(
        self,
        make: Callable[[], httpx2.AsyncBaseTransport],
        age_seconds: float,
        longest_seconds: float,
        now: Callable[[], float] = monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._make = make
        self._age_seconds = age_seconds
        self._longest_seconds = longest_seconds
        self._now = now
        self._draw = draw
        self._requests = 0
        self._pools: dict[int, httpx2.AsyncBaseTransport] = {}
        self._replace_at: dict[int, float] = {}
        self._replaced: dict[httpx2.AsyncBaseTransport, asyncio.Task[None]] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send `request` through the next pool."""
        self._requests += 1
        number = self._requests % POOLS
        if self._now() >= self._replace_at.get(number, 0):
            self._replace(number)
        return await self._pools[number].handle_async_request(request)

    def _replace(self, number: int) -> None:
        old = self._pools.get(number)
        if old is not None:
            self._replaced[old] = asyncio.create_task(self._close_when_unused(old))
        self._pools[number] = self._make()
        self._replace_at[number] = self._now() + self._age_seconds * (0.5 + self._draw() / 2)

    async def _close_when_unused(self, pool: httpx2.AsyncBaseTransport) -> None:
        await asyncio.sleep(self._longest_seconds)
        del self._replaced[pool]
        await pool.aclose()

    async def aclose(self) -> None:
        """Close all of them now."""
        for task in self._replaced.values():
            task.cancel()
        for pool in (*self._replaced, *self._pools.values()):
            await pool.aclose()
        self._replaced.clear()

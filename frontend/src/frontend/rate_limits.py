"""How often one network may do what costs others: counted in Valkey, by all replicas together."""

import asyncio
import hmac
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import timedelta
from time import monotonic, time
from typing import Annotated, Protocol

import structlog
from fastapi import Depends, Request
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from frontend.domain import RateLimit, admit, network_of
from frontend.wording import length_of_time
from servicekit.http import Breaker

SUBMIT, SIGN_IN = "submit", "sign-in"
MOST_COUNTED_ALONE = 10_000
CHECKS = Counter(
    "rate_limit_checks_total",
    "Requests by what a rate limit said; counted together, or alone while Valkey is unavailable",
    ["limit", "outcome", "counted"],
)

# The same as `frontend.domain.admit`, by the one clock that all replicas share.
_ADMIT = """#!lua
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + tonumber(ARGV[1])
local wait = due - now - tonumber(ARGV[2])
if wait > 0 then
    return wait
end
redis.call('SET', KEYS[1], due, 'PX', due - now)
return 0
"""


log = structlog.get_logger()


class RateLimitedError(Exception):
    """Too many came from one network."""

    def __init__(self, wait_ms: int) -> None:
        self.retry_after_seconds = math.ceil(wait_ms / 1000)
        wait = length_of_time(timedelta(seconds=self.retry_after_seconds))
        super().__init__(f"Too many came from your network just now. Please try again in {wait}.")


class CountsUnavailableError(Exception):
    """Valkey can't be asked just now."""


class Counts(Protocol):
    """What has been let through, by key."""

    async def wait_ms(self, key: str, limit: RateLimit) -> int:
        """Let one more through, or say how long to wait; CountsUnavailableError."""


class SharedCounts:
    """In Valkey, for which a submission waits `timeout_seconds` at most."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        # What fails is counted by this process instead, which is sooner than another attempt.
        self._client = Redis.from_url(
            url, protocol=2, socket_timeout=None, retry=Retry(NoBackoff(), 0)
        )
        self._admit = self._client.register_script(_ADMIT)
        self._breaker = Breaker(threshold=1)

    async def wait_ms(self, key: str, limit: RateLimit) -> int:
        """In one step, so that no two replicas let the same one through."""
        if not self._breaker.allows(monotonic()):
            raise CountsUnavailableError
        try:
            async with asyncio.timeout(self._timeout_seconds):
                wait = await self._admit(keys=[key], args=[limit.interval_ms, limit.period_ms])
        except (RedisError, TimeoutError) as error:
            self._breaker.failed(monotonic())
            log.warning("rate limits are counted by this process alone", reason=repr(error))
            raise CountsUnavailableError from error
        self._breaker.succeeded()
        return int(wait)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()


class OwnCounts:
    """In this process; bounded, so that many networks can't fill its memory."""

    def __init__(self, now: Callable[[], float] = time) -> None:
        self._now = now
        self._due: OrderedDict[str, int] = OrderedDict()

    async def wait_ms(self, key: str, limit: RateLimit) -> int:
        """As the other, with the clock of this process."""
        self._due[key], wait = admit(self._due.get(key, 0), int(self._now() * 1000), limit)
        self._due.move_to_end(key)
        if len(self._due) > MOST_COUNTED_ALONE:
            self._due.popitem(last=False)
        return wait


class RateLimits:
    """Counts by network, whose address is stored nowhere: `key` hides it.

    While Valkey is unavailable each process counts for itself; nobody is refused for that.
    """

    def __init__(self, shared: Counts, key: str, limits: Mapping[str, RateLimit]) -> None:
        self._shared = shared
        self._own = OwnCounts()
        self._key = key.encode()
        self._limits = limits

    async def check(self, name: str, address: str) -> None:
        """Count one more from `address`, or RateLimitedError."""
        limit = self._limits[name]
        network = hmac.digest(self._key, f"{name} {network_of(address)}".encode(), "sha256")
        key = f"{{frontend}}:limit:{name}:{network.hex()}"
        try:
            counted, wait = "together", await self._shared.wait_ms(key, limit)
        except CountsUnavailableError:
            counted, wait = "alone", await self._own.wait_ms(key, limit)
        CHECKS.labels(name, "refused" if wait else "passed", counted).inc()
        if wait:
            raise RateLimitedError(wait)


class Attempts:
    """Those of the client who sent this request."""

    def __init__(self, limits: RateLimits, address: str) -> None:
        self._limits = limits
        self._address = address

    async def count(self, name: str) -> None:
        """One more, or RateLimitedError."""
        await self._limits.check(name, self._address)


async def get_attempts(request: Request) -> Attempts:
    """Those of `request`'s client, as the proxies in front tell who that is."""
    return Attempts(request.app.state.limits, request.client.host if request.client else "")


TheAttempts = Annotated[Attempts, Depends(get_attempts)]


async def count_sign_in(attempts: TheAttempts) -> None:
    """For the dependencies of a route by which people sign in."""
    await attempts.count(SIGN_IN)

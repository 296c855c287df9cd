"""Counts for rate limits: in Valkey, by all replicas together, or in this process alone."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic, time
from typing import Protocol

import structlog

from frontend.domain import RateLimit, admit
from servicekit.http import Breaker
from servicekit.valkey import Valkey

MOST_COUNTED_ALONE = 10_000

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


class CountsUnavailableError(Exception):
    """Valkey can't be asked just now."""


class Counts(Protocol):
    """The requests that have been let through, by key."""

    async def wait_ms(self, key: str, limit: RateLimit) -> int:
        """Let one more through, or say how long to wait; CountsUnavailableError."""


class SharedCounts:
    """In Valkey, for which a submission waits `timeout_seconds` at most."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        # What fails is counted by this process instead, which is sooner than another attempt.
        self._valkey = Valkey(url, timeout_seconds, CountsUnavailableError, retries=0)
        self._admit = self._valkey.script(_ADMIT)
        self._breaker = Breaker(threshold=1)

    async def wait_ms(self, key: str, limit: RateLimit) -> int:
        """In one step, so that no two replicas let the same one through."""
        if not self._breaker.allows(monotonic()):
            raise CountsUnavailableError
        try:
            wait = await self._admit([key], [limit.interval_ms, limit.period_ms])
        except CountsUnavailableError as error:
            self._breaker.failed(monotonic())
            log.warning("rate limits are counted by this process alone", reason=str(error))
            raise
        self._breaker.succeeded()
        return int(wait)

    async def close(self) -> None:
        """Give the connections back."""
        await self._valkey.close()


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

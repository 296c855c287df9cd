"""A client of Valkey whose calls end in time, and fail with one exception: the service's own.

It needs the extra `service-kit[valkey]`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, Self

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

MAX_CONNECTIONS = 32


class Unavailable(Protocol):
    """Make the exception that a failed call raises."""

    def __call__(self, reason: str, /) -> Exception: ...


class Script(Protocol):
    """A Lua script, which Valkey runs as one step."""

    def __call__(self, keys: Sequence[str], args: Sequence[str | bytes | int]) -> Awaitable[Any]:
        """Run it; the result is what it returns."""


class Valkey:
    """A client of one Valkey, and its connections; as a context manager it closes them.

    Every call takes `timeout_seconds` at most: from waiting for a connection to the last byte of
    the answer. When it fails, whatever the reason, it raises what `unavailable` makes of the
    reason, a short text; what it should have changed may have been changed all the same.
    """

    def __init__(
        self, url: str, timeout_seconds: float, unavailable: Unavailable, *, retries: int = 1
    ) -> None:
        """`retries` are made at once, and only when the connection was broken.

        One is enough for a kept connection that ended with the server's last restart.
        """
        self._timeout_seconds = timeout_seconds
        self._unavailable = unavailable
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            # One limit for the whole of a call, in `commands`: these would add up.
            timeout=None,
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), retries, supported_errors=(RedisConnectionError,)),
            # With RESP3 the pool no longer looks whether a kept connection has ended.
            protocol=2,
            decode_responses=True,
        )
        self._client: Redis = Redis.from_pool(pool)

    @asynccontextmanager
    async def commands(self) -> AsyncIterator[Redis]:
        """The client, for commands that share one time limit."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                yield self._client
        except (RedisError, TimeoutError) as error:
            structlog.get_logger().warning("valkey is unavailable", reason=repr(error))
            raise self._unavailable(type(error).__name__) from error

    def script(self, text: str) -> Script:
        """Return a function that runs the Lua script `text`, with the time limit of a call."""
        registered = self._client.register_script(text)

        async def run(keys: Sequence[str], args: Sequence[str | bytes | int]) -> Any:
            async with self.commands():
                return await registered(keys=keys, args=args)

        return run

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

"""Calls to other services: every one has a time limit, a retry budget and a circuit breaker."""

import asyncio
import ssl
import sys
from collections.abc import Mapping
from functools import cache
from time import monotonic
from typing import Any, Protocol, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from servicekit import metrics
from servicekit.connection_age import POOLS, RotatingTransport

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
BROKEN_CONNECTION = (httpx2.NetworkError, httpx2.ProtocolError, AttributeError)
"""What a call ends with when its connection does. The last comes of one that is gone as soon as it
is made: the client asks it for its addresses, and it has no socket any more (anyio on uvloop).
"""

CONNECTION_AGE_SECONDS = 30.0
MAX_CONNECTIONS = 128


class NeighbourUnavailableError(Exception):
    """Another service could not be reached, answered too late, or answered nonsense."""

    def __init__(self, neighbour: str, reason: str) -> None:
        super().__init__(f"{neighbour} is unavailable: {reason}")
        self.neighbour = neighbour
        self.reason = reason


class Breaker:
    """Holds calls back after `threshold` failures in a row, then lets one through to look."""

    def __init__(self, threshold: int = 5, rest_seconds: float = 1.0) -> None:
        self._threshold = threshold
        self._rest_seconds = rest_seconds
        self._failures = 0
        self._closed_until = 0.0
        self._leaving_counts_from = 0.0

    @property
    def is_open(self) -> bool:
        """True when it has tripped; it stays so until a call has succeeded."""
        return self._failures >= self._threshold

    def allows(self, now: float) -> bool:
        """Return whether a call may go out at `now`; while open, one each time the rest is over."""
        if not self.is_open:
            return True
        if now < self._closed_until:
            return False
        self._closed_until = now + self._rest_seconds
        return True

    def succeeded(self) -> None:
        """A call was answered."""
        self._failures = 0

    def failed(self, now: float) -> None:
        """A call was not answered."""
        self._failures += 1
        if self.is_open:
            self._closed_until = now + self._rest_seconds

    def left(self, now: float) -> None:
        """A caller did not wait for the answer.

        All who leave within one rest have met the same pause, which counts once: many impatient
        callers at once must not hold back those who would have waited a little longer.
        """
        if now >= self._leaving_counts_from:
            self._leaving_counts_from = now + self._rest_seconds
            self.failed(now)


class RetryBudget:
    """Retries may be a tenth of the calls, and a few at once: a retry storm can't start."""

    def __init__(self, ratio: float = 0.1, burst: float = 5.0) -> None:
        self._ratio = ratio
        self._burst = burst
        self._tokens = burst

    def called(self) -> None:
        """A first attempt went out."""
        self._tokens = min(self._burst, self._tokens + self._ratio)

    def take(self) -> bool:
        """Return whether one more attempt may go out."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


ModelT = TypeVar("ModelT", bound=BaseModel)


@cache
def trusted() -> ssl.SSLContext:
    """Return the believed certificates: the system's authorities, or SSL_CERT_FILE's alone.

    One for the whole process, since to read them takes longer than to answer a request. A file
    that has none ends the process with a sentence.
    """
    try:
        return httpx2.create_ssl_context()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        sys.exit(f"The setting SSL_CERT_FILE is wrong ({reason}): it is a file of certificates.")


class Credentials(Protocol):
    """The source of the token by which this process shows who it is."""

    async def token(self) -> str:
        """A token that is good just now, or NeighbourUnavailableError."""
        ...

    def forget(self, token: str) -> None:
        """The token was refused."""
        ...


class Neighbour:
    """Another service, as this one sees it."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        timeout_seconds: float,
        connection_age_seconds: float = CONNECTION_AGE_SECONDS,
        transport: httpx2.AsyncBaseTransport | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        """With `credentials` every call that is not made in another name carries theirs."""

        def pool() -> httpx2.AsyncBaseTransport:
            limits = httpx2.Limits(
                max_connections=MAX_CONNECTIONS // POOLS, keepalive_expiry=connection_age_seconds
            )
            return httpx2.AsyncHTTPTransport(verify=trusted(), limits=limits, trust_env=False)

        self.name = name
        self._credentials = credentials
        self.breaker = Breaker()
        self._budget = RetryBudget()
        self._timeout_seconds = timeout_seconds
        self._client = httpx2.AsyncClient(
            base_url=base_url,
            timeout=httpx2.Timeout(timeout_seconds, connect=min(1.0, timeout_seconds)),
            follow_redirects=False,
            trust_env=False,
            transport=transport or RotatingTransport(pool, connection_age_seconds, timeout_seconds),
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
    ) -> httpx2.Response:
        """One answer of whatever status, or NeighbourUnavailableError within the time limit.

        The limit is for a call with its repetition. It begins anew after a 401, and to get a token
        has the provider's own.

        A call that may be repeated (by its method or its Idempotency-Key) is repeated once when
        the connection failed and the budget allows it. It is made in the name of `credentials`, or
        of whoever an Authorization header names. Where a token is refused, whatever the method,
        the call is made once more with the next one if that is another: a 401 has done nothing.
        """

        def build(token: str | None = None) -> httpx2.Request:
            named = {"Authorization": f"Bearer {token}"} if token else {}
            all_headers = {**(headers or {}), **named}
            return self._client.build_request(
                method, path, json=json, content=content, params=params, headers=all_headers
            )

        asking = credentials or self._credentials
        if asking is None or "Authorization" in (headers or {}):
            return await self._send(build())
        token = await asking.token()
        response = await self._send(build(token))
        if response.status_code != 401:
            return response
        asking.forget(token)
        if (another := await asking.token()) == token:
            return response
        return await self._send(build(another))

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        may_repeat = request.method in IDEMPOTENT or "Idempotency-Key" in request.headers
        self._budget.called()
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        while True:
            try:
                return await self._once(request, deadline)
            except NeighbourUnavailableError as error:
                failed_fast = isinstance(error.__cause__, BROKEN_CONNECTION)
                if not (may_repeat and failed_fast and self._budget.take()):
                    raise
                may_repeat = False

    async def _once(self, request: httpx2.Request, deadline: float) -> httpx2.Response:
        if not self.breaker.allows(monotonic()):
            self._count("held back")
            raise NeighbourUnavailableError(self.name, "it failed repeatedly and is left to rest")
        try:
            # httpx limits each read; a neighbour that drips bytes is caught by the whole's limit.
            async with asyncio.timeout_at(deadline):
                response = await self._client.send(request)
        except asyncio.CancelledError:
            # Most often the caller's own time limit, which came before the one here.
            self.breaker.left(monotonic())
            self._count("failed")
            raise
        except (httpx2.HTTPError, *BROKEN_CONNECTION, TimeoutError) as error:
            self._failed()
            raise NeighbourUnavailableError(self.name, type(error).__name__) from error
        self.breaker.succeeded()
        self._count("answered")
        return response

    def _failed(self) -> None:
        self.breaker.failed(monotonic())
        self._count("failed")

    def _count(self, outcome: str) -> None:
        metrics.CALLS.labels(self.name, outcome).inc()
        metrics.BREAKER.labels(self.name).set(self.breaker.is_open)

    def parse(self, kind: type[ModelT], response: httpx2.Response) -> ModelT:
        """The body as `kind`; a body that is something else is a NeighbourUnavailableError."""
        try:
            return kind.model_validate_json(response.content)
        except ValidationError as error:
            raise NeighbourUnavailableError(
                self.name, f"its answer {response.status_code} is not understood"
            ) from error

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

"""Rate limits for each network, counted in Valkey by all replicas together."""

import hmac
from collections.abc import Mapping

from prometheus_client import Counter

from frontend.domain import RateLimit, RateLimitedError, network_of
from frontend.store.rate_limits import Counts, CountsUnavailableError, OwnCounts

SUBMIT, SIGN_IN = "submit", "sign-in"
CHECKS = Counter(
    "rate_limit_checks_total",
    "Requests by what a rate limit said; counted together, or alone while Valkey is unavailable",
    ["limit", "outcome", "counted"],
)


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

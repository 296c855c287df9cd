"""The tokens of who is signed in: kept in Valkey, encrypted, and renewed before they end."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from weakref import WeakValueDictionary

import structlog
from pydantic import TypeAdapter
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from frontend.domain import SignInRequiredError
from frontend.openid import OpenId, Tokens
from frontend.sealing import Seal, restored
from frontend.session import LIFETIME, Person
from servicekit.http import NeighbourUnavailableError
from servicekit.provider import GrantRefusedError

STORE = "session store"
MAX_COPIES = 2000
ENDED = ""
"""What is kept of a session that has ended, until its cookies have: a store that has lost its data
says nothing, so that replicas with copies of the tokens can tell the one from the other.
"""
# A renewal that is under way when somebody signs out must not bring the session back.
_PUT = """#!lua
if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""
PAUSE_SECONDS = 5.0
"""How long nobody is asked again to renew what the provider could not renew just now."""

_TOKENS = TypeAdapter(Tokens)

log = structlog.get_logger()


class TokenStore:
    """Valkey, where every replica finds the tokens; what lies there opens with the session key
    alone. Its methods raise NeighbourUnavailableError, after `timeout_seconds` at the latest.
    """

    def __init__(self, url: str, key: str, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._seal = Seal(key, "tokens")
        self._client = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=None,
            socket_connect_timeout=None,
            # Once, and at once: a kept connection may have ended with the server's last restart.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
            protocol=2,
        )
        self._put = self._client.register_script(_PUT)

    async def put(self, handle: str, tokens: Tokens) -> None:
        """Keep `tokens` as long as a session may last; SignInRequiredError where it has ended."""
        value = {**asdict(tokens), "handle": handle}
        text = self._seal.close(value, datetime.now(UTC) + LIFETIME)
        seconds = int(LIFETIME.total_seconds())
        async with self._bounded():
            is_kept = await self._put(keys=[_name(handle)], args=[ENDED, text, seconds])
        if not is_kept:
            raise SignInRequiredError

    async def get(self, handle: str) -> Tokens | None:
        """What is kept; None where nothing is, SignInRequiredError where the session has ended."""
        async with self._bounded():
            text = await self._client.get(_name(handle))
        if text == ENDED:
            raise SignInRequiredError
        value = self._seal.open(str(text), datetime.now(UTC)) if text else None
        # Who can write to Valkey must not turn one session into another.
        if value is None or value.pop("handle", None) != handle:
            return None
        return restored(_TOKENS, value)

    async def end(self, handle: str) -> None:
        """Keep nothing but that the session has ended."""
        async with self._bounded():
            await self._client.set(_name(handle), ENDED, ex=LIFETIME)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                yield
        except (RedisError, TimeoutError) as error:
            raise NeighbourUnavailableError(STORE, type(error).__name__) from error


def _name(handle: str) -> str:
    # Who reads Valkey's keys must not learn what the cookies hold.
    return f"{{frontend}}:tokens:{sha256(handle.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True)
class SessionCredentials:
    """The access token of a session, for calls in the name of its person."""

    _wallet: "Wallet"
    _person: Person

    async def token(self) -> str:
        """As `Wallet.access_token`, with its errors."""
        return await self._wallet.access_token(self._person)

    def forget(self, token: str) -> None:
        """A service refused `token`."""
        self._wallet.forget(self._person, token)


class Wallet:
    """The access token of each person, good for the next call.

    This process keeps copies, so that nobody is signed out by an absence of Valkey.
    """

    def __init__(
        self, openid: OpenId, store: TokenStore, *, now: Callable[[], float] = time.time
    ) -> None:
        self._openid = openid
        self._store = store
        self._now = now
        self._copies: OrderedDict[str, Tokens] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def put(self, person: Person, tokens: Tokens) -> None:
        """Keep the tokens of a session that begins, or goes on; SignInRequiredError if it ended."""
        self._copy(person.handle, tokens)
        try:
            await self._store.put(person.handle, tokens)
        except SignInRequiredError:
            self._copies.pop(person.handle, None)
            raise
        except NeighbourUnavailableError as error:
            log.warning("tokens are kept by this process alone", reason=str(error))

    async def access_token(self, person: Person) -> str:
        """A token for a call in the name of `person`.

        SignInRequiredError when the session has ended at the provider, NeighbourUnavailableError
        when the provider or the store are unavailable and there is nothing left that is good.
        """
        if (known := self._fresh(person.handle)) is not None:
            return known
        lock = self._locks.setdefault(person.handle, asyncio.Lock())
        async with lock:
            if (known := self._fresh(person.handle)) is not None:
                return known
            return await self._renewed(person)

    def of(self, person: Person) -> SessionCredentials:
        """What services want to see of `person`."""
        return SessionCredentials(self, person)

    def forget(self, person: Person, access_token: str) -> None:
        """Let `access_token` be renewed before it is used again: its keys were withdrawn, say."""
        known = self._copies.get(person.handle)
        if known is not None and known.access == access_token:
            self._copies[person.handle] = replace(known, replace_at=0, ends_at=0)

    async def take(self, person: Person) -> Tokens | None:
        """The latest tokens of a session that ends; None where they can't be had."""
        try:
            tokens = await self._latest(person.handle)
        except (NeighbourUnavailableError, SignInRequiredError):
            tokens = None
        self._copies.pop(person.handle, None)
        try:
            await self._store.end(person.handle)
        except NeighbourUnavailableError as error:
            log.warning("tokens are forgotten when they end", reason=str(error))
        return tokens

    def _fresh(self, handle: str) -> str | None:
        known = self._copies.get(handle)
        return known.access if known is not None and self._now() < known.replace_at else None

    async def _renewed(self, person: Person) -> str:
        tokens = await self._latest(person.handle)
        if self._now() >= tokens.replace_at:
            try:
                tokens = await self._openid.refresh(tokens)
            except GrantRefusedError as error:
                tokens = await self._renewed_elsewhere(person, tokens, error)
            except NeighbourUnavailableError:
                if self._now() >= tokens.ends_at:
                    raise
                later = min(self._now() + PAUSE_SECONDS, tokens.ends_at)
                tokens = replace(tokens, replace_at=later)
                self._copy(person.handle, tokens)
                return tokens.access
            await self.put(person, tokens)
        self._copy(person.handle, tokens)
        return tokens.access

    async def _latest(self, handle: str) -> Tokens:
        """What is kept of a session, here or in Valkey, whichever lives longer."""
        own = self._copies.get(handle)
        try:
            kept = await self._store.get(handle)
        except NeighbourUnavailableError:
            if own is None:
                raise
            kept = None
        except SignInRequiredError:
            self._copies.pop(handle, None)
            raise
        if own is not None and kept is not None and own.access == kept.access:
            # Valkey knows neither that it was refused nor that it could not be renewed just now.
            return own
        found = [each for each in (own, kept) if each is not None]
        if not found:
            raise SignInRequiredError
        return max(found, key=lambda each: each.ends_at)

    async def _renewed_elsewhere(
        self, person: Person, before: Tokens, error: GrantRefusedError
    ) -> Tokens:
        """Tokens that another replica got, for which the provider refuses the ones before."""
        try:
            kept = await self._store.get(person.handle)
        except NeighbourUnavailableError:
            kept = None
        if kept is not None and kept.access != before.access and self._now() < kept.replace_at:
            return kept
        log.info("session ended at the provider", subject=person.subject, reason=str(error))
        await self.take(person)
        raise SignInRequiredError from error

    def _copy(self, handle: str, tokens: Tokens) -> None:
        self._copies[handle] = tokens
        self._copies.move_to_end(handle)
        if len(self._copies) > MAX_COPIES:
            self._copies.popitem(last=False)

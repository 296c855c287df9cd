"""The tokens of who is signed in: kept in Valkey, encrypted, and renewed before they end."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

import structlog

from frontend.domain import Person, SignInRequiredError, Tokens
from frontend.identity.openid import OpenId
from frontend.store.tokens import TokenStore
from servicekit.http import NeighbourUnavailableError
from servicekit.provider import GrantRefusedError

MAX_COPIES = 2000
PAUSE_SECONDS = 5.0
"""How long nobody is asked again to renew what the provider could not renew just now."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SessionCredentials:
    """The access token of a session, for calls in the name of its person."""

    _access_tokens: "AccessTokens"
    _person: Person

    async def token(self) -> str:
        """As `AccessTokens.access_token`, with its errors."""
        return await self._access_tokens.access_token(self._person)

    def forget(self, token: str) -> None:
        """A service refused `token`."""
        self._access_tokens.forget(self._person, token)


class AccessTokens:
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
        """Return what services want to see of `person`."""
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
        """Return what is kept of a session, here or in Valkey, whichever lives longer."""
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

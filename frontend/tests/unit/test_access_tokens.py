"""Access tokens are renewed before they end, once, and outlive what is unavailable."""

import asyncio

import pytest

from frontend.domain import Person, SignInRequiredError, Tokens
from frontend.identity.access_tokens import PAUSE_SECONDS
from servicekit.http import NeighbourUnavailableError

from .conftest import FakeProvider

OLGA = Person("s", "Olga", frozenset({"organizer"}), "handle")


@pytest.fixture(autouse=True)
async def tokens(provider: FakeProvider) -> Tokens:
    """Those that Olga has; they are replaced after 270 seconds, and end after 300."""
    provider.issuer.lifetime_seconds = 300
    found = await provider.openid.refresh(Tokens("", "r", "i", 0, 0))
    await provider.access_tokens.put(OLGA, found)
    return found


def grants(provider: FakeProvider) -> int:
    return provider.issuer.asked.count("/token")


async def test_token_is_used_until_it_has_to_be_replaced(
    provider: FakeProvider, tokens: Tokens
) -> None:
    provider.later = 260
    assert await provider.access_tokens.access_token(OLGA) == tokens.access
    assert grants(provider) == 1


async def test_token_is_replaced_once_for_all_who_wait(
    provider: FakeProvider, tokens: Tokens
) -> None:
    provider.later = 280
    found = await asyncio.gather(*(provider.access_tokens.access_token(OLGA) for _ in range(5)))
    assert len({*found, tokens.access}) == 2
    assert grants(provider) == 2
    assert provider.store.kept["handle"].access == found[0]


async def test_token_is_used_to_its_end_while_the_provider_is_unavailable(
    provider: FakeProvider, tokens: Tokens
) -> None:
    provider.is_unavailable = True
    provider.later = 280
    assert await provider.access_tokens.access_token(OLGA) == tokens.access
    provider.later = 280 + PAUSE_SECONDS + 1
    assert await provider.access_tokens.access_token(OLGA) == tokens.access
    provider.later = 301
    with pytest.raises(NeighbourUnavailableError):
        await provider.access_tokens.access_token(OLGA)
    # Nobody was signed out by that.
    provider.is_unavailable = False
    assert await provider.access_tokens.access_token(OLGA) != tokens.access


async def test_session_that_the_provider_has_ended_is_over(provider: FakeProvider) -> None:
    provider.issuer.refuses_refresh = True
    provider.later = 280
    with pytest.raises(SignInRequiredError):
        await provider.access_tokens.access_token(OLGA)
    assert provider.store.kept == {}


async def test_another_process_finds_the_tokens(provider: FakeProvider, tokens: Tokens) -> None:
    assert await provider.new_access_tokens().access_token(OLGA) == tokens.access
    assert grants(provider) == 1


async def test_another_process_without_the_store_can_not_tell(provider: FakeProvider) -> None:
    provider.store.is_unavailable = True
    with pytest.raises(NeighbourUnavailableError):
        await provider.new_access_tokens().access_token(OLGA)


async def test_process_that_has_them_needs_no_store(provider: FakeProvider, tokens: Tokens) -> None:
    provider.store.is_unavailable = True
    assert await provider.access_tokens.access_token(OLGA) == tokens.access
    provider.later = 280
    assert await provider.access_tokens.access_token(OLGA) != tokens.access


async def test_tokens_that_another_process_has_renewed_are_taken_over(
    provider: FakeProvider, tokens: Tokens
) -> None:
    other = provider.new_access_tokens()
    assert await other.access_token(OLGA) == tokens.access
    provider.later = 280
    renewed = await other.access_token(OLGA)
    provider.issuer.refuses_refresh = True
    assert await provider.access_tokens.access_token(OLGA) == renewed


async def test_handle_that_nobody_knows_has_to_sign_in(provider: FakeProvider) -> None:
    with pytest.raises(SignInRequiredError):
        await provider.access_tokens.access_token(Person("s", "Eve", frozenset(), "guessed"))


async def test_tokens_that_are_taken_are_gone(provider: FakeProvider, tokens: Tokens) -> None:
    assert await provider.access_tokens.take(OLGA) == tokens
    assert await provider.access_tokens.take(OLGA) is None
    with pytest.raises(SignInRequiredError):
        await provider.access_tokens.access_token(OLGA)


async def test_session_that_was_ended_elsewhere_is_renewed_nowhere(
    provider: FakeProvider, tokens: Tokens
) -> None:
    # The provider knows of no sign-out, as one without an endpoint for it.
    other = provider.new_access_tokens()
    assert await other.access_token(OLGA) == tokens.access
    await provider.access_tokens.take(OLGA)
    provider.later = 280
    for _ in range(2):
        with pytest.raises(SignInRequiredError):
            await other.access_token(OLGA)
    assert grants(provider) == 1
    assert provider.store.kept == {}


async def test_store_that_has_lost_everything_ends_no_session(
    provider: FakeProvider, tokens: Tokens
) -> None:
    provider.store.kept.clear()
    provider.later = 280
    assert await provider.access_tokens.access_token(OLGA) != tokens.access
    assert provider.store.kept

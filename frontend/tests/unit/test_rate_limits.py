"""Requests that are let through, whom they are counted for, and what the others are told."""

import httpx2
import pytest

from frontend.domain import RateLimit, RateLimitedError, admit, network_of
from frontend.rate_limits import RateLimits
from frontend.store.rate_limits import MOST_COUNTED_ALONE, OwnCounts

from .conftest import PROPOSAL, Neighbours
from .test_proposals import PATH, TYPED, assert_kept, key_of

LIMIT = RateLimit(most=4, period_ms=1000)


def test_limit_lets_a_burst_through_and_then_evenly() -> None:
    due = 0
    for _ in range(LIMIT.most):
        due, wait = admit(due, 10_000, LIMIT)
        assert wait == 0
    assert admit(due, 10_000, LIMIT) == (due, 250)
    assert admit(due, 10_249, LIMIT) == (due, 1)
    due, wait = admit(due, 10_250, LIMIT)
    assert wait == 0
    assert admit(due, 10_250, LIMIT)[1] == 250


def test_limit_forgets_after_its_period() -> None:
    assert [admit(20_000, 20_000 + at, LIMIT)[0] for at in (0, 5000)] == [20_250, 25_250]


@pytest.mark.parametrize("most", [1, 3, 7, 60, 599_999, 600_000, 10_000_000])
def test_limit_lets_exactly_as_many_through_at_once(most: int) -> None:
    due, passed = 0, 0
    while passed < min(most, 1000):
        due, wait = admit(due, 5, RateLimit(most))
        assert wait == 0
        passed += 1
    if most <= 1000:
        assert admit(due, 5, RateLimit(most))[1] > 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_address_stands_for_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


async def test_counts_of_a_process_are_bounded() -> None:
    counts, limit = OwnCounts(now=lambda: 0.0), RateLimit(1)
    assert await counts.wait_ms("first", limit) == 0
    assert await counts.wait_ms("first", limit) > 0
    for number in range(MOST_COUNTED_ALONE):
        await counts.wait_ms(str(number), limit)
    assert await counts.wait_ms("first", limit) == 0


async def test_limits_are_counted_apart() -> None:
    limits = RateLimits(OwnCounts(), "k", {"a": RateLimit(1), "b": RateLimit(1)})
    await limits.check("a", "192.0.2.7")
    await limits.check("b", "192.0.2.7")
    await limits.check("a", "192.0.2.8")
    with pytest.raises(RateLimitedError, match="try again in 10 minutes"):
        await limits.check("a", "192.0.2.7")


async def test_form_that_is_sent_too_often_keeps_what_was_typed(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("POST", "/proposals", PROPOSAL, 201)
    # What is refused before it reaches a service costs nothing.
    for _ in range(5):
        assert (await browser.post(PATH, data={**TYPED, "title": ""})).status_code == 422
    for _ in range(3):
        assert (await browser.post(PATH, data=TYPED)).status_code == 303
    answer = await browser.post(PATH, data=TYPED)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "200"
    assert answer.headers["cache-control"] == "no-store"
    assert "Please try again in 3 minutes 20 seconds. What you typed is still here" in answer.text
    assert_kept(answer.text)
    assert key_of(answer.text) == TYPED["key"]
    assert len(neighbours.sent("POST", "/proposals")) == 3

"""The proposals of whoever is signed in."""

from uuid import uuid4

import httpx2
import pytest

from .conftest import PROPOSAL, PROPOSAL_ID, TOKEN, FakeProvider, Neighbours

OWN = "/me/proposals"
ACCEPTED = {**PROPOSAL, "id": str(uuid4()), "title": "Nests <b>", "state": "accepted"}


async def test_own_proposals_are_listed_with_their_states(
    somebody: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("GET", OWN, {"items": [PROPOSAL, ACCEPTED], "next_cursor": "next"})
    answer = await somebody.get("/my-proposals")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert f'href="/proposals/{PROPOSAL_ID}"' in answer.text
    assert "Nests &lt;b&gt;" in answer.text
    for state in ("submitted", "accepted"):
        assert f">{state}</span>" in answer.text
    assert 'href="/my-proposals?cursor=next"' in answer.text
    assert 'action="/sign-out"' in answer.text
    (asked,) = neighbours.sent("GET", OWN)
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


async def test_own_proposals_want_a_sign_in(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/my-proposals")
    assert answer.headers["location"] == "/sign-in?next=/my-proposals"


async def test_who_has_proposed_nothing_is_led_to_the_call(
    somebody: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("GET", OWN, {"items": [], "next_cursor": None})
    text = (await somebody.get("/my-proposals")).text
    assert "None yet" in text
    assert "Propose a talk" in text


async def test_address_that_is_not_verified_is_explained(
    somebody: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.refuse("GET", OWN, "address-not-verified", 403)
    answer = await somebody.get("/my-proposals")
    assert answer.status_code == 200
    assert "Your address is not confirmed" in answer.text


async def test_token_that_a_service_refuses_is_renewed_and_the_call_repeated_once(
    somebody: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.refuse("GET", OWN, "sign-in-required", 401)
    answer = await somebody.get("/my-proposals")
    assert answer.status_code == 401
    assert "Sign in again" in answer.text
    assert 'href="/sign-in?next=/my-proposals"' in answer.text
    tokens = [each.headers["authorization"] for each in neighbours.sent("GET", OWN)]
    assert len(tokens) == len(set(tokens)) == 2


async def test_token_that_is_refused_is_not_used_again_while_the_provider_is_unavailable(
    somebody: httpx2.AsyncClient, neighbours: Neighbours, provider: FakeProvider
) -> None:
    neighbours.refuse("GET", OWN, "sign-in-required", 401)
    provider.is_unavailable = True
    for _ in range(2):
        answer = await somebody.get("/my-proposals")
        assert answer.status_code == 503
    assert len(neighbours.sent("GET", OWN)) == 1


@pytest.mark.parametrize("path", ["/", "/about", "/call-for-proposals", "/nowhere"])
async def test_every_page_leads_to_own_proposals(browser: httpx2.AsyncClient, path: str) -> None:
    assert 'href="/my-proposals"' in (await browser.get(path)).text

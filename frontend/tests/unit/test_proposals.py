import re
from collections.abc import Mapping
from typing import Any

import httpx2
import orjson
import pytest

from .conftest import PROPOSAL, PROPOSAL_ID, Neighbours

TYPED = {
    "title": "Mine & <mine>",
    "abstract": "\nFirst line\nSecond line",
    "speaker_name": "Ada",
    "speaker_email": "ada@example.org",
    "key": "a-key-of-the-form",
}
PATH = "/call-for-proposals"


def assert_kept(text: str) -> None:
    """Assert that what was typed stands in the form again, escaped."""
    assert 'value="Mine &amp; &lt;mine&gt;"' in text
    assert ">\n\nFirst line\nSecond line</textarea>" in text
    assert 'value="ada@example.org"' in text


def key_of(text: str) -> str:
    """The hidden key of the form."""
    found = re.search(r'name="key" value="([^"]+)"', text)
    assert found
    return found[1]


async def test_the_form_comes_with_a_new_key_each_time(browser: httpx2.AsyncClient) -> None:
    keys = {key_of((await browser.get(PATH)).text) for _ in range(2)}

    assert len(keys) == 2


async def test_every_field_is_told_to_be_required(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    text = (await browser.get(PATH)).text
    for name in ("title", "abstract", "speaker_name", "speaker_email"):
        (field,) = re.findall(rf'<(?:input|textarea)[^>]* name="{name}"[^>]*>', text)
        assert 'aria-required="true"' in field
    assert " required" not in text.partition("<form")[2], "the server says what is wrong"


async def test_generate_fills_every_field(browser: httpx2.AsyncClient) -> None:
    text = (await browser.get(f"{PATH}?generate=1")).text

    assert 'name="title" aria-describedby="title-hint" value=""' not in text
    assert "@example.org" in text


async def test_a_proposal_is_handed_in_under_the_key_of_its_form(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("POST", "/proposals", PROPOSAL, 201)
    answer = await browser.post(PATH, data=TYPED)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"{PATH}/received?reference={PROPOSAL_ID}"
    (sent,) = neighbours.sent("POST", "/proposals")
    assert sent.headers["idempotency-key"] == TYPED["key"]
    assert "authorization" not in sent.headers
    assert orjson.loads(sent.content)["abstract"] == TYPED["abstract"]


async def test_errors_stand_beside_their_fields_and_in_a_summary(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    answer = await browser.post(PATH, data={**TYPED, "speaker_name": "", "speaker_email": "no"})

    assert answer.status_code == 422
    assert '<a href="#speaker_name">Enter your name.</a>' in answer.text
    assert 'aria-describedby="speaker_name-hint speaker_name-error"' in answer.text
    assert '<p class="error" id="speaker_email-error">' in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    assert "<title>Error: " in answer.text
    assert neighbours.sent("POST", "/proposals") == []


async def test_what_was_typed_is_kept_while_the_service_is_unavailable(
    browser: httpx2.AsyncClient,
) -> None:
    answer = await browser.post(PATH, data=TYPED)

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert_kept(answer.text)
    assert key_of(answer.text) == TYPED["key"]


async def test_what_was_typed_is_kept_when_the_window_has_closed(
    browser: httpx2.AsyncClient, neighbours: Neighbours, closed: Mapping[str, Any]
) -> None:
    neighbours.answer("GET", "/cfp", closed)
    neighbours.refuse("POST", "/proposals", "window-closed", 403)
    answer = await browser.post(PATH, data=TYPED)

    assert answer.status_code == 403
    assert_kept(answer.text)
    assert "Submit proposal" not in answer.text


async def test_errors_of_the_service_stand_beside_their_fields(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    errors = [{"field": "speaker_email", "detail": "no such domain"}]
    neighbours.refuse("POST", "/proposals", "invalid-request", 422, errors=errors)
    answer = await browser.post(PATH, data=TYPED)

    assert answer.status_code == 422
    assert_kept(answer.text)
    assert '<a href="#speaker_email">This cannot be stored: no such domain.</a>' in answer.text


async def test_a_form_sent_before_with_another_text_gets_a_new_key(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.refuse("POST", "/proposals", "idempotency-key-reused", 422)
    answer = await browser.post(PATH, data=TYPED)

    assert answer.status_code == 422
    assert_kept(answer.text)
    assert key_of(answer.text) != TYPED["key"]
    assert "second proposal" in answer.text


@pytest.mark.parametrize("key", ["", "with space", "x" * 201, "\u00e9"])
async def test_a_key_that_no_form_of_ours_has_is_replaced(
    browser: httpx2.AsyncClient, neighbours: Neighbours, key: str
) -> None:
    neighbours.answer("POST", "/proposals", PROPOSAL, 201)

    assert (await browser.post(PATH, data={**TYPED, "key": key})).status_code == 303
    (sent,) = neighbours.sent("POST", "/proposals")
    assert re.fullmatch("[0-9a-f]{32}", sent.headers["idempotency-key"])


async def test_a_closed_call_shows_no_form(
    browser: httpx2.AsyncClient, neighbours: Neighbours, closed: Mapping[str, Any]
) -> None:
    neighbours.answer("GET", "/cfp", closed)
    text = (await browser.get(PATH)).text

    assert "The call is closed" in text
    assert "<textarea" not in text


async def test_a_call_to_come_counts_down_to_its_opening(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    window = {"opens_at": "2126-01-01T00:00:00Z", "closes_at": None, "open": False}
    neighbours.answer("GET", "/cfp", window)
    text = (await browser.get(PATH)).text

    assert "The call is not open yet" in text
    assert 'datetime="2126-01-01T00:00:00Z" data-countdown' in text


async def test_pages_with_typed_text_are_kept_nowhere(browser: httpx2.AsyncClient) -> None:
    answer = await browser.post(PATH, data=TYPED)

    assert answer.headers["cache-control"] == "no-store"


async def test_received_shows_the_reference_and_nothing_else(
    browser: httpx2.AsyncClient,
) -> None:
    assert str(PROPOSAL_ID) in (await browser.get(f"{PATH}/received?reference={PROPOSAL_ID}")).text
    assert (await browser.get(f"{PATH}/received?reference=<b>")).status_code == 422

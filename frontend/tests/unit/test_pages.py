import json
from datetime import UTC, datetime

import httpx2
import pytest
from fastapi import FastAPI

from frontend.agenda.cache import AgendaCache
from frontend.store.agenda_file import AgendaDocuments, Document, SavedAgenda

from .conftest import PROPOSAL_ID, SCHEDULE, SESSION, Neighbours, NoFile

ABSTRACT = {**SESSION, "abstract": "About <i>birds</i>.", "version": 1}


async def test_home_tells_the_days_the_call_and_the_next_sessions(
    browser: httpx2.AsyncClient,
) -> None:
    answer = await browser.get("/")

    assert "14 \N{EN DASH} 15 June 2027" in answer.text
    assert "Test &amp; Conference" in answer.text
    assert "Canaries &amp; &lt;b&gt;cages&lt;/b&gt;" in answer.text
    assert "Propose a talk" in answer.text


async def test_home_stands_when_every_neighbour_is_unavailable(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    for path in ("/sessions", "/schedule", "/cfp"):
        neighbours.fail("GET", path)
    answer = await browser.get("/")

    assert answer.status_code == 200
    assert "agenda can\N{RIGHT SINGLE QUOTATION MARK}t be reached" in answer.text
    assert "can\N{RIGHT SINGLE QUOTATION MARK}t be told just now" in answer.text


async def test_agenda_escapes_and_offers_the_other_forms(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/agenda")

    assert "Canaries &amp; &lt;b&gt;cages&lt;/b&gt;" in answer.text
    assert '<time datetime="2027-06-14T07:00:00Z">09:00</time>' in answer.text
    for address in ("/agenda.ics", "/api/sessions", "/agenda.jsonld"):
        assert f'href="{address}"' in answer.text
    assert "saved at" not in answer.text


async def test_agenda_is_not_sent_twice_to_who_has_it(browser: httpx2.AsyncClient) -> None:
    etag = (await browser.get("/agenda")).headers["etag"]
    answer = await browser.get("/agenda", headers={"If-None-Match": etag})

    assert answer.status_code == 304


async def test_agenda_says_honestly_that_it_is_empty(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("GET", "/sessions", {"items": []})

    assert "No sessions yet" in (await browser.get("/agenda")).text


async def test_agenda_says_that_a_filter_matches_nothing(browser: httpx2.AsyncClient) -> None:
    text = (await browser.get("/agenda?track=%00<script>")).text

    assert "Nothing matches" in text
    assert "<script>" not in text


class SavedFile(NoFile):
    """A disk that kept the agenda of an earlier day."""

    def load(self) -> SavedAgenda:
        return SavedAgenda(
            AgendaDocuments(
                sessions=Document(etag=None, body=json.dumps({"items": [SESSION]})),
                schedule=Document(etag=None, body=json.dumps(SCHEDULE)),
            ),
            datetime(2027, 6, 1, 8, 42, tzinfo=UTC),
        )


@pytest.mark.parametrize("path", ["/", "/agenda", f"/agenda/{PROPOSAL_ID}"])
async def test_a_saved_agenda_says_so(
    app: FastAPI, browser: httpx2.AsyncClient, neighbours: Neighbours, path: str
) -> None:
    neighbours.fail("GET", "/sessions")
    app.state.cache = AgendaCache(app.state.agenda.neighbour, SavedFile(), 3600)
    app.state.cache.start()
    answer = await browser.get(path)

    assert answer.status_code == 200
    notice = "saved at 10:42, the live agenda is unavailable"
    assert f'role="status">{notice}</p>' in answer.text
    assert "Canaries &amp; &lt;b&gt;cages&lt;/b&gt;" in answer.text


async def test_an_agenda_in_a_zone_that_there_is_not_is_not_believed(
    app: FastAPI, browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("GET", "/schedule", {**SCHEDULE, "timezone": "Mars/Olympus"})
    app.state.cache = AgendaCache(app.state.agenda.neighbour, SavedFile(), 3600)
    app.state.cache.start()
    answer = await browser.get("/agenda")

    assert answer.status_code == 200
    assert "saved at 10:42, the live agenda is unavailable" in answer.text


async def test_agenda_without_any_copy_is_a_503_page(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.fail("GET", "/sessions")
    answer = await browser.get("/agenda")

    assert answer.status_code == 503
    assert "Not available just now" in answer.text


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/agenda.ics", "text/calendar; charset=utf-8"), ("/agenda.jsonld", "application/ld+json")],
)
async def test_agenda_for_programs(browser: httpx2.AsyncClient, path: str, media_type: str) -> None:
    answer = await browser.get(path)

    assert answer.headers["content-type"] == media_type
    assert str(PROPOSAL_ID) in answer.text


async def test_a_session_has_its_abstract(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("GET", f"/sessions/{PROPOSAL_ID}", ABSTRACT)
    answer = await browser.get(f"/agenda/{PROPOSAL_ID}")

    assert "About &lt;i&gt;birds&lt;/i&gt;." in answer.text
    assert "Monday, 14 June 2027" in answer.text


async def test_a_session_stands_without_its_abstract(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.fail("GET", f"/sessions/{PROPOSAL_ID}")
    answer = await browser.get(f"/agenda/{PROPOSAL_ID}")

    assert answer.status_code == 200
    assert "Ada Example" in answer.text
    assert "abstract can\N{RIGHT SINGLE QUOTATION MARK}t be shown" in answer.text


async def test_a_session_that_left_the_agenda_is_not_found(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.refuse("GET", f"/sessions/{PROPOSAL_ID}", "session-not-found", 404)

    assert (await browser.get(f"/agenda/{PROPOSAL_ID}")).status_code == 404


async def test_about_shows_who_answers_and_who_does_not(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    info = {
        "name": "agenda",
        "version": "1.2.3",
        "source": "javascript:alert(1)",
        "podId": "pod-a",
        "podNamespace": "ns",
        "podNodeName": "node",
    }
    neighbours.answer("GET", "/info", info)
    assert (await browser.get("/about")).text.count("1.2.3") == 3

    neighbours.fail("GET", "/info")
    text = (await browser.get("/about")).text
    assert text.count("not reachable") == 3
    assert "javascript:" not in text


@pytest.mark.parametrize("path", ["/", "/agenda", "/about", "/call-for-proposals"])
async def test_pages_answer_head_too(browser: httpx2.AsyncClient, path: str) -> None:
    assert (await browser.head(path)).status_code == 200

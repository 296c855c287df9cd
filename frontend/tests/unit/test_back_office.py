import httpx2
import orjson
import pytest

from frontend.pages.back_office.proposals import Wanted, tabs

from .conftest import COUNTS, PROPOSAL, PROPOSAL_ID, TOKEN, FakeProvider, Neighbours

OTHER_ID = "01890a5d-ac96-774b-bcce-b302099a8058"
ACCEPTED = {**PROPOSAL, "state": "accepted"}


@pytest.fixture(autouse=True)
def proposals(neighbours: Neighbours) -> None:
    """One page of proposals, of which there are more."""
    page = {"items": [PROPOSAL], "next_cursor": "older", "counts": COUNTS}
    neighbours.answer("GET", "/proposals", page)
    neighbours.answer("GET", "/deliveries", {"items": [], "next_cursor": None})


@pytest.mark.parametrize("path", ["/back-office", "/back-office/window?x=1"])
async def test_a_visitor_is_sent_to_sign_in(browser: httpx2.AsyncClient, path: str) -> None:
    answer = await browser.get(path)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=/back-office")


def test_tabs_count_what_the_search_finds() -> None:
    found = tabs(Wanted("accepted", "bird"), {"submitted": 1, "accepted": 2})

    assert [(tab.label, tab.count, tab.chosen) for tab in found] == [
        ("All", 3, False),
        ("Submitted", 1, False),
        ("Accepted", 2, True),
        ("Rejected", 0, False),
        ("Withdrawn", 0, False),
    ]
    assert found[1].address == "/back-office?state=submitted&q=bird"


async def test_the_list_is_what_the_address_says(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    answer = await organizer.get("/back-office?state=submitted&q=%20a%26b%20&cursor=c1")

    asked = neighbours.sent("GET", "/proposals")[0].url.params
    assert (asked["state"], asked["q"], asked["cursor"]) == ("submitted", "a&b", "c1")
    assert 'href="/back-office?state=submitted&amp;q=a%26b&amp;cursor=older"' in answer.text
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("search", ["x" * 101, "bell \x07"])
async def test_a_search_that_can_not_be_made_says_so_and_stays(
    organizer: httpx2.AsyncClient, neighbours: Neighbours, search: str
) -> None:
    answer = await organizer.get("/back-office", params={"q": search})

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert f'value="{search}"' in answer.text
    assert neighbours.sent("GET", "/proposals") == []


async def test_the_list_marks_what_is_not_told_yet(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    delivery = {
        "id": OTHER_ID,
        "proposal_id": str(PROPOSAL_ID),
        "target": "email",
        "kind": "accepted",
        "state": "waiting",
        "attempts": 2,
        "created_at": "2026-01-01T10:00:00Z",
        "next_attempt_at": None,
        "delivered_at": None,
        "last_error": "relay down",
    }
    neighbours.answer("GET", "/deliveries", {"items": [delivery], "next_cursor": None})
    waiting = (await organizer.get("/back-office")).text
    assert "not told yet" in waiting
    assert "1 proposal has something that is not told to others yet" in waiting
    assert "It is tried again by itself" in waiting
    assert "not tried again" not in waiting

    failed = {**delivery, "state": "failed"}
    neighbours.answer("GET", "/deliveries", {"items": [failed], "next_cursor": None})
    given_up = (await organizer.get("/back-office")).text
    assert "1 proposal has something that could not be told" in given_up
    assert "not tried again" in given_up
    assert "tried again by itself" not in given_up

    fresh = {**delivery, "attempts": 0}
    neighbours.answer("GET", "/deliveries", {"items": [fresh], "next_cursor": None})
    assert "not told yet" not in (await organizer.get("/back-office")).text


async def test_many_are_decided_with_a_line_for_each(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    problem = {
        "type": "urn:problem:wrong-state",
        "title": "x",
        "status": 409,
        "detail": "No.",
        "state": "withdrawn",
    }
    results = [
        {"proposal_id": str(PROPOSAL_ID), "status": 200, "proposal": ACCEPTED, "problem": None},
        {"proposal_id": OTHER_ID, "status": 409, "proposal": None, "problem": problem},
    ]
    neighbours.answer("POST", "/proposals/decisions", {"results": results})
    neighbours.answer("GET", f"/proposals/{OTHER_ID}", {**PROPOSAL, "title": "The <other>"})
    data = {
        "proposal": [str(PROPOSAL_ID), OTHER_ID, OTHER_ID],
        "decision": "accepted",
        "message": " Hello ",
    }
    answer = await organizer.post("/back-office/decisions", data=data)

    assert answer.status_code == 200
    assert "1 of 2 decided" in answer.text
    assert "<strong>The &lt;other&gt;</strong> – refused, since it is withdrawn." in answer.text  # noqa: RUF001 - as shown
    (sent,) = neighbours.sent("POST", "/proposals/decisions")
    decisions = orjson.loads(sent.content)["decisions"]
    assert [each["proposal_id"] for each in decisions] == [str(PROPOSAL_ID), OTHER_ID]
    assert {each["message"] for each in decisions} == {"Hello"}
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "data",
    [
        {"decision": "accepted", "message": "kept"},
        {"proposal": str(PROPOSAL_ID), "decision": "burnt", "message": "kept"},
        {"proposal": str(PROPOSAL_ID), "decision": "accepted", "message": "kept\x00"},
        {"proposal": str(PROPOSAL_ID), "decision": "accepted", "message": "kept" * 600},
    ],
)
async def test_a_decision_that_is_none_changes_nothing_and_keeps_the_message(
    organizer: httpx2.AsyncClient, neighbours: Neighbours, data: dict[str, str]
) -> None:
    answer = await organizer.post("/back-office/decisions", data=data)

    assert answer.status_code == 422
    assert ">\nkept" in answer.text
    assert neighbours.sent("POST", "/proposals/decisions") == []


async def test_a_refused_batch_keeps_what_was_selected(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.refuse("POST", "/proposals/decisions", "invalid-request", 422)
    data = {"proposal": str(PROPOSAL_ID), "decision": "accepted"}
    answer = await organizer.post("/back-office/decisions", data=data)

    assert answer.status_code == 422
    assert f'value="{PROPOSAL_ID}" checked' in answer.text


async def test_the_message_is_kept_while_the_service_is_unavailable(
    organizer: httpx2.AsyncClient,
) -> None:
    data = {"proposal": str(PROPOSAL_ID), "decision": "accepted", "message": "long <words>"}
    answer = await organizer.post("/back-office/decisions", data=data)

    assert answer.status_code == 503
    assert "long &lt;words&gt;" in answer.text


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/back-office/decisions", "message"),
        (f"/back-office/proposals/{PROPOSAL_ID}/decision", "message"),
        (f"/back-office/proposals/{PROPOSAL_ID}/review", "comment"),
    ],
)
async def test_long_words_are_kept_when_the_session_has_ended(
    organizer: httpx2.AsyncClient,
    reviewer: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    provider: FakeProvider,
    path: str,
    field: str,
) -> None:
    provider.issuer.refuses_refresh, provider.later = True, 4000
    data = {"proposal": str(PROPOSAL_ID), "decision": "accepted", "score": "4"}
    for somebody in (reviewer if field == "comment" else organizer, browser):
        answer = await somebody.post(path, data={**data, field: "long <words>"})
        assert answer.status_code == 401
        assert answer.headers["cache-control"] == "no-store"
        assert "long &lt;words&gt;" in answer.text
        assert "Sign in again" in answer.text


async def test_long_words_of_another_site_are_not_repeated(browser: httpx2.AsyncClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    data = {"message": "long words"}
    answer = await browser.post("/back-office/decisions", data=data, headers=headers)
    assert answer.status_code == 403
    assert data["message"] not in answer.text


async def test_consistency_shows_findings_and_cures(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    finding = {
        "check": "not mailed",
        "subject": "A <talk>",
        "detail": "d",
        "cure": "Send it again.",
        "repaired": True,
    }
    report = {
        "id": OTHER_ID,
        "checked_at": "2026-01-01T10:00:00Z",
        "complete": False,
        "findings": [finding],
    }
    neighbours.answer("GET", "/consistency-reports", {"items": [report]})
    text = (await organizer.get("/back-office/consistency")).text

    for expected in ("A &lt;talk&gt;", "Send it again.", "repaired", "incomplete"):
        assert expected in text

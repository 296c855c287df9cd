from uuid import UUID

import httpx2
import orjson
import pytest

from frontend.clients.schemas import ListedSession, Schedule
from frontend.pages.back_office.proposal import place

from .conftest import PROPOSAL, PROPOSAL_ID, SCHEDULE, SESSION, TOKEN, Neighbours

PATH = f"/proposals/{PROPOSAL_ID}"
PAGE = f"/back-office{PATH}"
OTHER_ID = UUID("01890a5d-ac96-774b-bcce-b302099a8058")
RETRY = f"/deliveries/{OTHER_ID}/retry"
TAKEN = SCHEDULE["slots"][1]["id"]
DELIVERY = {
    "id": str(OTHER_ID),
    "proposal_id": str(PROPOSAL_ID),
    "target": "email",
    "kind": "accepted",
    "state": "waiting",
    "attempts": 3,
    "created_at": "2026-01-01T10:00:00Z",
    "next_attempt_at": "2026-01-01T10:05:00Z",
    "delivered_at": None,
    "last_error": "the <relay> is down",
}
EVENT = {
    "id": str(OTHER_ID),
    "kind": "accepted",
    "actor": "Olga <b>",
    "at": "2026-01-01T10:00:00Z",
    "version": 2,
    "data": {"message": "Welcome"},
}


@pytest.fixture(autouse=True)
def accepted(neighbours: Neighbours) -> None:
    """A proposal that is accepted, and another session beside its own."""
    neighbours.answer("GET", PATH, {**PROPOSAL, "state": "accepted"})
    neighbours.answer("GET", f"{PATH}/events", {"items": [EVENT]})
    neighbours.answer("GET", "/deliveries", {"items": [DELIVERY], "next_cursor": None})
    neighbours.answer("GET", f"{PATH}/emails", {"items": []})
    other = {
        **SESSION,
        "proposal_id": str(OTHER_ID),
        "title": "Other",
        "slot": SCHEDULE["slots"][1],
    }
    neighbours.answer("GET", "/sessions", {"items": [SESSION, other]})


def test_placing_knows_the_own_slot_the_taken_and_the_free_ones() -> None:
    schedule = Schedule.model_validate(SCHEDULE)
    own = ListedSession.model_validate(SESSION)
    other = own.model_copy(
        update={"proposal_id": OTHER_ID, "title": "Other", "slot": schedule.slots[1]}
    )
    placing = place(PROPOSAL_ID, [own, other], schedule)

    assert placing.session is own
    assert [(each.is_own, each.taken_by) for each in placing.days[0].choices] == [
        (True, None),
        (False, "Other"),
    ]
    assert [(each.is_own, each.taken_by) for each in placing.days[1].choices] == [
        (False, None),
        (False, None),
    ]


async def test_the_page_shows_text_history_deliveries_and_slots(
    organizer: httpx2.AsyncClient,
) -> None:
    answer = await organizer.get(PAGE)

    assert answer.status_code == 200
    for expected in (
        "About birds.",
        "by Olga &lt;b&gt;",
        "the &lt;relay&gt; is down",
        "Send again",
        "taken: Other",
        "Monday, 14 June 2027",
    ):
        assert expected in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_the_page_stands_while_all_but_the_proposals_is_unavailable(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    for path in (f"{PATH}/events", "/deliveries", f"{PATH}/emails", "/sessions", "/schedule"):
        neighbours.fail("GET", path)
    answer = await organizer.get(PAGE)

    assert answer.status_code == 200
    assert "agenda service can" in answer.text
    assert "The history can" in answer.text


async def test_an_accepted_proposal_that_has_no_session_yet_says_so(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("GET", "/sessions", {"items": []})

    assert "Not on the agenda yet" in (await organizer.get(PAGE)).text


async def test_an_accepted_proposal_that_the_agenda_refused_says_what_to_do(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    refused = {**DELIVERY, "target": "agenda", "kind": "session", "state": "failed"}
    neighbours.answer("GET", "/sessions", {"items": []})
    neighbours.answer("GET", "/deliveries", {"items": [refused], "next_cursor": None})
    text = (await organizer.get(PAGE)).text

    assert "Not on the agenda yet" not in text
    assert "If no slot is free, make one" in text


async def test_a_withdrawal_for_a_speaker_wants_to_be_confirmed(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    answer = await organizer.post(f"{PAGE}/withdrawal")

    assert answer.status_code == 422
    assert '<a href="#confirm">Tick this box' in answer.text
    assert neighbours.sent("POST", f"{PATH}/withdrawal") == []


async def test_a_confirmed_withdrawal_is_the_organizers(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("POST", f"{PATH}/withdrawal", {**PROPOSAL, "state": "withdrawn"})
    answer = await organizer.post(f"{PAGE}/withdrawal", data={"confirm": "yes"})

    assert answer.headers["location"] == f"{PAGE}?done=withdrawn"
    (sent,) = neighbours.sent("POST", f"{PATH}/withdrawal")
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    assert "proposal-token" not in sent.headers
    assert "The proposal is withdrawn." in (await organizer.get(f"{PAGE}?done=withdrawn")).text


async def test_a_refused_withdrawal_says_why(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.refuse("POST", f"{PATH}/withdrawal", "wrong-state", 409)
    answer = await organizer.post(f"{PAGE}/withdrawal", data={"confirm": "yes"})

    assert answer.status_code == 409
    assert "wrong-state." in answer.text


async def test_a_withdrawal_while_the_service_is_unavailable_is_not_called_done(
    organizer: httpx2.AsyncClient,
) -> None:
    answer = await organizer.post(f"{PAGE}/withdrawal", data={"confirm": "yes"})

    assert answer.status_code == 503
    assert "not known whether the proposal is withdrawn" in answer.text


@pytest.mark.parametrize("state", ["rejected", "withdrawn"])
async def test_what_can_not_be_withdrawn_has_no_button_for_it(
    organizer: httpx2.AsyncClient, neighbours: Neighbours, state: str
) -> None:
    assert "Withdraw proposal" in (await organizer.get(PAGE)).text
    neighbours.answer("GET", PATH, {**PROPOSAL, "state": state})
    assert "Withdraw proposal" not in (await organizer.get(PAGE)).text


async def test_a_taken_slot_is_explained_and_stays_chosen(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.refuse("PUT", f"/sessions/{PROPOSAL_ID}/slot", "slot-taken", 409)
    answer = await organizer.post(f"{PAGE}/slot", data={"slot": TAKEN})

    assert answer.status_code == 409
    assert "The session stays where it is." in answer.text
    assert f'value="{TAKEN}" selected' in answer.text


async def test_a_session_is_moved(organizer: httpx2.AsyncClient, neighbours: Neighbours) -> None:
    moved = {**SESSION, "abstract": "x", "version": 2}
    neighbours.answer("PUT", f"/sessions/{PROPOSAL_ID}/slot", moved)
    answer = await organizer.post(f"{PAGE}/slot", data={"slot": "free"})

    assert answer.headers["location"] == f"{PAGE}?done=moved"
    assert "The session is moved." in (await organizer.get(f"{PAGE}?done=moved")).text


async def test_a_move_while_the_agenda_is_unavailable_is_not_called_done(
    organizer: httpx2.AsyncClient,
) -> None:
    answer = await organizer.post(f"{PAGE}/slot", data={"slot": "free"})

    assert answer.status_code == 503
    assert "is not known" in answer.text


async def test_the_address_can_not_put_words_on_the_page(organizer: httpx2.AsyncClient) -> None:
    assert "hacked" not in (await organizer.get(f"{PAGE}?done=hacked")).text


async def test_a_decision_leads_back_to_the_page(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    result = {
        "proposal_id": str(PROPOSAL_ID),
        "status": 200,
        "proposal": {**PROPOSAL, "state": "rejected"},
        "problem": None,
    }
    neighbours.answer("POST", "/proposals/decisions", {"results": [result]})
    answer = await organizer.post(f"{PAGE}/decision", data={"decision": "rejected"})

    assert answer.headers["location"] == f"{PAGE}?done=rejected"


async def test_a_refused_decision_says_why_and_keeps_the_message(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    problem = {
        "type": "urn:problem:wrong-state",
        "title": "x",
        "status": 409,
        "detail": "Too late.",
    }
    result = {
        "proposal_id": str(PROPOSAL_ID),
        "status": 409,
        "proposal": None,
        "problem": problem,
    }
    neighbours.answer("POST", "/proposals/decisions", {"results": [result]})
    neighbours.answer("GET", PATH, PROPOSAL)
    data = {"decision": "rejected", "message": "my words"}
    answer = await organizer.post(f"{PAGE}/decision", data=data)

    assert answer.status_code == 409
    assert "Too late." in answer.text
    assert ">\nmy words</textarea>" in answer.text


async def test_a_decision_while_the_service_is_unavailable_keeps_the_message(
    organizer: httpx2.AsyncClient,
) -> None:
    data = {"decision": "rejected", "message": "my words"}
    answer = await organizer.post(f"{PAGE}/decision", data=data)

    assert answer.status_code == 503
    assert "my words" in answer.text


async def test_send_again_names_the_attempts_that_were_shown(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("POST", RETRY, DELIVERY, 202)
    fields = {"proposal": str(PROPOSAL_ID), "attempts": "3"}
    text = (await organizer.get(PAGE)).text
    for name, value in fields.items():
        assert f'<input type="hidden" name="{name}" value="{value}">' in text
    answer = await organizer.post(f"/back-office{RETRY}", data=fields)

    assert answer.headers["location"] == f"{PAGE}?done=sent"
    (sent,) = neighbours.sent("POST", RETRY)
    assert orjson.loads(sent.content) == {"attempts": 3}
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"


async def test_send_again_takes_a_form_that_shows_no_attempts(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("POST", RETRY, DELIVERY, 202)
    answer = await organizer.post(f"/back-office{RETRY}")

    assert answer.headers["location"] == f"{PAGE}?done=sent"
    assert neighbours.sent("POST", RETRY)[0].content == b""


async def test_send_again_twice_says_that_it_was_sent_already(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.refuse("POST", RETRY, "delivery-changed", 409)
    fields = {"proposal": str(PROPOSAL_ID), "attempts": "3"}
    answer = await organizer.post(f"/back-office{RETRY}", data=fields)

    assert answer.headers["location"] == f"{PAGE}?done=already"
    assert "It was sent again already" in (await organizer.get(f"{PAGE}?done=already")).text


@pytest.mark.parametrize(
    ("slug", "proposal"),
    [("wrong-state", str(PROPOSAL_ID)), ("delivery-changed", "//evil.example")],
)
async def test_send_again_shows_another_refusal_as_it_is(
    organizer: httpx2.AsyncClient, neighbours: Neighbours, slug: str, proposal: str
) -> None:
    neighbours.refuse("POST", RETRY, slug, 409)
    fields = {"proposal": proposal, "attempts": "3"}
    answer = await organizer.post(f"/back-office{RETRY}", data=fields)

    assert answer.status_code == 409
    assert f"{slug}." in answer.text

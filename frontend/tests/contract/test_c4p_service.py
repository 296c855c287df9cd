"""The expectations of frontend of c4p-service for speakers: submit, see, edit and withdraw."""

from typing import Any

import pytest
from pact import match

from frontend.clients.c4p import C4p
from frontend.clients.client import ProblemAnswerError
from frontend.clients.schemas import Proposal
from servicekit.http import NeighbourUnavailableError
from testkit.contract.consumer import (
    JSON,
    PROBLEM,
    STORE_UNAVAILABLE,
    OwnToken,
    RecordedPact,
    expect_info,
    made,
    problem,
    some,
    time,
)

from .proposals import ACCEPTED, DECISION, ID, SUBMITTED, proposal

PATH = made(f"/proposals/{ID}", "/proposals/${proposal_id}")
WITHDRAWAL = made(f"/proposals/{ID}/withdrawal", "/proposals/${proposal_id}/withdrawal")
TOKEN = made("abc.def", "${token}")
"""The token of the speaker's link, which only c4p-service can sign."""
UNKNOWN = f"/proposals/{ID}"
FORM = {
    "title": "Outboxes",
    "abstract": "Why calls belong in tables.",
    "speaker_name": "Ada Lovelace",
    "speaker_email": "ada@example.org",
}
KEY = "01975c2e-8f6a-7000-8000-0000000000aa"
EDIT = {"title": "Outboxes and inboxes"}


async def test_proposal_is_submitted(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a new proposal")
        .given("an open call for proposals")
        .with_request("POST", "/proposals")
        .with_header("Idempotency-Key", KEY)
        .with_body(FORM, JSON)
        .will_respond_with(201)
        .with_body(proposal(), JSON)
    )
    async with pact.neighbour() as c4p:
        submitted = await C4p(c4p).submit(FORM, KEY)
    assert str(submitted.id) == ID


@pytest.mark.parametrize(
    ("what", "state", "params", "status", "slug"),
    [
        ("that comes too late", "a call for proposals that is over", {}, 403, "window-closed"),
        (
            "under the key of another one",
            "a proposal that was submitted under a key",
            {"key": KEY, "title": "Another title"},
            422,
            "idempotency-key-reused",
        ),
    ],
)
async def test_proposal_is_not_taken(
    pact: RecordedPact, what: str, state: str, params: dict[str, object], status: int, slug: str
) -> None:
    (
        pact.upon_receiving(f"a new proposal {what}")
        .given(state, params)
        .with_request("POST", "/proposals")
        .with_header("Idempotency-Key", KEY)
        .with_body(FORM, JSON)
        .will_respond_with(status)
        .with_body(problem(slug, status), PROBLEM)
    )
    async with pact.neighbour() as c4p:
        with pytest.raises(ProblemAnswerError) as refusal:
            await C4p(c4p).submit(FORM, KEY)
    assert (refusal.value.status, refusal.value.slug) == (status, slug)


async def test_bad_field_is_named(pact: RecordedPact) -> None:
    errors = [{"field": "speaker_email", "detail": match.str("It is not an address.")}]
    (
        pact.upon_receiving("a new proposal from what is no address")
        .given("an open call for proposals")
        .with_request("POST", "/proposals")
        .with_body({**FORM, "speaker_email": "ada@"}, JSON)
        .will_respond_with(422)
        .with_body(problem("invalid-request", 422, errors=errors), PROBLEM)
    )
    async with pact.neighbour() as c4p:
        with pytest.raises(ProblemAnswerError) as refusal:
            await C4p(c4p).submit({**FORM, "speaker_email": "ada@"})
    assert refusal.value.problem.errors is not None
    assert refusal.value.problem.errors[0].field == "speaker_email"


@pytest.mark.parametrize("is_speaker", [False, True])
async def test_proposal_is_seen(pact: RecordedPact, is_speaker: bool) -> None:
    receiving = pact.upon_receiving if is_speaker else pact.identified
    asked = (
        receiving(f"the {'speaker' if is_speaker else 'organizer'}'s look at a proposal")
        .given(SUBMITTED)
        .with_request("GET", PATH)
    )
    if is_speaker:
        asked.with_header("Proposal-Token", TOKEN)
    asked.will_respond_with(200).with_body(proposal(), JSON)
    async with pact.neighbour() as c4p:
        client = C4p(c4p, None if is_speaker else OwnToken())
        seen = await client.proposal(ID, "abc.def" if is_speaker else None)
    assert seen.state == "submitted"


async def test_own_proposals_are_listed(pact: RecordedPact) -> None:
    asked = {
        "a speaker's question for their proposals": {},
        "a speaker's question whether a proposal is theirs": {
            "proposal_id": made(ID, "${proposal_id}")
        },
    }
    for what, params in asked.items():
        (
            pact.identified(what)
            .given(SUBMITTED)
            .with_request("GET", "/me/proposals")
            .with_query_parameters({**params, "limit": "50"})
            .will_respond_with(200)
            .with_body({"items": some(proposal()), "next_cursor": None}, JSON)
        )
    async with pact.neighbour() as c4p:
        client = C4p(c4p, OwnToken())
        for proposal_id in (None, ID):
            own = await client.own_proposals(proposal_id)
            assert [str(each.id) for each in own.items] == [ID]


async def test_decided_proposal_is_seen(pact: RecordedPact) -> None:
    (
        pact.identified("a look at a proposal that was decided")
        .given(ACCEPTED)
        .with_request("GET", PATH)
        .will_respond_with(200)
        .with_body(proposal("accepted", **DECISION), JSON)
    )
    async with pact.neighbour() as c4p:
        seen = await C4p(c4p, OwnToken()).proposal(ID)
    assert seen.message == "See you in June."


async def test_unknown_proposal(pact: RecordedPact) -> None:
    (
        pact.identified("a look at a proposal that is not there")
        .given("no proposals")
        .with_request("GET", UNKNOWN)
        .will_respond_with(404)
        .with_body(problem("proposal-not-found", 404), PROBLEM)
    )
    async with pact.neighbour() as c4p:
        with pytest.raises(ProblemAnswerError) as refusal:
            await C4p(c4p, OwnToken()).proposal(ID)
    assert refusal.value.status == 404


async def test_forged_link(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a look at a proposal by a forged link")
        .given(SUBMITTED)
        .with_request("GET", PATH)
        .with_header("Proposal-Token", "forged")
        .will_respond_with(403)
        .with_body(problem("link-refused", 403), PROBLEM)
    )
    async with pact.neighbour() as c4p:
        with pytest.raises(ProblemAnswerError) as refusal:
            await C4p(c4p).proposal(ID, "forged")
    assert refusal.value.status == 403


async def test_proposal_is_edited(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("an edit of a proposal")
        .given(SUBMITTED)
        .with_request("PATCH", PATH)
        .with_header("If-Match", '"1"')
        .with_header("Proposal-Token", TOKEN)
        .with_body(EDIT, JSON)
        .will_respond_with(200)
        .with_body(proposal(title=EDIT["title"], version=2), JSON)
    )
    async with pact.neighbour() as c4p:
        edited = await C4p(c4p).edit(ID, 1, EDIT, token="abc.def")
    assert edited.version == 2


@pytest.mark.parametrize(
    ("what", "state", "status", "slug", "members"),
    [
        (
            "that somebody has edited meanwhile",
            "a proposal that was edited",
            412,
            "stale-edit",
            {"current": proposal(version=2)},
        ),
        ("that is decided", ACCEPTED, 409, "wrong-state", {}),
    ],
)
async def test_edit_is_refused(
    pact: RecordedPact, what: str, state: str, status: int, slug: str, members: dict[str, Any]
) -> None:
    (
        pact.upon_receiving(f"an edit of a proposal {what}")
        .given(state)
        .with_request("PATCH", PATH)
        .with_header("If-Match", '"1"')
        .with_header("Proposal-Token", TOKEN)
        .with_body(EDIT, JSON)
        .will_respond_with(status)
        .with_body(problem(slug, status, **members), PROBLEM)
    )
    async with pact.neighbour() as c4p:
        with pytest.raises(ProblemAnswerError) as refusal:
            await C4p(c4p).edit(ID, 1, EDIT, token="abc.def")
    assert refusal.value.slug == slug
    if members:
        assert Proposal.model_validate(refusal.value.member("current")).version == 2


async def test_proposal_is_withdrawn(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("the withdrawal of a proposal")
        .given(SUBMITTED)
        .with_request("POST", WITHDRAWAL)
        .with_header("Proposal-Token", TOKEN)
        .will_respond_with(200)
        .with_body(proposal("withdrawn"), JSON)
    )
    async with pact.neighbour() as c4p:
        withdrawn = await C4p(c4p).withdraw(ID, token="abc.def")
    assert withdrawn.state == "withdrawn"


async def test_withdrawal_of_a_rejected_proposal(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("the withdrawal of a proposal that is rejected")
        .given("a rejected proposal")
        .with_request("POST", WITHDRAWAL)
        .with_header("Proposal-Token", TOKEN)
        .will_respond_with(409)
        .with_body(problem("wrong-state", 409), PROBLEM)
    )
    async with pact.neighbour() as c4p:
        with pytest.raises(ProblemAnswerError) as refusal:
            await C4p(c4p).withdraw(ID, token="abc.def")
    assert refusal.value.slug == "wrong-state"


async def test_submission_that_can_not_be_stored(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a new proposal")
        .given(STORE_UNAVAILABLE)
        .with_request("POST", "/proposals")
        .with_header("Idempotency-Key", KEY)
        .with_body(FORM, JSON)
        .will_respond_with(503)
        .with_body(problem("unavailable", 503), PROBLEM)
    )
    async with pact.neighbour() as c4p:
        with pytest.raises(NeighbourUnavailableError, match="503: What happened"):
            await C4p(c4p).submit(FORM, KEY)


@pytest.mark.parametrize(
    ("state", "window"),
    [
        ("a call for proposals with no bounds", {"opens_at": None, "closes_at": None}),
        (
            "a call for proposals with bounds",
            {"opens_at": time(), "closes_at": time("2027-03-01T23:00:00Z")},
        ),
    ],
)
async def test_window(pact: RecordedPact, state: str, window: dict[str, Any]) -> None:
    (
        pact.upon_receiving("a question for the window")
        .given(state)
        .with_request("GET", "/cfp")
        .will_respond_with(200)
        .with_body({**window, "open": match.bool(True)}, JSON)
    )
    async with pact.neighbour() as c4p:
        found = await C4p(c4p).cfp()
    assert (found.opens_at is None) is (window["opens_at"] is None)


async def test_which_build_answers(pact: RecordedPact) -> None:
    expect_info(pact)
    async with pact.neighbour() as c4p:
        assert (await C4p(c4p).info()).name == "c4p-service"

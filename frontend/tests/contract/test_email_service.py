"""What frontend expects of email-service: the mails about a proposal."""

import pytest
from pact import match
from tests.contract.consumer import (
    JSON,
    PROBLEM,
    STORE_AWAY,
    OwnToken,
    RecordedPact,
    expect_info,
    problem,
    question_for_mails,
    some,
    time,
)

from frontend.clients import Email, NeighbourAwayError

ID = "01975c2e-8f6a-7000-8000-000000000001"
MAIL = {
    "key": match.str("01975c2e-8f6a-7000-8000-000000000002:1"),
    "template": match.str("proposal-received"),
    "to": match.str("a…@example.org"),
    "reference": ID,
}


async def test_mails_about_a_proposal(pact: RecordedPact) -> None:
    sent = {**MAIL, "state": "sent", "sent_at": time("2027-01-10T09:00:01Z")}
    (
        question_for_mails(pact, ID, "a mail was sent", reference=ID)
        .will_respond_with(200)
        .with_body({"items": some(sent)}, JSON)
    )
    async with pact.neighbour() as email:
        (mail,) = await Email(email, OwnToken()).emails(ID)
    assert mail.sent_at is not None


async def test_mail_under_way(pact: RecordedPact) -> None:
    sending = {**MAIL, "state": "sending", "sent_at": None}
    (
        question_for_mails(
            pact,
            ID,
            "a mail is being sent",
            "a question for a mail that is under way",
            reference=ID,
        )
        .will_respond_with(200)
        .with_body({"items": some(sending)}, JSON)
    )
    async with pact.neighbour() as email:
        (mail,) = await Email(email, OwnToken()).emails(ID)
    assert mail.sent_at is None


async def test_no_mails_about_a_proposal(pact: RecordedPact) -> None:
    (
        question_for_mails(
            pact, ID, "no mails", "a question for the mails about a proposal that has none"
        )
        .will_respond_with(200)
        .with_body({"items": []}, JSON)
    )
    async with pact.neighbour() as email:
        assert await Email(email, OwnToken()).emails(ID) == ()


async def test_mails_while_the_ledger_is_away(pact: RecordedPact) -> None:
    (
        question_for_mails(pact, ID, STORE_AWAY)
        .will_respond_with(503)
        .with_body(problem("unavailable", 503), PROBLEM)
    )
    async with pact.neighbour() as email:
        with pytest.raises(NeighbourAwayError, match="503: What happened"):
            await Email(email, OwnToken()).emails(ID)


async def test_which_build_answers(pact: RecordedPact) -> None:
    expect_info(pact)
    async with pact.neighbour() as email:
        assert (await Email(email).info()).name == "email-service"

"""The expectations of consistency-job of email-service: its ledger, the mail to organizers."""

from uuid import UUID

import pytest
from pact import match

from consistency.clients import EmailClient
from servicekit.http import NeighbourUnavailableError
from testkit.contract.consumer import (
    JSON,
    PROBLEM,
    STORE_UNAVAILABLE,
    RecordedPact,
    question_for_mails,
    some,
)

ID = "01975c2e-8f6a-7000-8000-000000000001"
KEY = "consistency:2027-01-10:0123456789abcdef0123456789abcdef"
REPORT = {
    "template": "consistency-report",
    "to": "organizers@example.org",
    "reference": "consistency 2027-01-10",
    "data": {
        "findings": [
            {
                "check": "missing-session",
                "subject": ID,
                "detail": "It is accepted and not on the agenda.",
                "cure": "Send it again.",
            }
        ],
        "link": "https://conference.example.org/back-office/consistency",
    },
}


async def test_ledger(pact: RecordedPact) -> None:
    mail = {"template": match.str("proposal-received"), "state": "sent"}
    (
        question_for_mails(pact, ID, "a mail was sent", reference=ID)
        .will_respond_with(200)
        .with_body({"items": some(mail)}, JSON)
    )
    async with pact.neighbour() as email:
        (found,) = await EmailClient(email).list_emails(UUID(ID))
    assert (found.template, found.state) == ("proposal-received", "sent")


async def test_ledger_without_mails(pact: RecordedPact) -> None:
    (question_for_mails(pact, ID, "no mails").will_respond_with(200).with_body({"items": []}, JSON))
    async with pact.neighbour() as email:
        assert not await EmailClient(email).list_emails(UUID(ID))


async def test_findings_are_mailed(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a mail with findings")
        .given("no mails")
        .with_request("POST", "/emails")
        .with_header("Idempotency-Key", KEY)
        .with_body(REPORT, JSON)
        .will_respond_with(202)
    )
    async with pact.neighbour() as email:
        await EmailClient(email).send_email(REPORT, KEY)


async def test_findings_were_mailed_in_other_words(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a mail with findings that were mailed in other words")
        .given("a mail was sent", key=KEY)
        .with_request("POST", "/emails")
        .with_header("Idempotency-Key", KEY)
        .with_body(REPORT, JSON)
        .will_respond_with(422)
        .with_body({"type": "urn:problem:idempotency-key-reused"}, PROBLEM)
    )
    async with pact.neighbour() as email:
        await EmailClient(email).send_email(REPORT, KEY)


async def test_mail_that_the_relay_does_not_take(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a mail with findings")
        .given("the mail relay is unavailable")
        .with_request("POST", "/emails")
        .with_header("Idempotency-Key", KEY)
        .with_body(REPORT, JSON)
        .will_respond_with(503)
        .with_body({"type": "urn:problem:relay-unavailable"}, PROBLEM)
    )
    async with pact.neighbour() as email:
        with pytest.raises(NeighbourUnavailableError, match="503"):
            await EmailClient(email).send_email(REPORT, KEY)


async def test_ledger_that_is_unavailable(pact: RecordedPact) -> None:
    (question_for_mails(pact, ID, STORE_UNAVAILABLE).will_respond_with(503))
    async with pact.neighbour() as email:
        with pytest.raises(NeighbourUnavailableError, match="503"):
            await EmailClient(email).list_emails(UUID(ID))

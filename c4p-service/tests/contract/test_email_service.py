"""Expectations of email-service: a success names the key, a refusal its type."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pact import match

from c4p.clients import EmailClient, RefusedError, TryLaterError
from c4p.domain import Delivery, DeliveryKind, DeliveryState, Target
from c4p.links import Links
from servicekit.http import Neighbour, NeighbourUnavailableError
from testkit.contract.consumer import (
    JSON,
    PROBLEM,
    STORE_UNAVAILABLE,
    RecordedPact,
    problem,
    question_for_mails,
    some,
    time,
)

PROPOSAL_ID = "01975c2e-8f6a-7000-8000-000000000001"
DELIVERY_ID = "01975c2e-8f6a-7000-8000-000000000002"
KEY = f"{DELIVERY_ID}:1"
AT = datetime(2027, 1, 10, 9, tzinfo=UTC)
TALK = {"speaker_name": "Ada Lovelace", "title": "Outboxes"}
LINK_EXAMPLE = f"https://conference.example.org/proposals/{PROPOSAL_ID}?token=abc.def"
LINK = match.regex(
    LINK_EXAMPLE,
    regex=rf"^https://conference\.example\.org/proposals/{PROPOSAL_ID}\?token=[\w.-]+$",
)

RECEIVED = {
    "template": "proposal-received",
    "to": "ada@example.org",
    "reference": PROPOSAL_ID,
    "data": {**TALK, "link": LINK_EXAMPLE},
}


def delivery(kind: DeliveryKind, **words: str | None) -> Delivery:
    return Delivery(
        id=UUID(DELIVERY_ID),
        proposal_id=UUID(PROPOSAL_ID),
        target=Target.EMAIL,
        kind=kind,
        state=DeliveryState.WAITING,
        data={"to": "ada@example.org", "data": {**TALK, **words}},
        generation=1,
        attempts=1,
        failures=0,
        created_at=AT,
        requested_at=AT,
        next_attempt_at=AT,
        delivered_at=None,
        last_error=None,
        traceparent=None,
    )


def mail(template: str, **words: str | None) -> dict[str, Any]:
    return {
        "template": template,
        "to": "ada@example.org",
        "reference": PROPOSAL_ID,
        "data": {**TALK, **words, "link": LINK},
    }


def refused(slug: str) -> dict[str, Any]:
    """As much of a problem as c4p-service reads; the detail is kept for the organizers."""
    return {"type": f"urn:problem:{slug}", "detail": match.str("Why it was refused.")}


def client(neighbour: Neighbour) -> EmailClient:
    return EmailClient(neighbour, Links("k" * 32, "https://conference.example.org", 400))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (DeliveryKind.RECEIVED, {}),
        (DeliveryKind.ACCEPTED, {"message": "See you\nin June."}),
        (DeliveryKind.REJECTED, {"message": None}),
        (DeliveryKind.WITHDRAWN, {}),
    ],
)
async def test_mail_is_taken(
    pact: RecordedPact, kind: DeliveryKind, words: dict[str, str | None]
) -> None:
    (
        pact.upon_receiving(f"a mail that a proposal was {kind}")
        .given("no mails")
        .with_request("POST", "/emails")
        .with_header("Idempotency-Key", KEY)
        .with_body(mail(f"proposal-{kind}", **words), JSON)
        .will_respond_with(202)
        .with_body({"key": KEY}, JSON)
    )
    async with pact.neighbour() as email:
        await client(email).send(delivery(kind, **words))


async def test_repeated_mail_is_taken(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a mail that was sent before")
        .given("a mail was sent", {"key": KEY, **RECEIVED})
        .with_request("POST", "/emails")
        .with_header("Idempotency-Key", KEY)
        .with_body(mail("proposal-received"), JSON)
        .will_respond_with(202)
        .with_body({"key": KEY}, JSON)
    )
    async with pact.neighbour() as email:
        await client(email).send(delivery(DeliveryKind.RECEIVED))


@pytest.mark.parametrize(
    ("what", "state", "params", "status", "slug", "error"),
    [
        (
            "is being sent",
            "a mail is being sent",
            {"key": KEY, **RECEIVED},
            409,
            "sending-now",
            TryLaterError,
        ),
        (
            "comes under the key of another",
            "a mail was sent",
            {"key": KEY, "to": "grace@example.org"},
            422,
            "idempotency-key-reused",
            RefusedError,
        ),
        (
            "the relay does not take",
            "the mail relay is unavailable",
            {},
            503,
            "relay-unavailable",
            TryLaterError,
        ),
        ("can't be put into the ledger", STORE_UNAVAILABLE, {}, 503, "unavailable", TryLaterError),
    ],
)
async def test_mail_is_not_taken(
    pact: RecordedPact,
    what: str,
    state: str,
    params: dict[str, object],
    status: int,
    slug: str,
    error: type[Exception],
) -> None:
    (
        pact.upon_receiving(f"a mail that {what}")
        .given(state, params)
        .with_request("POST", "/emails")
        .with_header("Idempotency-Key", KEY)
        .with_body(mail("proposal-received"), JSON)
        .will_respond_with(status)
        .with_body(refused(slug), PROBLEM)
    )
    async with pact.neighbour() as email:
        with pytest.raises(error, match=f"{status} Why it was refused"):
            await client(email).send(delivery(DeliveryKind.RECEIVED))


async def test_address_that_can_never_be_mailed_is_for_a_person(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a mail to what is no address")
        .given("no mails")
        .with_request("POST", "/emails")
        .with_header("Idempotency-Key", KEY)
        .with_body({**mail("proposal-received"), "to": "ada@"}, JSON)
        .will_respond_with(422)
        .with_body(refused("invalid-request"), PROBLEM)
    )
    unmailable = {"to": "ada@", "data": TALK}
    async with pact.neighbour() as email:
        with pytest.raises(RefusedError, match="422 Why it was refused"):
            await client(email).send(replace(delivery(DeliveryKind.RECEIVED), data=unmailable))


SENT = {
    "key": match.str(KEY),
    "template": match.str("proposal-received"),
    "to": match.str("a***@example.org"),
    "reference": PROPOSAL_ID,
}


async def test_mails_about_a_proposal(pact: RecordedPact) -> None:
    sent = {**SENT, "state": "sent", "sent_at": time("2027-01-10T09:00:01Z")}
    (
        question_for_mails(pact, PROPOSAL_ID, "a mail was sent", reference=PROPOSAL_ID)
        .will_respond_with(200)
        .with_body({"items": some(sent)}, JSON)
    )
    async with pact.neighbour() as email:
        (mail,) = await client(email).list_about(UUID(PROPOSAL_ID))
    assert mail.sent_at is not None


async def test_mail_under_way(pact: RecordedPact) -> None:
    sending = {**SENT, "state": "sending", "sent_at": None}
    (
        question_for_mails(
            pact,
            PROPOSAL_ID,
            "a mail is being sent",
            "a question for a mail that is under way",
            reference=PROPOSAL_ID,
        )
        .will_respond_with(200)
        .with_body({"items": some(sending)}, JSON)
    )
    async with pact.neighbour() as email:
        (mail,) = await client(email).list_about(UUID(PROPOSAL_ID))
    assert mail.sent_at is None


async def test_no_mails_about_a_proposal(pact: RecordedPact) -> None:
    (
        question_for_mails(
            pact, PROPOSAL_ID, "no mails", "a question for the mails about a proposal that has none"
        )
        .will_respond_with(200)
        .with_body({"items": []}, JSON)
    )
    async with pact.neighbour() as email:
        assert await client(email).list_about(UUID(PROPOSAL_ID)) == []


async def test_mails_while_the_ledger_is_unavailable(pact: RecordedPact) -> None:
    (
        question_for_mails(pact, PROPOSAL_ID, STORE_UNAVAILABLE)
        .will_respond_with(503)
        .with_body(problem("unavailable", 503), PROBLEM)
    )
    async with pact.neighbour() as email:
        with pytest.raises(NeighbourUnavailableError, match="503"):
            await client(email).list_about(UUID(PROPOSAL_ID))

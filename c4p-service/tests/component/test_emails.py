"""Organizers see email-service's ledger: c4p-service asks it in its own name."""

from collections.abc import Callable
from threading import Event
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from c4p.clients import LOOKUP_TIMEOUT_SECONDS
from testkit.fake import Answer, Call, FakeNeighbour
from testkit.problems import problem


def test_mails_about_a_proposal_are_those_that_email_service_remembers(
    client: httpx2.Client, submit: Callable[..., dict[str, Any]]
) -> None:
    proposal = submit()
    (mail,) = client.get(f"/proposals/{proposal['id']}/emails").raise_for_status().json()["items"]
    assert (mail["template"], mail["reference"]) == ("proposal-received", proposal["id"])
    assert (mail["to"], mail["state"]) == ("a***@example.org", "sent")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503, {"type": "urn:problem:unavailable", "detail": "unavailable"}),
        Answer(401, {"type": "urn:problem:sign-in-required", "detail": "who?"}),
        Answer(200, {"items": [{"key": "x"}]}),
        Answer(200, b"<html>"),
    ],
)
def test_mails_that_can_not_be_had_are_an_absence(
    client: httpx2.Client, email: FakeNeighbour, answer: Answer
) -> None:
    email.answer = lambda _: answer
    refused = client.get(f"/proposals/{uuid4()}/emails")
    assert problem(refused) == (503, "unavailable")
    assert "email-service" in refused.json()["detail"]


def test_mails_are_not_waited_for_longer_than_the_frontend_waits(
    client: httpx2.Client, email: FakeNeighbour
) -> None:
    looked = Event()

    def slow(_: Call) -> Answer:
        looked.wait(30)
        return Answer(200, {"items": []})

    email.answer = slow
    assert LOOKUP_TIMEOUT_SECONDS < 3, "as long as the frontend has patience"
    # Less than the outbox gives a call, and more than a busy machine needs beside that limit.
    refused = client.get(f"/proposals/{uuid4()}/emails", timeout=8)
    looked.set()
    assert problem(refused) == (503, "unavailable")

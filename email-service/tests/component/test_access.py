"""Rights to send mails, and to see those that were sent."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from testkit.access import assert_closed
from testkit.issuer import Issuer
from testkit.problems import problem
from testkit.process import Process

AUDIENCE = "conference-mail"


def test_every_route_wants_a_role(service: Process, issuer: Issuer) -> None:
    with httpx2.Client(base_url=service.url, timeout=10) as nobody:
        assert_closed(nobody, issuer, audience=AUDIENCE)


Ask = Callable[[dict[str, str]], tuple[httpx2.Response, httpx2.Response]]


@pytest.fixture
def ask(client: httpx2.Client, order: Callable[..., dict[str, Any]]) -> Ask:
    """Send a mail, and ask for the mails about the same."""

    def run(headers: dict[str, str]) -> tuple[httpx2.Response, httpx2.Response]:
        body = order()
        key = {"Idempotency-Key": body["reference"]}
        return (
            client.post("/emails", json=body, headers={**headers, **key}),
            client.get("/emails", params={"reference": body["reference"]}, headers=headers),
        )

    return run


def test_mail_sender_sends_and_reads(ask: Ask, issuer: Issuer) -> None:
    assert [each.status_code for each in ask(issuer.bearer("mail-sender", aud=AUDIENCE))] == [
        202,
        200,
    ]


@pytest.mark.parametrize("role", ["organizer", "auditor", "reviewer", "agenda-writer"])
def test_other_roles_do_neither(ask: Ask, issuer: Issuer, role: str) -> None:
    for answer in ask(issuer.bearer(role, aud=AUDIENCE)):
        assert problem(answer) == (403, "role-required")


@pytest.mark.parametrize("role", ["organizer", "mail-sender"])
def test_token_for_the_other_services_opens_nothing(ask: Ask, issuer: Issuer, role: str) -> None:
    for answer in ask(issuer.bearer(role)):
        assert problem(answer) == (401, "sign-in-required")

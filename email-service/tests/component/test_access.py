"""Who may send mails, and who may see which were sent."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from embedded.process import Process
from servicekit.testing import Issuer, assert_closed, problem


def test_every_route_wants_a_role(service: Process, issuer: Issuer) -> None:
    with httpx2.Client(base_url=service.url, timeout=10) as nobody:
        assert_closed(nobody, issuer)


@pytest.mark.parametrize(
    ("role", "may_send", "may_read"),
    [
        ("mail-sender", True, False),
        ("organizer", False, True),
        ("auditor", False, True),
        ("reviewer", False, False),
        ("agenda-writer", False, False),
    ],
)
def test_role_allows_its_own_and_no_more(
    client: httpx2.Client,
    order: Callable[..., dict[str, Any]],
    issuer: Issuer,
    role: str,
    may_send: bool,
    may_read: bool,
) -> None:
    headers = issuer.bearer(role)
    body = order()
    sent = client.post("/emails", json=body, headers={**headers, "Idempotency-Key": role})
    read = client.get("/emails", params={"reference": body["reference"]}, headers=headers)
    for answer, is_allowed in ((sent, may_send), (read, may_read)):
        assert answer.is_success is is_allowed, answer.text
        if not is_allowed:
            assert problem(answer) == (403, "role-required")

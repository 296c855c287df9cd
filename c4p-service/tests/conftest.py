"""What the fakes of agenda-service and email-service answer unless a test wants otherwise."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from embedded.fake import Answer, Call


def sent(reference: str) -> dict[str, str]:
    """A mail about something, as email-service remembers it."""
    return {
        "key": "01975c2e-8f6a-7000-8000-000000000002:1",
        "template": "proposal-received",
        "to": "a***@example.org",
        "reference": reference,
        "state": "sent",
        "sent_at": "2027-01-10T09:00:01Z",
    }


def _agree(call: Call) -> Answer:
    if call.method == "DELETE":
        return Answer(204, b"")
    if call.method == "GET":
        (reference,) = parse_qs(urlsplit(call.path).query)["reference"]
        return Answer(200, {"items": [sent(reference)]})
    if call.path == "/emails":
        return Answer(202, {"key": call.headers["idempotency-key"]})
    return Answer(201, {"proposal_id": call.path.removeprefix("/sessions/")})


@pytest.fixture(scope="session")
def agree() -> Callable[[Call], Answer]:
    """The answer of a receiver that does what it is asked."""
    return _agree

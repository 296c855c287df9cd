"""What the fakes of agenda-service and email-service answer unless a test wants otherwise."""

from collections.abc import Callable

import pytest

from embedded.fake import Answer, Call


def _agree(call: Call) -> Answer:
    if call.method == "DELETE":
        return Answer(204, b"")
    if call.path == "/emails":
        return Answer(202, {"key": call.headers["idempotency-key"]})
    return Answer(201, {"proposal_id": call.path.removeprefix("/sessions/")})


@pytest.fixture(scope="session")
def agree() -> Callable[[Call], Answer]:
    """The answer of a receiver that does what it is asked."""
    return _agree

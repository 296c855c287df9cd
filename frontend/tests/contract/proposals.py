"""Proposals as the frontend sees them."""

from typing import Any

from pact import match

from testkit.contract.consumer import time

ID = "01975c2e-8f6a-7000-8000-000000000001"
OTHER_ID = "01975c2e-8f6a-7000-8000-000000000002"
"""Ids that stand for those that c4p-service makes."""
SUBMITTED = "a submitted proposal"
ACCEPTED = "an accepted proposal"


def proposal(state: str = "submitted", **fields: Any) -> dict[str, Any]:
    """A proposal in this state, as it is when nothing was decided."""
    return {
        "id": match.uuid(ID),
        "title": match.str("Outboxes"),
        "abstract": match.str("Why calls belong in tables."),
        "speaker_name": match.str("Ada Lovelace"),
        "speaker_email": match.str("ada@example.org"),
        "state": state,
        "version": match.int(1),
        "submitted_at": time(),
        "updated_at": time(),
        "decided_at": None,
        "message": None,
        **fields,
    }


DECISION = {"decided_at": time("2027-01-11T09:00:00Z"), "message": match.str("See you in June.")}
"""What a proposal has once it is decided with words for its speaker."""

"""The problems that clients of c4p-service get, and the exceptions that become them."""

from collections.abc import Mapping

from c4p.domain import (
    DeliveryChangedError,
    DeliveryNotFoundError,
    KeyReusedError,
    ProposalNotFoundError,
    WindowClosedError,
    WrongStateError,
)
from c4p.store.database import StoreUnavailableError
from servicekit.problems import IDEMPOTENCY_KEY_REUSED, UNAVAILABLE, Problem, ProblemType
from servicekit.security import LinkExpiredError, LinkRefusedError

PROPOSAL_NOT_FOUND = ProblemType(
    "proposal-not-found", 404, "There is no such proposal", "Check the id."
)
DELIVERY_NOT_FOUND = ProblemType(
    "delivery-not-found", 404, "There is no such delivery", "Check the id."
)
DELIVERY_CHANGED = ProblemType(
    "delivery-changed",
    409,
    "It was tried again meanwhile",
    "Look at the delivery; retry it with the `attempts` that it has now if you still want to.",
)
WINDOW_CLOSED = ProblemType(
    "window-closed",
    403,
    "The call for proposals is not open",
    "`opens_at` and `closes_at` tell when it is; the organizers set them.",
)
WRONG_STATE = ProblemType(
    "wrong-state",
    409,
    "The proposal's state does not allow this",
    "`state` tells where it stands. Submitted proposals may be edited, accepted, rejected or "
    "withdrawn, accepted ones withdrawn, rejected ones accepted.",
)
STALE_EDIT = ProblemType(
    "stale-edit",
    412,
    "Somebody changed it meanwhile",
    "`current` is the proposal as it is now: merge, and send again with its version in If-Match.",
)
IF_MATCH_REQUIRED = ProblemType(
    "if-match-required",
    428,
    "If-Match is needed",
    "Send the ETag of the proposal that you read, so that nobody's change is overwritten.",
)
ADDRESS_NOT_VERIFIED = ProblemType(
    "address-not-verified",
    403,
    "The address of this sign-in is not verified",
    "Let the OpenID provider verify your email address, then sign in again.",
)
LINK_REFUSED = ProblemType(
    "link-refused",
    403,
    "The link is not accepted",
    "Use the link from the newest mail about this proposal, whole.",
)
LINK_EXPIRED = ProblemType(
    "link-expired",
    403,
    "The link has expired",
    "Ask the organizers, who can change and withdraw the proposal for its speaker.",
)

PROBLEMS: Mapping[type[Exception], ProblemType] = {
    ProposalNotFoundError: PROPOSAL_NOT_FOUND,
    DeliveryNotFoundError: DELIVERY_NOT_FOUND,
    DeliveryChangedError: DELIVERY_CHANGED,
    WindowClosedError: WINDOW_CLOSED,
    WrongStateError: WRONG_STATE,
    KeyReusedError: IDEMPOTENCY_KEY_REUSED,
    LinkExpiredError: LINK_EXPIRED,
    LinkRefusedError: LINK_REFUSED,
    StoreUnavailableError: UNAVAILABLE,
}
"""The type of the problem that each exception becomes."""


def problem_of(error: Exception) -> Problem:
    """Return the problem that an exception of PROBLEMS becomes."""
    return Problem(PROBLEMS[type(error)], str(error), **getattr(error, "members", {}))

"""The problems that clients of email-service get, beside those of every service."""

from email_service.domain import (
    IdempotencyKeyReusedError,
    RecipientRefusedError,
    RelayUnavailableError,
    SendingNowError,
    TemplateDataError,
    UnknownTemplateError,
)
from email_service.store import LedgerUnavailableError
from servicekit.problems import IDEMPOTENCY_KEY_REUSED, UNAVAILABLE, ProblemType

IDEMPOTENCY_KEY_MISSING = ProblemType(
    "idempotency-key-missing",
    400,
    "The Idempotency-Key is missing",
    "Send an `Idempotency-Key` header, the same for each attempt at the same mail.",
)
SENDING_NOW = ProblemType(
    "sending-now",
    409,
    "This mail is being sent just now",
    "Ask again with the same key after `Retry-After` seconds.",
)
UNKNOWN_TEMPLATE = ProblemType(
    "unknown-template", 422, "There is no such template", "`templates` lists those there are."
)
TEMPLATE_DATA = ProblemType(
    "template-data",
    422,
    "The data are not what the template needs",
    "Correct each field that `errors` names; nothing was sent.",
)
RELAY_UNAVAILABLE = ProblemType(
    "relay-unavailable",
    503,
    "The mail relay does not take the mail just now",
    "Nothing is lost: send it again with the same key after `Retry-After` seconds.",
)
RECIPIENT_REFUSED = ProblemType(
    "recipient-refused",
    422,
    "The mail relay refuses this mail for good",
    "Check the address; `detail` has the relay's own words.",
)

PROBLEMS: dict[type[Exception], ProblemType] = {
    IdempotencyKeyReusedError: IDEMPOTENCY_KEY_REUSED,
    SendingNowError: SENDING_NOW,
    UnknownTemplateError: UNKNOWN_TEMPLATE,
    TemplateDataError: TEMPLATE_DATA,
    RelayUnavailableError: RELAY_UNAVAILABLE,
    RecipientRefusedError: RECIPIENT_REFUSED,
    LedgerUnavailableError: UNAVAILABLE,
}
"""The problem that clients get for each exception of the service."""

"""What travels over HTTP, and the problems that it may come back as."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from email_service.domain import (
    Entry,
    IdempotencyKeyReusedError,
    LedgerUnavailableError,
    RecipientRefusedError,
    RelayUnavailableError,
    SendingNowError,
    State,
    TemplateDataError,
    UnknownTemplateError,
    ascii_address,
)
from servicekit.problems import IDEMPOTENCY_KEY_REUSED, UNAVAILABLE, ProblemType
from servicekit.text import Line

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

ERRORS: dict[type[Exception], ProblemType] = {
    IdempotencyKeyReusedError: IDEMPOTENCY_KEY_REUSED,
    SendingNowError: SENDING_NOW,
    UnknownTemplateError: UNKNOWN_TEMPLATE,
    TemplateDataError: TEMPLATE_DATA,
    RelayUnavailableError: RELAY_UNAVAILABLE,
    RecipientRefusedError: RECIPIENT_REFUSED,
    LedgerUnavailableError: UNAVAILABLE,
}

IdempotencyKey = Annotated[str, StringConstraints(max_length=200, pattern=r"^[!-~]*$")]
Reference = Annotated[Line, Field(max_length=200)]
Address = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=254),
    AfterValidator(ascii_address),
    Field(json_schema_extra={"format": "email"}),
]


class EmailIn(BaseModel):
    """A mail to send."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "template": "proposal-accepted",
                    "to": "ada@example.org",
                    "reference": "01975c2e-8f6a-7000-8000-000000000001",
                    "data": {
                        "speaker_name": "Ada Lovelace",
                        "title": "Notes on the Analytical Engine",
                        "message": None,
                        "link": "https://conference.example.org/proposals/1",
                    },
                }
            ]
        },
    )

    template: Annotated[Line, Field(max_length=100, description="the name of a template")]
    to: Address
    reference: Reference = Field(description="the caller's own name for what the mail is about")
    data: dict[str, Any] = Field(description="what the template needs")


class EmailOut(BaseModel):
    """A mail that was sent, or is being sent."""

    key: str
    template: str
    to: str = Field(description="the address, masked")
    reference: str
    state: State
    sent_at: datetime | None = Field(description="when the relay took it")

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """As it travels."""
        return cls(
            key=entry.key,
            template=entry.template,
            to=entry.to_masked,
            reference=entry.reference,
            state=entry.state,
            sent_at=entry.sent_at,
        )


class EmailList(BaseModel):
    """The newest mails under a reference, at most 100."""

    items: list[EmailOut]

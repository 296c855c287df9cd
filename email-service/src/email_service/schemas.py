"""The bodies of requests to email-service, and of its responses."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from email_service.domain import LedgerEntry, MailRequest, State, ascii_address
from servicekit.text import Line

IdempotencyKey = Annotated[str, StringConstraints(max_length=200, pattern=r"^[!-~]*$")]
Reference = Annotated[Line, Field(max_length=200)]
Address = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=254),
    AfterValidator(ascii_address),
    Field(json_schema_extra={"format": "email"}),
]


class EmailInput(BaseModel):
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

    def to_request(self) -> MailRequest:
        """Return it for the domain; `data` is not compared with the template yet."""
        return MailRequest(self.template, self.to, self.reference, self.data)


class EmailOutput(BaseModel):
    """A mail that was sent, or is being sent."""

    key: str
    template: str
    to: str = Field(description="the address, masked")
    reference: str
    state: State
    sent_at: datetime | None = Field(description="when the relay took it")

    @classmethod
    def from_entry(cls, entry: LedgerEntry) -> Self:
        """Return the body for a ledger entry."""
        return cls(
            key=entry.key,
            template=entry.template,
            to=entry.to_masked,
            reference=entry.reference,
            state=entry.state,
            sent_at=entry.sent_at,
        )


class EmailListOutput(BaseModel):
    """The newest mails under a reference, at most 100."""

    items: list[EmailOutput]

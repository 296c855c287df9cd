"""The bodies of requests and answers about deliveries, and about the mails that came of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from c4p.clients import SentEmail
from c4p.domain import Delivery, DeliveryKind, DeliveryState, Target
from c4p.schemas.fields import Input


class DeliveryOutput(BaseModel):
    """A call to another service that a change caused."""

    id: UUID
    proposal_id: UUID
    target: Target
    kind: DeliveryKind
    state: DeliveryState
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    last_error: str | None

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Return the body for `delivery`."""
        return cls.model_validate(delivery, from_attributes=True)


class DeliveryListOutput(BaseModel):
    """Deliveries, the newest first; `next_cursor` is null on the last page."""

    items: list[DeliveryOutput]
    next_cursor: UUID | None


class RetryInput(Input):
    """The `attempts` of the delivery that its reader saw."""

    attempts: int = Field(ge=0, le=2**31 - 1, strict=True)


class EmailOutput(BaseModel):
    """A mail as email-service remembers it; `to` is masked, `sent_at` null while it is sent."""

    key: str
    template: str
    to: str
    reference: str
    state: Literal["sending", "sent"]
    sent_at: datetime | None


class EmailListOutput(BaseModel):
    """The mails about a proposal, the newest first."""

    items: list[EmailOutput]

    @classmethod
    def of(cls, emails: Sequence[SentEmail]) -> Self:
        """Return the body for `emails`."""
        items = [EmailOutput.model_validate(each, from_attributes=True) for each in emails]
        return cls(items=items)

"""The bodies of requests and answers about reviews."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from c4p.domain import Review
from c4p.schemas.fields import Input, Message


class ReviewInput(Input):
    """A review; the score 1 is poor, 5 is excellent."""

    score: int = Field(ge=1, le=5, strict=True)
    comment: Message


class ReviewOutput(BaseModel):
    """A review; `subject` is the reviewer's at the OpenID provider."""

    subject: str
    reviewer: str
    score: int
    comment: str
    at: datetime

    @classmethod
    def of(cls, review: Review) -> Self:
        """Return the body for `review`."""
        return cls.model_validate(review, from_attributes=True)


class ReviewListOutput(BaseModel):
    """The reviews of a proposal, the oldest first."""

    items: list[ReviewOutput]

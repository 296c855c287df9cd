"""The bodies of requests and answers about proposals."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, EmailStr, Field, StringConstraints, model_validator

from c4p.domain import Draft, Event, EventKind, Proposal, Score, State
from c4p.schemas.fields import Input
from servicekit.text import Line, Paragraphs, SearchText

Title = Annotated[Line, Field(max_length=200)]
Abstract = Annotated[Paragraphs, Field(max_length=5000)]
Name = Annotated[Line, Field(max_length=120)]
Search = Annotated[SearchText, Field(max_length=100)]


class ProposalInput(Input):
    """A new proposal."""

    title: Title
    abstract: Abstract
    speaker_name: Name
    speaker_email: Annotated[EmailStr, StringConstraints(max_length=254)]

    def draft(self) -> Draft:
        """Return the same for the domain."""
        return Draft(**self.model_dump())


class ProposalEditInput(Input):
    """The fields that a speaker may change; at least one of them."""

    title: Title = ""
    abstract: Abstract = ""
    speaker_name: Name = ""

    @model_validator(mode="after")
    def _has_one_at_least(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("at least one of title, abstract and speaker_name is needed")
        return self


class ProposalOutput(BaseModel):
    """A proposal; times are UTC."""

    id: UUID
    title: str
    abstract: str
    speaker_name: str
    speaker_email: str
    state: State
    version: int
    submitted_at: datetime
    updated_at: datetime
    decided_at: datetime | None
    message: str | None

    @classmethod
    def of(cls, proposal: Proposal) -> Self:
        """Return the body for `proposal`."""
        return cls.model_validate(proposal, from_attributes=True)


class ScoreOutput(BaseModel):
    """The mean of the scores of a proposal's reviews, 1 to 5, and the number of reviews."""

    average: float
    count: int


class ListedProposalOutput(ProposalOutput):
    """A proposal with its score, for those who decide; null without reviews."""

    score: ScoreOutput | None

    @classmethod
    def with_score(cls, proposal: Proposal, score: Score | None) -> Self:
        """Return the body for `proposal` and its score."""
        found = ScoreOutput.model_validate(score, from_attributes=True) if score else None
        return cls(**ProposalOutput.of(proposal).model_dump(), score=found)


class CountsOutput(BaseModel):
    """The number of proposals that match the search, by state."""

    submitted: int
    accepted: int
    rejected: int
    withdrawn: int


class ProposalListOutput(BaseModel):
    """Proposals, the newest first; `next_cursor` is null on the last page."""

    items: list[ListedProposalOutput]
    next_cursor: UUID | None
    counts: CountsOutput


class OwnProposalListOutput(BaseModel):
    """One speaker's proposals, the newest first; `next_cursor` is null on the last page."""

    items: list[ProposalOutput]
    next_cursor: UUID | None


class EventOutput(BaseModel):
    """One change; `data` has the words that were replaced, or the message of a decision.

    `subject` is the actor's at the OpenID provider; null for who was not signed in.
    """

    id: UUID
    kind: EventKind
    actor: str
    subject: str | None
    at: datetime
    version: int
    data: dict[str, Any]

    @classmethod
    def of(cls, event_id: UUID, event: Event) -> Self:
        """Return the body for `event`."""
        return cls(
            id=event_id,
            kind=event.kind,
            actor=event.actor,
            subject=event.subject,
            at=event.at,
            version=event.version,
            data=dict(event.data),
        )


class EventListOutput(BaseModel):
    """The events of a proposal, the oldest first."""

    items: list[EventOutput]

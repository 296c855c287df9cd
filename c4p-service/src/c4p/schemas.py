"""What travels over HTTP to and from c4p-service."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)

from c4p.domain import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Draft,
    Event,
    EventKind,
    Proposal,
    Review,
    State,
    Target,
    Window,
)
from c4p.reviews import Score
from servicekit.problems import ProblemDocument
from servicekit.text import Line, Paragraphs, SearchText

Title = Annotated[Line, Field(max_length=200)]
Abstract = Annotated[Paragraphs, Field(max_length=5000)]
Name = Annotated[Line, Field(max_length=120)]
Message = Annotated[Paragraphs, Field(max_length=2000)]
Search = Annotated[SearchText, Field(max_length=100)]
Words = Annotated[Line, Field(max_length=1000)]


def _is_text(value: object) -> object:
    if not isinstance(value, str | datetime | None):
        raise ValueError("give a time as text, such as 2027-01-31T12:00:00Z")
    return value


def _to_utc(time: datetime) -> datetime:
    return time.astimezone(UTC)


Instant = Annotated[AwareDatetime, BeforeValidator(_is_text), AfterValidator(_to_utc)]
"""A time sent with its offset, never as a number of seconds; from then on in UTC."""


class Input(BaseModel):
    """A request's body: a field that nobody knows is an error, not a typo without effect."""

    model_config = ConfigDict(extra="forbid")


class NewProposal(Input):
    """What a speaker submits."""

    title: Title
    abstract: Abstract
    speaker_name: Name
    speaker_email: Annotated[EmailStr, StringConstraints(max_length=254)]

    def draft(self) -> Draft:
        """The same for the domain."""
        return Draft(**self.model_dump())


class ProposalEdit(Input):
    """What a speaker may change; at least one of them."""

    title: Title = ""
    abstract: Abstract = ""
    speaker_name: Name = ""

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("at least one of title, abstract and speaker_name is needed")
        return self


class DecisionValue(StrEnum):
    """What organizers may decide."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class DecisionInput(Input):
    """One decision, with words for the speaker."""

    decision: DecisionValue
    message: Message | None = None


class DecisionFor(DecisionInput):
    """One decision of many."""

    proposal_id: UUID


class DecisionsInput(Input):
    """Many decisions, each of which may succeed or fail alone."""

    decisions: Annotated[list[DecisionFor], Field(min_length=1, max_length=100)]


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
        """A proposal as it travels."""
        return cls.model_validate(proposal, from_attributes=True)


class ScoreOutput(BaseModel):
    """What the reviewers of a proposal think together: the mean of their scores, 1 to 5."""

    average: float
    count: int


class ListedProposal(ProposalOutput):
    """A proposal as those see it who decide; null without reviews."""

    score: ScoreOutput | None

    @classmethod
    def with_score(cls, proposal: Proposal, score: Score | None) -> Self:
        """A proposal as it travels, with what its reviewers think."""
        found = ScoreOutput.model_validate(score, from_attributes=True) if score else None
        return cls(**ProposalOutput.of(proposal).model_dump(), score=found)


class ReviewInput(Input):
    """What a reviewer thinks: 1 is poor, 5 is excellent."""

    score: int = Field(ge=1, le=5, strict=True)
    comment: Message


class ReviewOutput(BaseModel):
    """What one reviewer thinks; `subject` is theirs at the OpenID provider."""

    subject: str
    reviewer: str
    score: int
    comment: str
    at: datetime

    @classmethod
    def of(cls, review: Review) -> Self:
        """A review as it travels."""
        return cls.model_validate(review, from_attributes=True)


class Reviews(BaseModel):
    """The reviews of a proposal, the oldest first."""

    items: list[ReviewOutput]


class Counts(BaseModel):
    """How many proposals match the search, by state."""

    submitted: int
    accepted: int
    rejected: int
    withdrawn: int


class ProposalPage(BaseModel):
    """Proposals, the newest first; `next_cursor` is null on the last page."""

    items: list[ListedProposal]
    next_cursor: UUID | None
    counts: Counts


class OwnProposals(BaseModel):
    """One speaker's proposals, the newest first; `next_cursor` is null on the last page."""

    items: list[ProposalOutput]
    next_cursor: UUID | None


class DecisionResult(BaseModel):
    """What became of one decision of many: the proposal, or the problem."""

    proposal_id: UUID
    status: int
    proposal: ProposalOutput | None = None
    problem: ProblemDocument | None = None


class DecisionResults(BaseModel):
    """A result for each decision, in their order."""

    results: list[DecisionResult]


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
        """An event as it travels."""
        return cls(
            id=event_id,
            kind=event.kind,
            actor=event.actor,
            subject=event.subject,
            at=event.at,
            version=event.version,
            data=dict(event.data),
        )


class Events(BaseModel):
    """What happened to a proposal, the oldest first."""

    items: list[EventOutput]


class WindowInput(Input):
    """When proposals are taken; null is no bound."""

    opens_at: Instant | None
    closes_at: Instant | None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens_at and self.closes_at and self.closes_at <= self.opens_at:
            raise ValueError("closes_at must be after opens_at")
        return self


class WindowOutput(BaseModel):
    """When proposals are taken, and whether that is now."""

    opens_at: datetime | None
    closes_at: datetime | None
    open: bool

    @classmethod
    def of(cls, window: Window, now: datetime) -> Self:
        """The window as it is at `now`."""
        return cls(opens_at=window.opens_at, closes_at=window.closes_at, open=window.is_open(now))


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
        """A delivery as it travels."""
        return cls.model_validate(delivery, from_attributes=True)


class RetryInput(Input):
    """The `attempts` of the delivery that its reader saw."""

    attempts: int = Field(ge=0, le=2**31 - 1, strict=True)


class DeliveryPage(BaseModel):
    """Deliveries, the newest first; `next_cursor` is null on the last page."""

    items: list[DeliveryOutput]
    next_cursor: UUID | None


class Finding(Input):
    """One thing that does not fit, and what cures it."""

    check: Words
    subject: Words
    detail: Words
    cure: Words
    repaired: StrictBool


class Report(Input):
    """What one run of the consistency job found; `complete` if it could ask every service."""

    id: UUID
    checked_at: Instant
    complete: StrictBool
    findings: Annotated[list[Finding], Field(max_length=200)]


class Reports(BaseModel):
    """The newest reports, the newest first."""

    items: list[Report]


class ActionOutput(BaseModel):
    """What a person or a program did; `data` says to what."""

    id: UUID
    kind: str
    actor: str
    subject: str | None
    at: datetime
    data: dict[str, Any]


class ActionPage(BaseModel):
    """Actions, the newest first; `next_cursor` is null on the last page."""

    items: list[ActionOutput]
    next_cursor: UUID | None

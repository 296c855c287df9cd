"""The answers of the other services, as far as the frontend reads them."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from frontend.domain import zone_named
from servicekit.problems import ProblemDocument

State = Literal["submitted", "accepted", "rejected", "withdrawn"]
Decided = Literal["accepted", "rejected"]
DeliveryState = Literal["waiting", "delivered", "failed"]


class Answer(BaseModel):
    """An answer of another service, which may add fields without breaking us."""

    model_config = ConfigDict(frozen=True, extra="ignore")


# --- agenda-service


class Room(Answer):
    """A room of the venue."""

    id: str
    name: str


class TrackRoom(Room):
    """A room and the track that runs in it."""

    track: str


class Slot(Answer):
    """A time in a room."""

    id: str
    day: date
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    room: Room
    track: str


class ListedSession(Answer):
    """A session as the agenda lists it."""

    proposal_id: UUID
    title: str
    speaker: str
    slot: Slot


class Session(ListedSession):
    """A session with everything that is known of it."""

    abstract: str
    version: int


class Mover(Answer):
    """A move of a session: by whom, and when."""

    name: str
    subject: str
    at: AwareDatetime


class Move(Answer):
    """The last move of a session; None when nobody has moved it."""

    moved: Mover | None


class SessionList(Answer):
    """The agenda, in the order of time and room."""

    items: tuple[ListedSession, ...]


def _zone_name(text: str) -> str:
    if zone_named(text) is None:
        raise ValueError("there is no such time zone")
    return text


class Schedule(Answer):
    """The days, times and rooms of sessions; `timezone` is an IANA name."""

    timezone: Annotated[str, AfterValidator(_zone_name)]
    days: tuple[date, ...]
    rooms: tuple[TrackRoom, ...]
    slots: tuple[Slot, ...]


# --- c4p-service


class Proposal(Answer):
    """A proposal; `version` is what an edit must name."""

    id: UUID
    title: str
    abstract: str
    speaker_name: str
    speaker_email: str
    state: State
    version: int
    submitted_at: AwareDatetime
    updated_at: AwareDatetime
    decided_at: AwareDatetime | None
    message: str | None


class Score(Answer):
    """The reviewers' common opinion of a proposal: the mean of their scores, 1 to 5."""

    average: float
    count: int


class ListedProposal(Proposal):
    """A proposal as those see it who decide."""

    score: Score | None = None


class OwnProposals(Answer):
    """One speaker's proposals, the newest first."""

    items: tuple[Proposal, ...]
    next_cursor: str | None


class ProposalPage(Answer):
    """Some proposals, newest first, and how many there are in each state."""

    items: tuple[ListedProposal, ...]
    next_cursor: str | None
    counts: Mapping[State, int]


class DecisionResult(Answer):
    """The result of one decision of many: a proposal or a problem."""

    proposal_id: UUID
    status: int
    proposal: Proposal | None
    problem: ProblemDocument | None


class DecisionResults(Answer):
    """One result for each decision, in their order."""

    results: tuple[DecisionResult, ...]


class Event(Answer):
    """Something that happened to a proposal."""

    id: UUID | int
    kind: Literal["submitted", "edited", "accepted", "rejected", "withdrawn"]
    actor: str
    at: AwareDatetime
    version: int
    data: Mapping[str, Any]


class EventList(Answer):
    """The history of a proposal."""

    items: tuple[Event, ...]


class Review(Answer):
    """One reviewer's opinion of a proposal: a score from 1 to 5, and why."""

    subject: str
    reviewer: str
    score: int
    comment: str
    at: AwareDatetime


class ReviewList(Answer):
    """The reviews of a proposal."""

    items: tuple[Review, ...]


class Action(Answer):
    """Something that was done and changed no proposal."""

    id: UUID
    kind: str
    actor: str
    subject: str | None
    at: AwareDatetime
    data: Mapping[str, Any]


class ActionPage(Answer):
    """Some actions, newest first."""

    items: tuple[Action, ...]
    next_cursor: str | None


class Window(Answer):
    """The time in which proposals are taken; None means no bound on that side."""

    opens_at: AwareDatetime | None
    closes_at: AwareDatetime | None
    open: bool


class Delivery(Answer):
    """Something that c4p-service has to tell another service."""

    id: UUID
    proposal_id: UUID
    target: Literal["agenda", "email"]
    kind: Literal["session", "received", "accepted", "rejected", "withdrawn"]
    state: DeliveryState
    attempts: int
    created_at: AwareDatetime
    next_attempt_at: AwareDatetime | None
    delivered_at: AwareDatetime | None
    last_error: str | None


class DeliveryPage(Answer):
    """Some deliveries, newest first."""

    items: tuple[Delivery, ...]
    next_cursor: str | None


class Finding(Answer):
    """Something on which two services disagree, and what helps."""

    check: str
    subject: str
    detail: str
    cure: str
    repaired: bool


class Report(Answer):
    """The findings of one consistency check; not `complete` when a service was unavailable."""

    id: UUID
    checked_at: AwareDatetime
    complete: bool
    findings: tuple[Finding, ...]


class ReportList(Answer):
    """The latest reports, newest first."""

    items: tuple[Report, ...]


# --- email-service


class SentEmail(Answer):
    """A mail that was sent or is being sent; `to` is masked."""

    key: str
    template: str
    to: str
    reference: str
    state: str
    sent_at: AwareDatetime | None


class EmailList(Answer):
    """The mails about one thing."""

    items: tuple[SentEmail, ...]

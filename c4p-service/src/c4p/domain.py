"""The rules of a call for proposals, pure: states, transitions, the window, who is told what."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class State(StrEnum):
    """Where a proposal stands."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.SUBMITTED: frozenset({State.ACCEPTED, State.REJECTED, State.WITHDRAWN}),
    State.ACCEPTED: frozenset({State.WITHDRAWN}),
    State.REJECTED: frozenset({State.ACCEPTED}),
    State.WITHDRAWN: frozenset(),
}


class EventKind(StrEnum):
    """What happened to a proposal."""

    SUBMITTED = "submitted"
    EDITED = "edited"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Target(StrEnum):
    """Which service a delivery goes to."""

    AGENDA = "agenda"
    EMAIL = "email"


class DeliveryKind(StrEnum):
    """What a delivery tells: the session to the agenda, anything else to the speaker."""

    SESSION = "session"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class DeliveryState(StrEnum):
    """`failed` means given up: it waits for a person."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class ProposalNotFoundError(Exception):
    """There is no such proposal."""


class WrongStateError(Exception):
    """The proposal's state does not allow this."""

    def __init__(self, state: State, wanted: str) -> None:
        super().__init__(f"The proposal is {state}: it can't be {wanted}.")
        self.members = {"state": str(state)}


class StaleEditError(Exception):
    """The proposal changed since the editor read it."""

    def __init__(self, current: "Proposal") -> None:
        super().__init__("The proposal has changed since you read it.")
        self.current = current


class WindowClosedError(Exception):
    """The call for proposals is not open."""

    def __init__(self, window: "Window", now: datetime) -> None:
        early = window.opens_at is not None and now < window.opens_at
        super().__init__(
            "The call for proposals has not opened yet."
            if early
            else "The call for proposals is closed."
        )
        self.members = {
            "opens_at": window.opens_at,
            "closes_at": window.closes_at,
        }


@dataclass(frozen=True, slots=True)
class Window:
    """When proposals are taken, from `opens_at` until just before `closes_at`; None is no bound."""

    opens_at: datetime | None = None
    closes_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether a proposal may be submitted at `now`."""
        return (self.opens_at is None or self.opens_at <= now) and (
            self.closes_at is None or now < self.closes_at
        )


@dataclass(frozen=True, slots=True)
class By:
    """Who does something, and when; `subject` is theirs at the OpenID provider, if known."""

    actor: str
    at: datetime
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a speaker sends in."""

    title: str
    abstract: str
    speaker_name: str
    speaker_email: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A talk somebody offers; `version` grows by one with every change."""

    id: UUID
    title: str
    abstract: str
    speaker_name: str
    speaker_email: str
    state: State
    version: int
    submitted_at: datetime
    updated_at: datetime
    decided_at: datetime | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One change of a proposal, for the record; `version` is the proposal's after it."""

    proposal_id: UUID
    version: int
    kind: EventKind
    actor: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """What one reviewer thinks of a proposal: a score from 1 to 5, and why."""

    proposal_id: UUID
    subject: str
    reviewer: str
    score: int
    comment: str
    at: datetime


class Action(StrEnum):
    """What people do that changes no proposal, and is on record all the same."""

    WINDOW_SET = "window set"
    DELIVERY_RETRIED = "delivery retried"
    REVIEWED = "reviewed"


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A call that a change causes. `data` is fixed now, so that a repeated call is the same."""

    target: Target
    kind: DeliveryKind
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A proposal as it is after an event, and the calls that the event causes: one transaction."""

    proposal: Proposal
    event: Event
    deliveries: Sequence[NewDelivery] = ()


def submit(draft: Draft, proposal_id: UUID, window: Window, by: By) -> Change:
    """A new proposal, or WindowClosedError."""
    if not window.is_open(by.at):
        raise WindowClosedError(window, by.at)
    proposal = Proposal(
        id=proposal_id,
        title=draft.title,
        abstract=draft.abstract,
        speaker_name=draft.speaker_name,
        speaker_email=draft.speaker_email,
        state=State.SUBMITTED,
        version=1,
        submitted_at=by.at,
        updated_at=by.at,
    )
    event = _event(proposal, EventKind.SUBMITTED, by)
    return Change(proposal, event, [_mail(proposal, DeliveryKind.RECEIVED)])


def edit(
    proposal: Proposal, versions: Container[int] | None, changes: Mapping[str, str], by: By
) -> Change | None:
    """`proposal` with `changes`; None where they change nothing.

    StaleEditError where the proposal's version is not among `versions` (None is any),
    WrongStateError when it is decided.
    """
    if proposal.state is not State.SUBMITTED:
        raise WrongStateError(proposal.state, "edited any more")
    if versions is not None and proposal.version not in versions:
        raise StaleEditError(proposal)
    before = {name: getattr(proposal, name) for name in changes}
    if before == dict(changes):
        return None
    fields: dict[str, Any] = dict(changes)
    edited = replace(proposal, **fields, version=proposal.version + 1, updated_at=by.at)
    event = _event(edited, EventKind.EDITED, by, {"before": before})
    return Change(edited, event)


def decide(proposal: Proposal, decision: State, message: str | None, by: By) -> Change | None:
    """`proposal` accepted or rejected; None where it was decided so before."""
    if proposal.state is decision:
        return None
    changed = _move(proposal, decision, by, decided_at=by.at, message=message)
    event = _event(changed, EventKind(decision), by, {"message": message})
    deliveries = [_mail(changed, DeliveryKind(decision))]
    if decision is State.ACCEPTED:
        deliveries.append(NewDelivery(Target.AGENDA, DeliveryKind.SESSION))
    return Change(changed, event, deliveries)


def withdraw(proposal: Proposal, by: By) -> Change | None:
    """`proposal` withdrawn, and off the agenda if it was on it; None where it was withdrawn."""
    if proposal.state is State.WITHDRAWN:
        return None
    changed = _move(proposal, State.WITHDRAWN, by)
    event = _event(changed, EventKind.WITHDRAWN, by)
    deliveries = [_mail(changed, DeliveryKind.WITHDRAWN)]
    if proposal.state is State.ACCEPTED:
        deliveries.append(NewDelivery(Target.AGENDA, DeliveryKind.SESSION))
    return Change(changed, event, deliveries)


def _move(proposal: Proposal, to: State, by: By, **fields: Any) -> Proposal:
    if to not in TRANSITIONS[proposal.state]:
        raise WrongStateError(proposal.state, f"{to} any more")
    return replace(proposal, state=to, version=proposal.version + 1, updated_at=by.at, **fields)


def review(proposal: Proposal, score: int, comment: str, by: By) -> Review:
    """The review of `proposal` by a person; WrongStateError once it is decided or withdrawn."""
    if proposal.state is not State.SUBMITTED:
        raise WrongStateError(proposal.state, "reviewed any more")
    assert by.subject is not None, "reviewers are signed in"
    return Review(proposal.id, by.subject, by.actor, score, comment, by.at)


def _event(
    proposal: Proposal, kind: EventKind, by: By, data: Mapping[str, Any] | None = None
) -> Event:
    return Event(proposal.id, proposal.version, kind, by.actor, by.at, data or {}, by.subject)


def _mail(proposal: Proposal, kind: DeliveryKind) -> NewDelivery:
    data: dict[str, Any] = {"speaker_name": proposal.speaker_name, "title": proposal.title}
    if kind in {DeliveryKind.ACCEPTED, DeliveryKind.REJECTED}:
        data["message"] = proposal.message
    return NewDelivery(Target.EMAIL, kind, {"to": proposal.speaker_email, "data": data})


@dataclass(frozen=True, slots=True)
class Delivery:
    """A call that is still to be made, or was.

    `generation` grows when a mail that was delivered is sent again on purpose: only then may the
    receiver see a new key. `attempts` only grows, so that it tells one claim from the next.
    """

    id: UUID
    proposal_id: UUID
    target: Target
    kind: DeliveryKind
    state: DeliveryState
    data: Mapping[str, Any]
    generation: int
    attempts: int
    failures: int
    created_at: datetime
    requested_at: datetime
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    last_error: str | None
    traceparent: str | None

    @property
    def key(self) -> str:
        """The idempotency key under which the receiver knows it."""
        return f"{self.id}:{self.generation}"


def wait_seconds(failures: int, first: float, longest: float, jitter: float) -> float:
    """How long to wait after `failures` failures in a row; `jitter` is random, 0 to 1.

    It doubles up to `longest` and is spread over its upper half, so that what failed together
    does not return together.
    """
    full = min(longest, first * 2.0 ** min(failures - 1, 32))
    return full * (0.5 + jitter / 2)

"""The rules of a call for proposals, without I/O: states, transitions, the window, deliveries."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from string import ascii_lowercase, ascii_uppercase
from typing import Any
from uuid import UUID


class State(StrEnum):
    """The state of a proposal."""

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
    """The kind of a change of a proposal."""

    SUBMITTED = "submitted"
    EDITED = "edited"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Target(StrEnum):
    """The service that a delivery goes to."""

    AGENDA = "agenda"
    EMAIL = "email"


class DeliveryKind(StrEnum):
    """The content of a delivery: the session for the agenda, anything else for the speaker."""

    SESSION = "session"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class DeliveryState(StrEnum):
    """The state of a delivery; a failed one was given up, and waits for a person."""

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


class DeliveryNotFoundError(Exception):
    """There is no such delivery."""


class DeliveryChangedError(Exception):
    """The delivery was attempted since the caller read it."""


class KeyReusedError(Exception):
    """The Idempotency-Key came before, with another request."""


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
        self.members = {"opens_at": window.opens_at, "closes_at": window.closes_at}


@dataclass(frozen=True, slots=True)
class Window:
    """The time in which proposals are taken: from `opens_at` until just before `closes_at`.

    None is no bound.
    """

    opens_at: datetime | None = None
    closes_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Tell whether a proposal may be submitted at `now`."""
        return (self.opens_at is None or self.opens_at <= now) and (
            self.closes_at is None or now < self.closes_at
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or program that does something.

    `subject` is theirs at the OpenID provider, None where nobody is signed in.
    """

    name: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """An Idempotency-Key, and the hash that tells its request from another."""

    text: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The text that a speaker submits, and who the speaker is."""

    title: str
    abstract: str
    speaker_name: str
    speaker_email: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A talk that a speaker offers; `version` grows by one with every change."""

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
    """The opinion of one reviewer on a proposal: a score from 1 to 5, and the reason."""

    proposal_id: UUID
    subject: str
    reviewer: str
    score: int
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Score:
    """The mean of the scores of a proposal's reviews, 1 to 5, and the number of reviews."""

    average: float
    count: int


class Action(StrEnum):
    """An action that changes no proposal, and is on record all the same."""

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


def submit(draft: Draft, proposal_id: UUID, window: Window, actor: Actor, now: datetime) -> Change:
    """Return a new proposal, or raise WindowClosedError."""
    if not window.is_open(now):
        raise WindowClosedError(window, now)
    proposal = Proposal(
        id=proposal_id,
        title=draft.title,
        abstract=draft.abstract,
        speaker_name=draft.speaker_name,
        speaker_email=draft.speaker_email,
        state=State.SUBMITTED,
        version=1,
        submitted_at=now,
        updated_at=now,
    )
    event = _event(proposal, EventKind.SUBMITTED, actor)
    return Change(proposal, event, [_mail(proposal, DeliveryKind.RECEIVED)])


def edit(
    proposal: Proposal,
    versions: Container[int] | None,
    changes: Mapping[str, str],
    actor: Actor,
    now: datetime,
) -> Change | None:
    """Return `proposal` with `changes`, None where they change nothing.

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
    edited = replace(proposal, **fields, version=proposal.version + 1, updated_at=now)
    event = _event(edited, EventKind.EDITED, actor, {"before": before})
    return Change(edited, event)


def decide(
    proposal: Proposal, decision: State, message: str | None, actor: Actor, now: datetime
) -> Change | None:
    """Return `proposal` accepted or rejected, None where it was decided so before."""
    if proposal.state is decision:
        return None
    changed = _change_state(proposal, decision, now, decided_at=now, message=message)
    event = _event(changed, EventKind(decision), actor, {"message": message})
    deliveries = [_mail(changed, DeliveryKind(decision))]
    if decision is State.ACCEPTED:
        deliveries.append(NewDelivery(Target.AGENDA, DeliveryKind.SESSION))
    return Change(changed, event, deliveries)


def withdraw(proposal: Proposal, actor: Actor, now: datetime) -> Change | None:
    """Return `proposal` withdrawn, None where it was withdrawn before.

    One that was accepted leaves the agenda.
    """
    if proposal.state is State.WITHDRAWN:
        return None
    changed = _change_state(proposal, State.WITHDRAWN, now)
    event = _event(changed, EventKind.WITHDRAWN, actor)
    deliveries = [_mail(changed, DeliveryKind.WITHDRAWN)]
    if proposal.state is State.ACCEPTED:
        deliveries.append(NewDelivery(Target.AGENDA, DeliveryKind.SESSION))
    return Change(changed, event, deliveries)


def _change_state(proposal: Proposal, to: State, now: datetime, **fields: Any) -> Proposal:
    if to not in TRANSITIONS[proposal.state]:
        raise WrongStateError(proposal.state, f"{to} any more")
    return replace(proposal, state=to, version=proposal.version + 1, updated_at=now, **fields)


def review(proposal: Proposal, score: int, comment: str, reviewer: Actor, now: datetime) -> Review:
    """Return a review of `proposal`, or raise WrongStateError once it is decided or withdrawn."""
    if proposal.state is not State.SUBMITTED:
        raise WrongStateError(proposal.state, "reviewed any more")
    assert reviewer.subject is not None, "reviewers are signed in"
    return Review(proposal.id, reviewer.subject, reviewer.name, score, comment, now)


def _event(
    proposal: Proposal, kind: EventKind, actor: Actor, data: Mapping[str, Any] | None = None
) -> Event:
    at = proposal.updated_at  # which every change sets to now
    version = proposal.version
    return Event(proposal.id, version, kind, actor.name, at, data or {}, actor.subject)


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
        """The Idempotency-Key under which the receiver knows it."""
        return f"{self.id}:{self.generation}"


def retry_generation(delivery: Delivery, proposal_state: State, attempts: int | None) -> int:
    """Return the generation under which a delivery is made again.

    A mail that arrived is sent anew under a new key; anything else keeps its key, since nobody
    knows whether it arrived. DeliveryChangedError when it was attempted since the caller read
    `attempts` (None is any), WrongStateError for the mail of a decision that no longer holds.
    """
    if attempts is not None and attempts != delivery.attempts:
        raise DeliveryChangedError("It was tried again since you looked.")
    is_decision = delivery.kind in {DeliveryKind.ACCEPTED, DeliveryKind.REJECTED}
    if is_decision and delivery.kind != str(proposal_state):
        raise WrongStateError(proposal_state, f"told to be {delivery.kind} any more")
    has_arrived = delivery.state is DeliveryState.DELIVERED
    return delivery.generation + (has_arrived and delivery.target is Target.EMAIL)


def wait_seconds(failures: int, first: float, longest: float, jitter: float) -> float:
    """Return the seconds to wait after `failures` failures in a row; `jitter` is random, 0 to 1.

    The wait doubles up to `longest` and is spread over its upper half, so that what failed together
    does not return together.
    """
    full = min(longest, first * 2.0 ** min(failures - 1, 32))
    return full * (0.5 + jitter / 2)


_LOWERCASE = str.maketrans(ascii_uppercase, ascii_lowercase)


def is_same_address(one: str, other: str) -> bool:
    """Tell whether two addresses are the same but for the case of ASCII letters.

    Case folding would make `straße.de` and `strasse.de` one, which are two domains.
    """
    return one.translate(_LOWERCASE) == other.translate(_LOWERCASE)

"""The state of the services as the job reads it, and the findings that it makes from it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from uuid import UUID


class State(StrEnum):
    """The state of a proposal."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class DeliveryState(StrEnum):
    """The state of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Target(StrEnum):
    """The service that a delivery is for."""

    AGENDA = "agenda"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as c4p-service has it."""

    id: UUID
    title: str
    speaker_name: str
    state: State
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """A call that c4p-service has made or is still to make; `kind` is what the call is about."""

    id: UUID
    proposal_id: UUID
    target: Target
    kind: str
    state: DeliveryState
    created_at: datetime
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    last_error: str | None

    @property
    def was_refused(self) -> bool:
        """True if the receiver has refused it (a status 4xx) instead of being unavailable."""
        return (self.last_error or "").startswith("4")

    @property
    def is_safe_to_resend(self) -> bool:
        """True if a mail may be sent again without asking a person.

        A mail that waits may be on its way at this instant, so that the speaker would get it twice.
        A mail that was given up stays as it is.
        """
        return self.state is DeliveryState.FAILED and not self.was_refused


@dataclass(frozen=True, slots=True)
class Room:
    """A room of the schedule."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A room and a time."""

    id: str
    starts_at: datetime
    room: Room

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} UTC, {self.room.name}"


@dataclass(frozen=True, slots=True)
class Session:
    """A session as the agenda lists it."""

    proposal_id: UUID
    title: str
    speaker: str
    slot: Slot


@dataclass(frozen=True, slots=True)
class Email:
    """A mail in email-service's ledger."""

    template: str
    state: str


@dataclass(frozen=True, slots=True)
class RetryDelivery:
    """A repair: c4p-service makes a call again."""

    delivery_id: UUID


@dataclass(frozen=True, slots=True)
class RemoveSession:
    """A repair: a session is removed; `version` is the proposal's, None if it is unknown."""

    proposal_id: UUID
    version: int | None


Repair = RetryDelivery | RemoveSession


@dataclass(frozen=True, slots=True)
class Finding:
    """An inconsistency that a check found; `detail` and `cure` are sentences for organizers."""

    check: str
    subject: UUID
    """The id of the proposal."""
    detail: str
    cure: str
    repair: Repair | None = None
    delivery_id: UUID | None = None
    """The delivery that it is about, if it is about one."""

    @property
    def key(self) -> tuple[str, UUID, UUID | None]:
        """The identity of the finding: the same in another run, even if its sentences differ."""
        return self.check, self.subject, self.delivery_id


@dataclass(frozen=True, slots=True)
class Tolerances:
    """The time that changes and deliveries get before a check counts them as findings."""

    settle: timedelta
    """The time that a change gets to reach all services."""
    stuck: timedelta
    """The time that a delivery may wait."""


@dataclass(frozen=True)
class Snapshot:
    """The state of all services, read one after the other.

    The agenda is read before c4p-service. So a session whose proposal c4p-service does not know
    can't belong to a proposal that was submitted between the two reads.
    """

    started_at: datetime
    tolerances: Tolerances
    proposals: Mapping[UUID, Proposal]
    sessions: Mapping[UUID, Session]
    deliveries: Sequence[Delivery]
    slots: Sequence[Slot] = ()
    emails: Mapping[UUID, Sequence[Email]] = field(default_factory=dict)
    """The mails in the ledger, for the proposals of `proposals_to_look_up`."""
    ledger_error: str = ""
    """The reason why the ledger could not be read; empty when it could."""

    @cached_property
    def _deliveries_of(self) -> Mapping[tuple[UUID, Target], Sequence[Delivery]]:
        grouped: dict[tuple[UUID, Target], list[Delivery]] = {}
        for delivery in sorted(self.deliveries, key=lambda each: each.created_at):
            grouped.setdefault((delivery.proposal_id, delivery.target), []).append(delivery)
        return grouped

    def deliveries_of(self, proposal_id: UUID, target: Target) -> Sequence[Delivery]:
        """Return the deliveries to `target` about a proposal, the oldest first."""
        return self._deliveries_of.get((proposal_id, target), ())

    @cached_property
    def waiting_delivery_ids(self) -> frozenset[UUID]:
        """The ids of the deliveries that have not ended yet."""
        return frozenset(each.id for each in self.deliveries if each.state is DeliveryState.WAITING)

    def is_settled(self, proposal: Proposal) -> bool:
        """Return True if its last change is old enough to have reached all services."""
        return self.started_at - proposal.updated_at >= self.tolerances.settle

    def is_under_way(self, delivery: Delivery) -> bool:
        """Return True if it waits, but not yet for too long."""
        return (
            delivery.state is DeliveryState.WAITING
            and self.started_at - delivery.created_at < self.tolerances.stuck
        )

    def is_obsolete(self, delivery: Delivery) -> bool:
        """Return True if its decision no longer holds, so that c4p-service refuses to retry it."""
        proposal = self.proposals.get(delivery.proposal_id)
        decided = {State.ACCEPTED, State.REJECTED}
        return proposal is not None and delivery.kind in decided and delivery.kind != proposal.state

    def agenda_should_know(self, proposal: Proposal) -> bool:
        """Return True if the proposal's last change has had the time to reach the agenda."""
        return self.is_settled(proposal) and not any(
            self.is_under_way(each) or self._has_just_ended(each)
            for each in self.deliveries_of(proposal.id, Target.AGENDA)
        )

    def _has_just_ended(self, delivery: Delivery) -> bool:
        # It may have arrived after the agenda was read and before c4p-service was.
        delivered_at = delivery.delivered_at
        return delivered_at is not None and self.started_at - delivered_at < self.tolerances.settle

    def find_agenda_repair(self, proposal: Proposal) -> Repair | None:
        """Return the repair that makes the agenda follow the proposal; None if there is none."""
        if deliveries := self.deliveries_of(proposal.id, Target.AGENDA):
            return RetryDelivery(deliveries[-1].id)
        # c4p-service never put it on the agenda, so only this job can remove it.
        if proposal.state is not State.ACCEPTED:
            return RemoveSession(proposal.id, proposal.version)
        return None

    def lacks_a_slot(self, proposal_id: UUID) -> bool:
        """Return True if the proposal needs a session, and other sessions have every slot."""
        proposal = self.proposals.get(proposal_id)
        return (
            proposal is not None
            and proposal.state is State.ACCEPTED
            and proposal_id not in self.sessions
            and bool(self.slots)
            and not self.free_slots()
        )

    def free_slots(self) -> Sequence[Slot]:
        """Return the slots without a session."""
        taken = {session.slot.id for session in self.sessions.values()}
        return [slot for slot in self.slots if slot.id not in taken]

    def find_decision_mail(self, proposal: Proposal) -> Delivery | None:
        """Return the newest mail to the speaker about the proposal's state."""
        mails = self.deliveries_of(proposal.id, Target.EMAIL)
        return next((each for each in reversed(mails) if each.kind == proposal.state), None)

    def proposals_to_look_up(self) -> Iterator[Proposal]:
        """Yield the decided proposals whose mails have to be looked up in the ledger.

        These are the ones whose mail c4p-service has neither delivered nor under way.
        """
        for proposal in self.proposals.values():
            if proposal.state is State.SUBMITTED or not self.is_settled(proposal):
                continue
            delivery = self.find_decision_mail(proposal)
            if delivery is None or not (
                delivery.state is DeliveryState.DELIVERED or self.is_under_way(delivery)
            ):
                yield proposal

"""What the services say, and what may be found in it: pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from uuid import UUID


class State(StrEnum):
    """Where a proposal stands."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class DeliveryState(StrEnum):
    """How far c4p-service got with telling somebody."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Target(StrEnum):
    """Whom c4p-service tells."""

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
    """A call that c4p-service has made or is still to make; `kind` is what the call tells."""

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
        """Whether the receiver has said no (a 4xx status) instead of not being there."""
        return (self.last_error or "").startswith("4")

    @property
    def may_be_mailed_again(self) -> bool:
        """Whether a mail may be sent once more without a person.

        One that waits may be on its way at this instant, and once it has arrived the speaker would
        be mailed twice. One that was given up stays as it is.
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
    """Repair: let c4p-service make a call again."""

    delivery_id: UUID


@dataclass(frozen=True, slots=True)
class RemoveSession:
    """Repair: take a session off the agenda; `version` is the proposal's, None if it is unknown."""

    proposal_id: UUID
    version: int | None


Repair = RetryDelivery | RemoveSession


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit; `detail` and `cure` are sentences for organizers."""

    check: str
    subject: UUID
    """The proposal."""
    detail: str
    cure: str
    repair: Repair | None = None
    delivery_id: UUID | None = None
    """The delivery that it is about, if it is about one."""

    @property
    def key(self) -> tuple[str, UUID, UUID | None]:
        """What makes it the same finding in another run; the words may differ."""
        return self.check, self.subject, self.delivery_id


@dataclass(frozen=True, slots=True)
class Patience:
    """How old something has to be before it is a finding."""

    settle: timedelta
    """For changes, which take a moment to reach everybody."""
    stuck: timedelta
    """For deliveries that wait."""


@dataclass(frozen=True)
class Snapshot:
    """What the services said.

    They are asked one after the other, the agenda before c4p-service: a session that c4p-service
    does not know was then not just submitted meanwhile.
    """

    begun_at: datetime
    patience: Patience
    proposals: Mapping[UUID, Proposal]
    sessions: Mapping[UUID, Session]
    deliveries: Sequence[Delivery]
    slots: Sequence[Slot] = ()
    emails: Mapping[UUID, Sequence[Email]] = field(default_factory=dict)
    """The ledger, for those that `untold` names."""
    unread: str = ""
    """Why the ledger could not be read, where it could not."""

    @cached_property
    def _deliveries_of(self) -> Mapping[tuple[UUID, Target], Sequence[Delivery]]:
        grouped: dict[tuple[UUID, Target], list[Delivery]] = {}
        for delivery in sorted(self.deliveries, key=lambda each: each.created_at):
            grouped.setdefault((delivery.proposal_id, delivery.target), []).append(delivery)
        return grouped

    def deliveries_of(self, proposal_id: UUID, target: Target) -> Sequence[Delivery]:
        """What was to be told to `target` about a proposal, the oldest first."""
        return self._deliveries_of.get((proposal_id, target), ())

    @cached_property
    def waiting(self) -> frozenset[UUID]:
        """The deliveries that have not ended yet."""
        return frozenset(each.id for each in self.deliveries if each.state is DeliveryState.WAITING)

    def is_settled(self, proposal: Proposal) -> bool:
        """Whether its last change is long enough ago to have reached everybody."""
        return self.begun_at - proposal.updated_at >= self.patience.settle

    def is_on_its_way(self, delivery: Delivery) -> bool:
        """Whether it waits and need not worry anybody yet."""
        return (
            delivery.state is DeliveryState.WAITING
            and self.begun_at - delivery.created_at < self.patience.stuck
        )

    def is_overtaken(self, delivery: Delivery) -> bool:
        """Whether it tells a decision that no longer holds; c4p-service refuses to try it again."""
        proposal = self.proposals.get(delivery.proposal_id)
        decided = {State.ACCEPTED, State.REJECTED}
        return proposal is not None and delivery.kind in decided and delivery.kind != proposal.state

    def agenda_should_know(self, proposal: Proposal) -> bool:
        """Whether the agenda has had the time to learn of the proposal's last change."""
        return self.is_settled(proposal) and not any(
            self.is_on_its_way(each) or self._has_just_arrived(each)
            for each in self.deliveries_of(proposal.id, Target.AGENDA)
        )

    def _has_just_arrived(self, delivery: Delivery) -> bool:
        # Perhaps between the two questions to the services.
        arrived = delivery.delivered_at
        return arrived is not None and self.begun_at - arrived < self.patience.settle

    def resynchronise(self, proposal: Proposal) -> Repair | None:
        """What makes the agenda follow the proposal's state again; None if nothing can."""
        if deliveries := self.deliveries_of(proposal.id, Target.AGENDA):
            return RetryDelivery(deliveries[-1].id)
        # It never was to be on the agenda, so nobody but us can take it off.
        if proposal.state is not State.ACCEPTED:
            return RemoveSession(proposal.id, proposal.version)
        return None

    def lacks_a_slot(self, proposal_id: UUID) -> bool:
        """Whether a session of this proposal can't be placed: every slot is taken by others."""
        proposal = self.proposals.get(proposal_id)
        return (
            proposal is not None
            and proposal.state is State.ACCEPTED
            and proposal_id not in self.sessions
            and bool(self.slots)
            and not self.free_slots()
        )

    def free_slots(self) -> Sequence[Slot]:
        """Slots without a session."""
        taken = {session.slot.id for session in self.sessions.values()}
        return [slot for slot in self.slots if slot.id not in taken]

    def mail_of_the_decision(self, proposal: Proposal) -> Delivery | None:
        """The newest mail that tells the proposal's state to its speaker."""
        mails = self.deliveries_of(proposal.id, Target.EMAIL)
        return next((each for each in reversed(mails) if each.kind == proposal.state), None)

    def untold(self) -> Iterator[Proposal]:
        """Decided proposals of whose mail c4p-service can't say that it arrived or soon will.

        The ledger has to be asked about these, and only these.
        """
        for proposal in self.proposals.values():
            if proposal.state is State.SUBMITTED or not self.is_settled(proposal):
                continue
            delivery = self.mail_of_the_decision(proposal)
            if delivery is None or not (
                delivery.state is DeliveryState.DELIVERED or self.is_on_its_way(delivery)
            ):
                yield proposal

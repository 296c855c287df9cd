"""The checks: one class each, pure. A new one is a class here and an entry in CHECKS."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from consistency.domain import (
    Delivery,
    DeliveryState,
    Finding,
    RemoveSession,
    Repair,
    RetryDelivery,
    Session,
    Snapshot,
    State,
    Target,
)

_SEND_SESSION_AGAIN = "Send its session again in the back office; --repair does it."
_FREE_A_SLOT = "Every slot is taken: free one or add some, then send its session again."


class Check(Protocol):
    """Compares one aspect of a snapshot."""

    name: str

    def find(self, snapshot: Snapshot) -> Iterable[Finding]:
        """What does not fit."""
        ...


class MissingSession:
    """Every accepted proposal has a session."""

    name = "accepted but not on the agenda"

    def find(self, snapshot: Snapshot) -> Iterator[Finding]:
        """A finding for each that has none."""
        for proposal in snapshot.proposals.values():
            if (
                proposal.state is not State.ACCEPTED
                or proposal.id in snapshot.sessions
                or not snapshot.agenda_should_know(proposal)
            ):
                continue
            is_full = snapshot.lacks_a_slot(proposal.id)
            repair = None if is_full else snapshot.resynchronise(proposal)
            if is_full:
                cure = _FREE_A_SLOT
            elif repair is None:
                cure = "c4p-service has no session to send: withdraw it and let it be resubmitted."
            else:
                cure = _SEND_SESSION_AGAIN
            detail = f"“{proposal.title}” is accepted and has no session."
            yield Finding(self.name, proposal.id, detail, cure, repair)


class UnwelcomeSession:
    """Every session belongs to an accepted proposal."""

    name = "on the agenda but not accepted"

    def find(self, snapshot: Snapshot) -> Iterator[Finding]:
        """A finding for each that belongs to another, or to none."""
        for session in snapshot.sessions.values():
            proposal = snapshot.proposals.get(session.proposal_id)
            if proposal is None:
                yield self._orphan(session, knows_any=bool(snapshot.proposals))
            elif proposal.state is not State.ACCEPTED and snapshot.agenda_should_know(proposal):
                yield Finding(
                    self.name,
                    proposal.id,
                    f"“{proposal.title}” is {proposal.state} and has a session.",
                    "Remove the session from the agenda; --repair does it.",
                    snapshot.resynchronise(proposal),
                )

    def _orphan(self, session: Session, *, knows_any: bool) -> Finding:
        detail = f"“{session.title}” has a session, and c4p-service knows no such proposal."
        if not knows_any:
            # More likely the wrong database than an agenda that is wrong from end to end.
            cure = "c4p-service knows no proposal at all: see that it has its data."
            return Finding(self.name, session.proposal_id, detail, cure)
        cure = "Remove the session from the agenda; --repair does it."
        repair = RemoveSession(session.proposal_id, None)
        return Finding(self.name, session.proposal_id, detail, cure, repair)


class DifferentWords:
    """A session has the title and the speaker of its proposal."""

    name = "different title or speaker"

    def find(self, snapshot: Snapshot) -> Iterator[Finding]:
        """A finding for each that says something else."""
        for session in snapshot.sessions.values():
            proposal = snapshot.proposals.get(session.proposal_id)
            if (
                proposal is None
                or proposal.state is not State.ACCEPTED
                or not snapshot.agenda_should_know(proposal)
                or (proposal.title, proposal.speaker_name) == (session.title, session.speaker)
            ):
                continue
            yield Finding(
                self.name,
                proposal.id,
                f"The agenda says “{session.title}” by {session.speaker}, the proposal "
                f"“{proposal.title}” by {proposal.speaker_name}.",
                _SEND_SESSION_AGAIN,
                snapshot.resynchronise(proposal),
            )


class NobodyMailed:
    """Whoever was decided on was told."""

    name = "decided but nobody mailed"

    def find(self, snapshot: Snapshot) -> Iterator[Finding]:
        """A finding for each decision that neither c4p-service nor the ledger calls mailed."""
        for proposal in () if snapshot.unread else snapshot.untold():
            mails = snapshot.emails.get(proposal.id, ())
            if any(
                mail.template == f"proposal-{proposal.state}" and mail.state == "sent"
                for mail in mails
            ):
                continue
            delivery = snapshot.mail_of_the_decision(proposal)
            detail = f"“{proposal.title}” is {proposal.state}, and its speaker was not told."
            if delivery is None:
                cure = "c4p-service has no mail to send: write to the speaker."
                yield Finding(self.name, proposal.id, detail, cure)
            else:
                cure, repair = _mail_cure(delivery), _mail_repair(delivery)
                yield Finding(self.name, proposal.id, detail, cure, repair)


class SharedSlot:
    """A room holds one session at a time."""

    name = "two sessions in one slot"

    def find(self, snapshot: Snapshot) -> Iterator[Finding]:
        """A finding for each session in a slot that another has already."""
        free = next(iter(snapshot.free_slots()), None)
        cure = (
            "Withdraw one of the two, or add slots: no slot is free."
            if free is None
            else f"Move one of the two in the back office; free is, for one, {free}."
        )
        first: dict[tuple[str, datetime], Session] = {}
        for session in snapshot.sessions.values():
            other = first.setdefault((session.slot.room.id, session.slot.starts_at), session)
            if other is not session:
                yield Finding(
                    self.name,
                    session.proposal_id,
                    f"“{session.title}” is in the slot of “{other.title}”: {session.slot}.",
                    cure,
                )


class StuckDelivery:
    """What is to be told gets told."""

    name = "a delivery stuck for too long"

    def find(self, snapshot: Snapshot) -> Iterator[Finding]:
        """A finding for each delivery that was given up or waits for too long."""
        for delivery in snapshot.deliveries:
            if delivery.state is DeliveryState.FAILED:
                if snapshot.is_overtaken(delivery):
                    # Nobody is to be told this any more, and nobody could.
                    continue
                what = "was given up"
            elif self._is_stuck(snapshot, delivery):
                what = "waits for too long"
            else:
                continue
            cure, repair = self._way_out(snapshot, delivery)
            yield Finding(
                self.name,
                delivery.proposal_id,
                f"What {delivery.target}-service is to be told ({delivery.kind}) {what}: "
                f"{delivery.last_error or 'no attempt has ended yet'}.",
                cure,
                repair,
                delivery.id,
            )

    def _way_out(self, snapshot: Snapshot, delivery: Delivery) -> tuple[str, Repair | None]:
        if delivery.target is Target.EMAIL:
            return _mail_cure(delivery), _mail_repair(delivery)
        if delivery.was_refused and snapshot.lacks_a_slot(delivery.proposal_id):
            return _FREE_A_SLOT, None
        return _SEND_SESSION_AGAIN, RetryDelivery(delivery.id)

    def _is_stuck(self, snapshot: Snapshot, delivery: Delivery) -> bool:
        if delivery.state is not DeliveryState.WAITING or snapshot.is_on_its_way(delivery):
            return False
        # An old one that somebody sends again on purpose waits too, for a moment.
        due = delivery.next_attempt_at
        overdue = due is not None and snapshot.begun_at - due >= snapshot.patience.settle
        return delivery.last_error is not None or overdue


CHECKS: Sequence[Check] = (
    MissingSession(),
    UnwelcomeSession(),
    DifferentWords(),
    NobodyMailed(),
    SharedSlot(),
    StuckDelivery(),
)


def find_all(snapshot: Snapshot) -> list[Finding]:
    """What all checks find, in their order."""
    return [finding for check in CHECKS for finding in check.find(snapshot)]


def _mail_repair(delivery: Delivery) -> Repair | None:
    return RetryDelivery(delivery.id) if delivery.may_be_mailed_again else None


def _mail_cure(delivery: Delivery) -> str:
    if delivery.state is DeliveryState.WAITING:
        return "It is tried again by itself: see that email-service and the mail relay work."
    if delivery.was_refused:
        return "Put right what was refused, then send it again in the back office."
    return "Send it again in the back office; --repair does it."

"""The checks of a snapshot, one class each. A new one is a class here and an entry in CHECKS."""

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
    """A comparison of one aspect of a snapshot; `name` is shown to organizers."""

    name: str

    def find(self, snapshot: Snapshot) -> Iterable[Finding]:
        """Return the findings."""
        ...


class MissingSession:
    """A check that every accepted proposal has a session."""

    name = "accepted but not on the agenda"

    def find(self, snapshot: Snapshot) -> Iterator[Finding]:
        """Yield a finding for each proposal that has none."""
        for proposal in snapshot.proposals.values():
            if (
                proposal.state is not State.ACCEPTED
                or proposal.id in snapshot.sessions
                or not snapshot.agenda_should_know(proposal)
            ):
                continue
            is_full = snapshot.lacks_a_slot(proposal.id)
            repair = None if is_full else snapshot.find_agenda_repair(proposal)
            if is_full:
                cure = _FREE_A_SLOT
            elif repair is None:
                cure = "c4p-service has no session to send: withdraw it and let it be resubmitted."
            else:
                cure = _SEND_SESSION_AGAIN
            detail = f"“{proposal.title}” is accepted and has no session."
            yield Finding(self.name, proposal.id, detail, cure, repair)


class UnexpectedSession:
    """A check that every session belongs to an accepted proposal."""

    name = "on the agenda but not accepted"

    def find(self, snapshot: Snapshot) -> Iterator[Finding]:
        """Yield a finding for each session whose proposal is unknown or not accepted."""
        for session in snapshot.sessions.values():
            proposal = snapshot.proposals.get(session.proposal_id)
            if proposal is None:
                yield self._make_orphan_finding(session, knows_others=bool(snapshot.proposals))
            elif proposal.state is not State.ACCEPTED and snapshot.agenda_should_know(proposal):
                yield Finding(
                    self.name,
                    proposal.id,
                    f"“{proposal.title}” is {proposal.state} and has a session.",
                    "Remove the session from the agenda; --repair does it.",
                    snapshot.find_agenda_repair(proposal),
                )

    def _make_orphan_finding(self, session: Session, *, knows_others: bool) -> Finding:
        detail = f"“{session.title}” has a session, and c4p-service knows no such proposal."
        if not knows_others:
            # More likely the wrong database than an agenda that is wrong from end to end.
            cure = "c4p-service knows no proposal at all: see that it has its data."
            return Finding(self.name, session.proposal_id, detail, cure)
        cure = "Remove the session from the agenda; --repair does it."
        repair = RemoveSession(session.proposal_id, None)
        return Finding(self.name, session.proposal_id, detail, cure, repair)


class DifferentText:
    """A check that every session has the title and the speaker of its proposal."""

    name = "different title or speaker"

    def find(self, snapshot: Snapshot) -> Iterator[Finding]:
        """Yield a finding for each session whose title or speaker differs."""
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
                snapshot.find_agenda_repair(proposal),
            )


class SpeakerNotMailed:
    """A check that every speaker was mailed the decision about the proposal."""

    name = "decided but nobody mailed"

    def find(self, snapshot: Snapshot) -> Iterator[Finding]:
        """Yield a finding for each decision whose mail is neither delivered nor in the ledger."""
        for proposal in () if snapshot.ledger_error else snapshot.proposals_to_look_up():
            mails = snapshot.emails.get(proposal.id, ())
            if any(
                mail.template == f"proposal-{proposal.state}" and mail.state == "sent"
                for mail in mails
            ):
                continue
            delivery = snapshot.find_decision_mail(proposal)
            detail = f"“{proposal.title}” is {proposal.state}, and its speaker was not told."
            if delivery is None:
                cure = "c4p-service has no mail to send: write to the speaker."
                yield Finding(self.name, proposal.id, detail, cure)
            else:
                cure, repair = _mail_cure(delivery), _mail_repair(delivery)
                yield Finding(self.name, proposal.id, detail, cure, repair)


class SharedSlot:
    """A check that a room has one session at a time."""

    name = "two sessions in one slot"

    def find(self, snapshot: Snapshot) -> Iterator[Finding]:
        """Yield a finding for each session in a slot that another session has."""
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
    """A check that every delivery arrives in time."""

    name = "a delivery stuck for too long"

    def find(self, snapshot: Snapshot) -> Iterator[Finding]:
        """Yield a finding for each delivery that was given up or waits for too long."""
        for delivery in snapshot.deliveries:
            if delivery.state is DeliveryState.FAILED:
                if snapshot.is_obsolete(delivery):
                    # Its decision no longer holds: it must not arrive any more.
                    continue
                problem = "was given up"
            elif self._is_stuck(snapshot, delivery):
                problem = "waits for too long"
            else:
                continue
            cure, repair = self._find_cure(snapshot, delivery)
            yield Finding(
                self.name,
                delivery.proposal_id,
                f"What {delivery.target}-service is to be told ({delivery.kind}) {problem}: "
                f"{delivery.last_error or 'no attempt has ended yet'}.",
                cure,
                repair,
                delivery.id,
            )

    def _find_cure(self, snapshot: Snapshot, delivery: Delivery) -> tuple[str, Repair | None]:
        if delivery.target is Target.EMAIL:
            return _mail_cure(delivery), _mail_repair(delivery)
        if delivery.was_refused and snapshot.lacks_a_slot(delivery.proposal_id):
            return _FREE_A_SLOT, None
        return _SEND_SESSION_AGAIN, RetryDelivery(delivery.id)

    def _is_stuck(self, snapshot: Snapshot, delivery: Delivery) -> bool:
        if delivery.state is not DeliveryState.WAITING or snapshot.is_under_way(delivery):
            return False
        # An old one that an organizer sends again waits for a moment too, so its age is not enough.
        due = delivery.next_attempt_at
        overdue = due is not None and snapshot.started_at - due >= snapshot.tolerances.settle
        return delivery.last_error is not None or overdue


CHECKS: Sequence[Check] = (
    MissingSession(),
    UnexpectedSession(),
    DifferentText(),
    SpeakerNotMailed(),
    SharedSlot(),
    StuckDelivery(),
)


def find_all(snapshot: Snapshot) -> list[Finding]:
    """Return the findings of all checks, in the order of CHECKS."""
    return [finding for check in CHECKS for finding in check.find(snapshot)]


def _mail_repair(delivery: Delivery) -> Repair | None:
    return RetryDelivery(delivery.id) if delivery.is_safe_to_resend else None


def _mail_cure(delivery: Delivery) -> str:
    if delivery.state is DeliveryState.WAITING:
        return "It is tried again by itself: see that email-service and the mail relay work."
    if delivery.was_refused:
        return "Put right what was refused, then send it again in the back office."
    return "Send it again in the back office; --repair does it."

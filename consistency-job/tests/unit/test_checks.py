"""Each check both ways: what it finds, and what it leaves alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from consistency.checks import (
    Check,
    DifferentText,
    MissingSession,
    SharedSlot,
    SpeakerNotMailed,
    StuckDelivery,
    UnexpectedSession,
    find_all,
)
from consistency.domain import (
    Delivery,
    DeliveryState,
    Email,
    Finding,
    Proposal,
    RemoveSession,
    RetryDelivery,
    Room,
    Session,
    Slot,
    Snapshot,
    State,
    Target,
    Tolerances,
)

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1)
JUST_NOW = NOW - timedelta(seconds=5)
TOLERANCES = Tolerances(settle=timedelta(seconds=30), stuck=timedelta(minutes=15))
ROOM = Room("main", "Main Hall")
SLOTS = [Slot(f"slot-{hour}", NOW.replace(hour=hour), ROOM) for hour in range(9, 12)]


def proposal(number: int = 1, state: State = State.ACCEPTED, **fields: Any) -> Proposal:
    return replace(
        Proposal(UUID(int=number), f"Talk {number}", "Ada", state, 2, LONG_AGO), **fields
    )


def session(number: int = 1, slot: Slot = SLOTS[0], **fields: Any) -> Session:
    return replace(Session(UUID(int=number), f"Talk {number}", "Ada", slot), **fields)


def delivery(number: int = 1, kind: str = "session", **fields: Any) -> Delivery:
    target = Target.AGENDA if kind == "session" else Target.EMAIL
    whole = Delivery(
        id=UUID(int=number * 100 + len(kind)),
        proposal_id=UUID(int=number),
        target=target,
        kind=kind,
        state=DeliveryState.DELIVERED,
        created_at=LONG_AGO,
        next_attempt_at=None,
        delivered_at=LONG_AGO,
        last_error=None,
    )
    return replace(whole, **fields)


def waiting(number: int = 1, kind: str = "session", **fields: Any) -> Delivery:
    state = {"state": DeliveryState.WAITING, "delivered_at": None, "next_attempt_at": NOW}
    return delivery(number, kind, **{**state, **fields})


def failed(number: int = 1, kind: str = "session", last_error: str = "503 unavailable") -> Delivery:
    return delivery(
        number, kind, state=DeliveryState.FAILED, delivered_at=None, last_error=last_error
    )


@dataclass
class Answers:
    """The answers of the services; by default, one accepted proposal is as it should be."""

    proposals: Sequence[Proposal] = field(default_factory=lambda: [proposal()])
    sessions: Sequence[Session] = field(default_factory=lambda: [session()])
    deliveries: Sequence[Delivery] = field(
        default_factory=lambda: [delivery(), delivery(kind="accepted")]
    )
    emails: dict[UUID, Sequence[Email]] = field(default_factory=dict)
    slots: Sequence[Slot] = field(default_factory=lambda: SLOTS)

    def found_by(self, check: Check) -> list[Finding]:
        return list(check.find(self.snapshot()))

    def snapshot(self) -> Snapshot:
        return Snapshot(
            started_at=NOW,
            tolerances=TOLERANCES,
            proposals={each.id: each for each in self.proposals},
            sessions={each.proposal_id: each for each in self.sessions},
            deliveries=self.deliveries,
            slots=self.slots,
            emails=self.emails,
        )


def repairs(findings: Iterable[Finding]) -> list[object]:
    return [finding.repair for finding in findings]


def test_checks_find_nothing_when_everything_fits() -> None:
    assert find_all(Answers().snapshot()) == []


def test_checks_find_nothing_when_there_is_nothing() -> None:
    assert find_all(Answers([], [], []).snapshot()) == []


def test_missing_session_is_found_and_its_delivery_sent_again() -> None:
    found = Answers(sessions=[]).found_by(MissingSession())
    assert [finding.subject for finding in found] == [UUID(int=1)]
    assert repairs(found) == [RetryDelivery(delivery().id)]


@pytest.mark.parametrize("state", [State.SUBMITTED, State.REJECTED, State.WITHDRAWN])
def test_missing_session_is_right_where_nothing_was_accepted(state: State) -> None:
    assert Answers([proposal(state=state)], sessions=[]).found_by(MissingSession()) == []


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(Answers([proposal(updated_at=JUST_NOW)], []), id="just decided"),
        pytest.param(
            Answers(sessions=[], deliveries=[waiting(created_at=JUST_NOW)]), id="on its way"
        ),
        pytest.param(
            Answers(sessions=[], deliveries=[delivery(delivered_at=JUST_NOW)]), id="just arrived"
        ),
    ],
)
def test_missing_session_is_left_alone_while_the_change_is_under_way(answers: Answers) -> None:
    assert answers.found_by(MissingSession()) == []


def test_missing_session_is_found_when_its_delivery_has_waited_too_long() -> None:
    answers = Answers(sessions=[], deliveries=[waiting(created_at=LONG_AGO)])
    assert len(answers.found_by(MissingSession())) == 1


def test_missing_session_needs_a_person_when_every_slot_is_taken() -> None:
    answers = Answers([proposal(1), proposal(2)], [session(1)], [delivery(2)], slots=SLOTS[:1])
    (finding,) = answers.found_by(MissingSession())
    assert finding.repair is None
    assert "free one" in finding.cure


def test_missing_session_needs_a_person_when_there_is_no_delivery() -> None:
    (finding,) = Answers(sessions=[], deliveries=[]).found_by(MissingSession())
    assert finding.repair is None


@pytest.mark.parametrize("state", [State.SUBMITTED, State.REJECTED, State.WITHDRAWN])
def test_unexpected_session_is_found_and_its_delivery_sent_again(state: State) -> None:
    found = Answers([proposal(state=state)]).found_by(UnexpectedSession())
    assert repairs(found) == [RetryDelivery(delivery().id)]


def test_unexpected_session_that_never_had_a_delivery_is_removed() -> None:
    found = Answers([proposal(state=State.REJECTED)], deliveries=[]).found_by(UnexpectedSession())
    assert repairs(found) == [RemoveSession(UUID(int=1), 2)]


def test_unexpected_session_of_an_unknown_proposal_is_removed() -> None:
    found = Answers(sessions=[session(1), session(9, SLOTS[1])]).found_by(UnexpectedSession())
    assert repairs(found) == [RemoveSession(UUID(int=9), None)]


def test_unexpected_sessions_stay_when_c4p_service_knows_no_proposal_at_all() -> None:
    assert repairs(Answers(proposals=[]).found_by(UnexpectedSession())) == [None]


def test_unexpected_session_is_left_alone_when_just_withdrawn() -> None:
    answers = Answers([proposal(state=State.WITHDRAWN, updated_at=JUST_NOW)])
    assert answers.found_by(UnexpectedSession()) == []


@pytest.mark.parametrize("fields", [{"title": "Another"}, {"speaker": "Somebody"}])
def test_different_text_is_found_and_the_session_sent_again(fields: dict[str, Any]) -> None:
    found = Answers(sessions=[session(**fields)]).found_by(DifferentText())
    assert repairs(found) == [RetryDelivery(delivery().id)]


def test_different_text_is_left_alone_when_just_changed() -> None:
    answers = Answers([proposal(updated_at=JUST_NOW)], [session(title="Another")])
    assert answers.found_by(DifferentText()) == []


def test_different_text_of_an_unaccepted_proposal_are_another_checks_finding() -> None:
    answers = Answers([proposal(state=State.REJECTED)], [session(title="Another")])
    assert answers.found_by(DifferentText()) == []


@pytest.mark.parametrize("state", [State.ACCEPTED, State.REJECTED, State.WITHDRAWN])
def test_speaker_not_mailed_is_found_without_a_mail_of_that_decision(state: State) -> None:
    answers = Answers([proposal(state=state)], deliveries=[delivery(kind="received")])
    assert repairs(answers.found_by(SpeakerNotMailed())) == [None]


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(Answers(), id="delivered"),
        pytest.param(Answers([proposal(state=State.SUBMITTED)], deliveries=[]), id="not decided"),
        pytest.param(Answers([proposal(updated_at=JUST_NOW)], deliveries=[]), id="just decided"),
        pytest.param(
            Answers(deliveries=[waiting(kind="accepted", created_at=JUST_NOW)]), id="waits, young"
        ),
        pytest.param(
            Answers(
                deliveries=[failed(kind="accepted")],
                emails={UUID(int=1): [Email("proposal-accepted", "sent")]},
            ),
            id="in the ledger",
        ),
    ],
)
def test_speaker_not_mailed_is_not_found_when_told_or_soon_told(answers: Answers) -> None:
    assert answers.found_by(SpeakerNotMailed()) == []


@pytest.mark.parametrize("mail", [Email("proposal-received", "sent"), Email("x", "sending")])
def test_speaker_not_mailed_is_not_calmed_by_other_mails(mail: Email) -> None:
    answers = Answers(deliveries=[failed(kind="accepted")], emails={UUID(int=1): [mail]})
    assert repairs(answers.found_by(SpeakerNotMailed())) == [
        RetryDelivery(failed(kind="accepted").id)
    ]


def test_speaker_not_mailed_asks_the_ledger_only_where_c4p_service_is_unsure() -> None:
    answers = Answers([proposal(1), proposal(2)], deliveries=[delivery(1, "accepted")])
    assert [each.id for each in answers.snapshot().proposals_to_look_up()] == [UUID(int=2)]


def test_shared_slot_is_found_and_names_a_free_one() -> None:
    answers = Answers([proposal(1), proposal(2)], [session(1), session(2)])
    (finding,) = answers.found_by(SharedSlot())
    assert (finding.subject, finding.repair) == (UUID(int=2), None)
    assert "10:00 UTC, Main Hall" in finding.cure


def test_shared_slot_is_no_matter_of_the_room_or_the_time_alone() -> None:
    elsewhere = replace(SLOTS[0], id="elsewhere", room=Room("garden", "Garden Room"))
    sessions = [session(1), session(2, SLOTS[1]), session(3, elsewhere)]
    assert Answers(sessions=sessions).found_by(SharedSlot()) == []


@pytest.mark.parametrize(
    ("stuck", "repair"),
    [
        pytest.param(failed(), RetryDelivery(failed().id), id="session given up"),
        pytest.param(
            failed(kind="accepted"),
            RetryDelivery(failed(kind="accepted").id),
            id="mail given up",
        ),
        pytest.param(failed(kind="accepted", last_error="422 refused"), None, id="mail refused"),
        pytest.param(
            waiting(last_error="503 unavailable"), RetryDelivery(waiting().id), id="session waits"
        ),
        pytest.param(waiting(kind="accepted", last_error="503 unavailable"), None, id="mail waits"),
        pytest.param(
            waiting(next_attempt_at=LONG_AGO), RetryDelivery(waiting().id), id="nobody tries"
        ),
    ],
)
def test_stuck_delivery_is_found(stuck: Delivery, repair: RetryDelivery | None) -> None:
    assert repairs(Answers(deliveries=[stuck]).found_by(StuckDelivery())) == [repair]


FULL = failed(2, last_error="409 The agenda is full.")


def test_stuck_delivery_needs_a_person_when_every_slot_is_taken() -> None:
    answers = Answers([proposal(1), proposal(2)], [session(1)], [FULL], slots=SLOTS[:1])
    (finding,) = answers.found_by(StuckDelivery())
    assert finding.repair is None
    assert "free one" in finding.cure


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(Answers([proposal(2)], [session(1)], [FULL]), id="a slot is free again"),
        pytest.param(
            Answers([proposal(2, State.WITHDRAWN)], [session(1)], [FULL], slots=SLOTS[:1]),
            id="no slot is needed",
        ),
        pytest.param(
            Answers([proposal(2)], [session(1)], [failed(2)], slots=SLOTS[:1]), id="was not refused"
        ),
    ],
)
def test_stuck_delivery_is_sent_again_when_that_may_help(answers: Answers) -> None:
    assert repairs(answers.found_by(StuckDelivery())) == [RetryDelivery(FULL.id)]


@pytest.mark.parametrize(
    "moving",
    [
        pytest.param(delivery(), id="delivered"),
        pytest.param(waiting(created_at=JUST_NOW, last_error="503 unavailable"), id="young"),
        pytest.param(
            waiting(kind="accepted", next_attempt_at=JUST_NOW), id="sent again on purpose"
        ),
    ],
)
def test_stuck_delivery_is_not_found_while_it_moves(moving: Delivery) -> None:
    assert Answers(deliveries=[moving]).found_by(StuckDelivery()) == []


@pytest.mark.parametrize(
    ("kind", "state"),
    [("accepted", State.WITHDRAWN), ("rejected", State.ACCEPTED), ("rejected", State.WITHDRAWN)],
)
def test_stuck_delivery_is_not_found_when_it_tells_what_no_longer_holds(
    kind: str, state: State
) -> None:
    answers = Answers([proposal(state=state)], deliveries=[failed(kind=kind)])
    assert answers.found_by(StuckDelivery()) == []


@pytest.mark.parametrize("kind", ["received", "withdrawn", "session"])
def test_stuck_delivery_is_found_when_it_tells_what_holds_in_any_state(kind: str) -> None:
    answers = Answers([proposal(state=State.WITHDRAWN)], deliveries=[failed(kind=kind)])
    assert repairs(answers.found_by(StuckDelivery())) == [RetryDelivery(failed(kind=kind).id)]


def test_findings_about_two_deliveries_of_one_proposal_are_two() -> None:
    answers = Answers(deliveries=[failed(), failed(kind="accepted")])
    assert len({finding.key for finding in answers.found_by(StuckDelivery())}) == 2

"""States, transitions, the window, and who is told what."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from c4p import domain
from c4p.domain import (
    Actor,
    DeliveryKind,
    Draft,
    Proposal,
    StaleEditError,
    State,
    Target,
    Window,
    WindowClosedError,
    WrongStateError,
    wait_seconds,
)

NOW = datetime(2027, 1, 10, 12, 0, tzinfo=UTC)
OLGA = Actor("Olga")
ID = UUID("01890000-0000-7000-8000-000000000001")
DRAFT = Draft("Outboxes", "Why calls belong in tables.", "Ada", "ada@example.org")


def proposal(state: State = State.SUBMITTED, version: int = 1) -> Proposal:
    return Proposal(
        ID, DRAFT.title, DRAFT.abstract, DRAFT.speaker_name, DRAFT.speaker_email,
        state, version, NOW - timedelta(days=1), NOW - timedelta(days=1),
    )  # fmt: skip


def move(before: Proposal, to: State) -> domain.Change | None:
    if to is State.WITHDRAWN:
        return domain.withdraw(before, OLGA, NOW)
    return domain.decide(before, to, None, OLGA, NOW)


ALLOWED = {
    (State.SUBMITTED, State.ACCEPTED),
    (State.SUBMITTED, State.REJECTED),
    (State.SUBMITTED, State.WITHDRAWN),
    (State.ACCEPTED, State.WITHDRAWN),
    (State.REJECTED, State.ACCEPTED),
}
TARGETS = [State.ACCEPTED, State.REJECTED, State.WITHDRAWN]


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("to", TARGETS)
def test_transition_follows_the_table(before: State, to: State) -> None:
    if before is to:
        assert move(proposal(before), to) is None
    elif (before, to) in ALLOWED:
        change = move(proposal(before, version=3), to)
        assert change is not None
        assert (change.proposal.state, change.proposal.version) == (to, 4)
        assert (str(change.event.kind), change.event.version, change.event.actor) == (to, 4, "Olga")
    else:
        with pytest.raises(WrongStateError) as refused:
            move(proposal(before), to)
        assert refused.value.members == {"state": before}


def told(change: domain.Change | None) -> list[tuple[Target, DeliveryKind]]:
    assert change is not None
    return [(each.target, each.kind) for each in change.deliveries]


def test_submission_confirms_to_the_speaker() -> None:
    change = domain.submit(DRAFT, ID, Window(), OLGA, NOW)
    assert told(change) == [(Target.EMAIL, DeliveryKind.RECEIVED)]
    assert change.deliveries[0].data == {
        "to": "ada@example.org",
        "data": {"speaker_name": "Ada", "title": "Outboxes"},
    }


def test_acceptance_mails_and_publishes() -> None:
    change = domain.decide(proposal(), State.ACCEPTED, "See you!", OLGA, NOW)
    assert told(change) == [
        (Target.EMAIL, DeliveryKind.ACCEPTED),
        (Target.AGENDA, DeliveryKind.SESSION),
    ]
    assert change is not None
    assert change.deliveries[0].data["data"]["message"] == "See you!"
    assert change.proposal.decided_at == NOW


def test_rejection_mails_only() -> None:
    assert told(domain.decide(proposal(), State.REJECTED, None, OLGA, NOW)) == [
        (Target.EMAIL, DeliveryKind.REJECTED)
    ]


def test_withdrawal_of_an_accepted_proposal_leaves_the_agenda() -> None:
    assert told(domain.withdraw(proposal(State.ACCEPTED), OLGA, NOW)) == [
        (Target.EMAIL, DeliveryKind.WITHDRAWN),
        (Target.AGENDA, DeliveryKind.SESSION),
    ]


def test_withdrawal_before_a_decision_tells_no_agenda() -> None:
    assert told(domain.withdraw(proposal(), OLGA, NOW)) == [(Target.EMAIL, DeliveryKind.WITHDRAWN)]


def test_edit_keeps_the_words_it_replaces() -> None:
    change = domain.edit(proposal(), {1}, {"title": "Outboxes, again"}, OLGA, NOW)
    assert change is not None
    assert change.proposal.title == "Outboxes, again"
    assert change.event.data == {"before": {"title": "Outboxes"}}
    assert change.deliveries == ()


def test_edit_without_a_difference_is_no_change() -> None:
    assert domain.edit(proposal(), {1}, {"title": "Outboxes"}, OLGA, NOW) is None


def test_edit_of_an_old_version_is_refused_with_the_current() -> None:
    with pytest.raises(StaleEditError) as refused:
        domain.edit(proposal(version=2), {1}, {"title": "Mine"}, OLGA, NOW)
    assert refused.value.current.version == 2


def test_edit_of_any_version_needs_no_number() -> None:
    assert domain.edit(proposal(version=2), None, {"title": "Mine"}, OLGA, NOW) is not None


@pytest.mark.parametrize("state", [State.ACCEPTED, State.REJECTED, State.WITHDRAWN])
def test_edit_after_the_decision_is_refused(state: State) -> None:
    with pytest.raises(WrongStateError):
        domain.edit(proposal(state), {1}, {"title": "Too late"}, OLGA, NOW)


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("window", "is_open"),
    [
        (Window(), True),
        (Window(NOW, None), True),
        (Window(NOW + DAY, None), False),
        (Window(None, NOW), False),
        (Window(NOW - DAY, NOW + DAY), True),
        (Window(NOW - 2 * DAY, NOW - DAY), False),
    ],
)
def test_window_is_open_from_its_start_until_just_before_its_end(
    window: Window, is_open: bool
) -> None:
    assert window.is_open(NOW) is is_open


def test_submission_outside_the_window_is_refused_with_its_bounds() -> None:
    with pytest.raises(WindowClosedError, match="is closed") as refused:
        domain.submit(DRAFT, ID, Window(None, NOW - DAY), OLGA, NOW)
    assert refused.value.members == {"opens_at": None, "closes_at": NOW - DAY}


def test_submission_before_the_window_says_so() -> None:
    with pytest.raises(WindowClosedError, match="not opened yet"):
        domain.submit(DRAFT, ID, Window(NOW + DAY, None), OLGA, NOW)


def test_wait_doubles_up_to_the_longest() -> None:
    waits = [wait_seconds(failures, 0.5, 60, jitter=1) for failures in (1, 2, 3, 8, 500)]
    assert waits == [0.5, 1, 2, 60, 60]


def test_wait_is_spread_over_its_upper_half() -> None:
    assert wait_seconds(3, 0.5, 60, jitter=0) == 1
    assert wait_seconds(3, 0.5, 60, jitter=0.5) == 1.5

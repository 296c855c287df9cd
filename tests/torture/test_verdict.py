"""The verdict complains about everything that it is there for."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.torture.found import Found, Sent, Session, Stored
from tests.torture.injector import Injected
from tests.torture.relay import Arrival
from tests.torture.talks import Talk, talk
from tests.torture.verdict import MAIL_DOMAIN, Run, doubled, judge

from email_service.domain import make_message_id


def settled(number: int, *decisions: str) -> Talk:
    """A talk whose every request was acknowledged."""
    made = talk(1, number)
    made.id, made.decisions, made.decided = f"id-{number}", decisions, list(decisions)
    return made


def key(made: Talk, template: str) -> str:
    return f"{made.id}:{template}"


def arrival(made: Talk, template: str, at: float = 100.0) -> Arrival:
    return Arrival(at, made.address, make_message_id(key(made, template), MAIL_DOMAIN))


def session(made: Talk, slot: str) -> Session:
    return Session(made.id, slot, made.draft["title"], made.draft["speaker_name"])


ACCEPTED = settled(0, "accepted")
REJECTED = settled(1, "rejected")
CHANGED = settled(2, "rejected", "accepted")
TALKS = (ACCEPTED, REJECTED, CHANGED)


@pytest.fixture
def run() -> Run:
    """A run in which every promise was kept."""
    found = Found(
        proposals=[Stored(each.id, each.draft, each.state) for each in TALKS],
        sessions=[session(ACCEPTED, "slot-0"), session(CHANGED, "slot-1")],
        ledger={
            each.id: [Sent(key(each, name), name, "sent") for name in each.templates]
            for each in TALKS
        },
        arrivals=[arrival(each, name) for each in TALKS for name in each.templates],
        undelivered=0,
        findings=0,
        job_exit_code=0,
        job_says="Nothing found: everything fits.",
    )
    return Run(TALKS, {201: 3, 200: 4, 503: 9}, [], found)


def test_kept_promises_are_no_complaint(run: Run) -> None:
    assert judge(run) == []


def without_proposal(found: Found) -> Found:
    return replace(found, proposals=found.proposals[:1] + found.proposals[2:])


def with_other_content(found: Found) -> Found:
    first, *rest = found.proposals
    other = {**first.draft, "abstract": "Something else."}
    return replace(found, proposals=[replace(first, draft=other), *rest])


def with_proposal_twice(found: Found) -> Found:
    again = replace(found.proposals[1], id="id-again")
    return replace(found, proposals=[*found.proposals, again])


def with_other_state(found: Found) -> Found:
    first, second, third = found.proposals
    return replace(found, proposals=[first, replace(second, state="submitted"), third])


def without_session(found: Found) -> Found:
    return replace(found, sessions=found.sessions[1:])


def with_unwelcome_session(found: Found) -> Found:
    return replace(found, sessions=[*found.sessions, session(REJECTED, "slot-2")])


def with_doubled_session(found: Found) -> Found:
    return replace(found, sessions=[*found.sessions, session(ACCEPTED, "slot-2")])


def with_doubled_slot(found: Found) -> Found:
    first, second = found.sessions
    return replace(found, sessions=[first, replace(second, slot=first.slot)])


def with_other_title(found: Found) -> Found:
    first, *rest = found.sessions
    return replace(found, sessions=[replace(first, title="Something else"), *rest])


def without_mail(found: Found) -> Found:
    ledger = {**found.ledger, REJECTED.id: found.ledger[REJECTED.id][:1]}
    return replace(found, ledger=ledger, arrivals=[*found.arrivals[:3], *found.arrivals[4:]])


def with_two_mails(found: Found) -> Found:
    """As if one decision had been told under two keys."""
    template = "proposal-accepted"
    sent = [*found.ledger[ACCEPTED.id], Sent("another key", template, "sent")]
    came = Arrival(100, ACCEPTED.address, make_message_id("another key", MAIL_DOMAIN))
    return replace(
        found, ledger={**found.ledger, ACCEPTED.id: sent}, arrivals=[*found.arrivals, came]
    )


def with_mail_under_way(found: Found) -> Found:
    first, second = found.ledger[ACCEPTED.id]
    ledger = {**found.ledger, ACCEPTED.id: [first, replace(second, state="sending")]}
    return replace(found, ledger=ledger)


def without_arrival(found: Found) -> Found:
    return replace(found, arrivals=found.arrivals[1:])


def with_unknown_arrival(found: Found) -> Found:
    stray = Arrival(100, ACCEPTED.address, "<stray@example.org>")
    return replace(found, arrivals=[*found.arrivals, stray])


def with_unprovoked_double(found: Found) -> Found:
    again = arrival(ACCEPTED, "proposal-accepted", at=101)
    return replace(found, arrivals=[*found.arrivals, again])


def with_delivery_left(found: Found) -> Found:
    return replace(found, undelivered=1)


def with_finding_meanwhile(found: Found) -> Found:
    return replace(found, findings=1)


def with_finding(found: Found) -> Found:
    return replace(found, job_exit_code=3, job_says="1 of 1 findings remain.")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (without_proposal, "1 acknowledged proposals are lost, such as id-1."),
        (with_other_content, "1 proposals are not what was acknowledged, such as id-0."),
        (with_proposal_twice, "1 proposals are stored more than once, such as speaker-1@"),
        (with_other_state, "1 proposals are not in the state that was acknowledged, such as id-1."),
        (without_session, "1 accepted proposals are not on the agenda, such as id-0."),
        (with_unwelcome_session, "1 sessions belong to no accepted proposal, such as id-1."),
        (with_doubled_session, "1 proposals are on the agenda more than once, such as id-0."),
        (with_doubled_slot, "1 slots hold more than one session, such as slot-0."),
        (with_other_title, "1 sessions say something else than their proposals, such as id-0."),
        (without_mail, "1 proposals lack a mail in the ledger, such as id-1."),
        (with_two_mails, "1 proposals have a mail too many in the ledger, such as id-0."),
        (with_mail_under_way, "1 mails in the ledger are still being sent, such as id-0:"),
        (without_arrival, "1 mails are in the ledger and never came to the relay, such as <"),
        (with_unknown_arrival, "1 mails came to the relay and are not in the ledger, such as <st"),
        (with_unprovoked_double, "1 mails came twice although nothing interrupted them, such as <"),
        (with_delivery_left, "1 deliveries still wait or were given up."),
        (with_finding_meanwhile, "The consistency job found 1 things during the run."),
        (with_finding, "The consistency job ended with 3: 1 of 1 findings remain."),
    ],
)
def test_broken_promise_is_named(run: Run, spoil: Callable[[Found], Found], complaint: str) -> None:
    complaints = judge(replace(run, found=spoil(run.found)))
    assert any(each.startswith(complaint) for each in complaints), complaints


def test_strange_answer_is_named(run: Run) -> None:
    complaints = judge(replace(run, answers={**run.answers, 500: 2}))
    assert complaints == ["1 statuses are none that an honest client should get, such as 500."]


def test_talk_without_acknowledgement_is_named_and_not_judged(run: Run) -> None:
    waiting = replace(REJECTED, decided=[])
    complaints = judge(replace(run, talks=[ACCEPTED, waiting, CHANGED]))
    assert complaints == [
        "1 talks still wait for an acknowledgement, such as torture-1-1.",
    ]


@pytest.mark.parametrize(
    "fault",
    [
        Injected("email-service", "kill", 100.3, 100.4),
        Injected("email-service", "freeze", 95.0, 99.5),
        Injected("relay", "freeze", 97.0, 99.9),
        Injected("valkey", "kill", 98.4, 98.5),
        Injected("valkey", "freeze", 99.0, 104.0),
    ],
)
def test_double_of_a_mail_whose_hand_over_was_interrupted_is_counted_and_forgiven(
    run: Run, fault: Injected
) -> None:
    found = with_unprovoked_double(run.found)
    assert judge(replace(run, found=found, injected=[fault])) == []
    assert len(doubled(found.arrivals)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Injected("c4p-service", "kill", 100.3, 100.4),
        Injected("email-service", "kill", 97.8, 97.9),
        Injected("relay", "kill", 90.0, 90.1),
        Injected("valkey", "freeze", 95.0, 96.9),
        # After the hand-over, before the mail came again.
        Injected("email-service", "kill", 101.1, 101.2),
        Injected("relay", "kill", 105.0, 105.1),
    ],
)
def test_double_of_a_mail_whose_hand_over_nothing_interrupted_is_not_forgiven(
    run: Run, fault: Injected
) -> None:
    again = arrival(ACCEPTED, "proposal-accepted", at=110)
    found = replace(run.found, arrivals=[*run.found.arrivals, again])
    assert judge(replace(run, found=found, injected=[fault])) != []

"""Judges whether promises were kept: pure, one plain sentence for each broken promise."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.torture.found import Found, Session, Stored
from tests.torture.injector import Injected
from tests.torture.relay import Arrival
from tests.torture.talks import Talk

from email_service.domain import make_message_id

MAIL_DOMAIN = "example.org"
"""That of the embedded platform's sender."""
HAND_OVER_SECONDS = 1.0
"""How long after the relay took a mail it may take to be in the ledger, on a busy machine."""
RECOVERY_SECONDS = {"email-service": 2.0, "relay": 2.0, "valkey": 3.0}
"""Who has to suffer for a mail to be handed over twice: who gives, who takes, who remembers; and
how long after the end of a fault theirs may still show: what had been sent meanwhile is taken then,
and Valkey, which counts as ended by a kill once it is started again, reads its data first.
"""
EXPECTED_ANSWERS = frozenset({200, 201, 429, 503})


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that the verdict is about."""

    talks: Sequence[Talk]
    answers: Mapping[int, int]
    """How many answers the clients got, by status."""
    injected: Sequence[Injected]
    found: Found


def judge(run: Run) -> list[str]:
    """The broken promises; empty when all were kept."""
    checks: tuple[Callable[[Run], Iterator[str]], ...] = (
        _answers,
        _proposals,
        _states,
        _agenda,
        _ledger,
        _relay,
        _rest,
    )
    return [sentence for check in checks for sentence in check(run)]


def doubled(arrivals: Sequence[Arrival]) -> list[tuple[Arrival, Arrival]]:
    """Each arrival of a mail that was there before, after the one before it."""
    last: dict[str, Arrival] = {}
    pairs: list[tuple[Arrival, Arrival]] = []
    for arrival in arrivals:
        if (before := last.get(arrival.message_id)) is not None:
            pairs.append((before, arrival))
        last[arrival.message_id] = arrival
    return pairs


def lost(run: Run) -> list[str]:
    """The ids of acknowledged proposals that are not there."""
    stored = {each.id for each in run.found.proposals}
    return [talk.id for talk in run.talks if talk.id and talk.id not in stored]


def _answers(run: Run) -> Iterator[str]:
    strange = {str(status) for status in run.answers if status not in EXPECTED_ANSWERS}
    yield from _sentence(strange, "{} statuses are none that an honest client should get")
    unanswered = [talk.key for talk in run.talks if not talk.is_settled]
    yield from _sentence(unanswered, "{} talks still wait for an acknowledgement")


def _proposals(run: Run) -> Iterator[str]:
    yield from _sentence(lost(run), "{} acknowledged proposals are lost")
    stored = {each.id: each.draft for each in run.found.proposals}
    changed = [t.id for t in run.talks if t.id in stored and stored[t.id] != t.draft]
    yield from _sentence(changed, "{} proposals are not what was acknowledged")
    speakers = [each.draft["speaker_email"] for each in run.found.proposals]
    yield from _sentence(_repeated(speakers), "{} proposals are stored more than once")


def _states(run: Run) -> Iterator[str]:
    stored = {each.id: each.state for each in run.found.proposals}
    wrong = [t.id for t in _settled(run) if stored.get(t.id, t.state) != t.state]
    yield from _sentence(wrong, "{} proposals are not in the state that was acknowledged")


def _agenda(run: Run) -> Iterator[str]:
    sessions = run.found.sessions
    accepted = {each.id: each for each in run.found.proposals if each.state == "accepted"}
    on_agenda = [each.proposal_id for each in sessions]
    missing = accepted.keys() - set(on_agenda)
    yield from _sentence(missing, "{} accepted proposals are not on the agenda")
    unwelcome = set(on_agenda) - accepted.keys()
    yield from _sentence(unwelcome, "{} sessions belong to no accepted proposal")
    yield from _sentence(_repeated(on_agenda), "{} proposals are on the agenda more than once")
    slots = _repeated(each.slot for each in sessions)
    yield from _sentence(slots, "{} slots hold more than one session")
    other = [s.proposal_id for s in sessions if not _is_of(s, accepted.get(s.proposal_id))]
    yield from _sentence(other, "{} sessions say something else than their proposals")


def _is_of(session: Session, proposal: Stored | None) -> bool:
    if proposal is None:
        return True
    words = (proposal.draft["title"], proposal.draft["speaker_name"])
    return (session.title, session.speaker) == words


def _ledger(run: Run) -> Iterator[str]:
    sent = {
        talk.id: Counter(each.template for each in run.found.ledger.get(talk.id, ()))
        for talk in _settled(run)
    }
    fewer = [t.id for t in _settled(run) if Counter(t.templates) - sent[t.id]]
    yield from _sentence(fewer, "{} proposals lack a mail in the ledger")
    more = [t.id for t in _settled(run) if sent[t.id] - Counter(t.templates)]
    yield from _sentence(more, "{} proposals have a mail too many in the ledger")
    entries = [each for found in run.found.ledger.values() for each in found]
    unfinished = [each.key for each in entries if each.state != "sent"]
    yield from _sentence(unfinished, "{} mails in the ledger are still being sent")


def _relay(run: Run) -> Iterator[str]:
    entries = [each for found in run.found.ledger.values() for each in found]
    recorded = {make_message_id(each.key, MAIL_DOMAIN) for each in entries if each.state == "sent"}
    speakers = {each.draft["speaker_email"] for each in run.found.proposals}
    # The job mails the organizers, which is nobody's decision.
    taken = [each for each in run.found.arrivals if each.to in speakers]
    missing = recorded - {each.message_id for each in taken}
    yield from _sentence(missing, "{} mails are in the ledger and never came to the relay")
    unknown = {each.message_id for each in taken} - recorded
    yield from _sentence(unknown, "{} mails came to the relay and are not in the ledger")
    unprovoked = [
        second.message_id
        for first, second in doubled(taken)
        if not _is_interrupted(run.injected, first)
    ]
    yield from _sentence(unprovoked, "{} mails came twice although nothing interrupted them")


def _is_interrupted(injected: Sequence[Injected], first: Arrival) -> bool:
    """Return whether a fault may have kept the ledger from learning that the relay took a mail.

    What happens between then and the second time excuses nothing.
    """
    return any(
        fault.target in RECOVERY_SECONDS
        and fault.begun <= first.at + HAND_OVER_SECONDS
        and first.at <= fault.ended + RECOVERY_SECONDS[fault.target]
        for fault in injected
    )


def _rest(run: Run) -> Iterator[str]:
    found = run.found
    if found.undelivered:
        yield f"{found.undelivered} deliveries still wait or were given up."
    if found.findings:
        yield f"The consistency job found {found.findings} things during the run."
    if found.job_exit_code != 0:
        yield f"The consistency job ended with {found.job_exit_code}: {found.job_says}"


def _settled(run: Run) -> list[Talk]:
    return [talk for talk in run.talks if talk.is_settled]


def _repeated(items: Iterable[str]) -> list[str]:
    return [item for item, number in Counter(items).items() if number > 1]


def _sentence(examples: Collection[str], what: str) -> Iterator[str]:
    if examples:
        yield f"{what.format(len(examples))}, such as {min(examples)}."

"""Believable proposals out of parts that fit each other, for trying the platform out."""

import unicodedata
from dataclasses import dataclass
from random import Random
from typing import NamedTuple


class Subject(NamedTuple):
    """The subject of a talk: a noun phrase, what was wrong, what helped."""

    noun: str
    trouble: str
    cure: str


class Angle(NamedTuple):
    """The form of a talk: a title around the noun phrase, and what listeners take home."""

    title: str
    promise: str


SUBJECTS = (
    Subject(
        "canary releases",
        "Sending a change to one visitor in a hundred sounds easy until someone asks which "
        "hundred, and what counts as worse.",
        "We compare three ways to judge a canary, with the false alarms each of them gave us.",
    ),
    Subject(
        "feature flags",
        "Our service had 412 flags, and nobody could say which of them were still alive.",
        "Giving every flag an owner and a day of death took the number down to nineteen.",
    ),
    Subject(
        "database migrations",
        "Two versions of a service share one schema during every rollout, whether one plans for "
        "it or not.",
        "Expand, backfill, contract: the three steps, the locks each of them takes, and the tests "
        "that keep us honest.",
    ),
    Subject(
        "incident reviews",
        "Most of our reviews ended with the sentence that somebody should have been more careful.",
        "We stopped asking who and began to ask what made it look right at the time.",
    ),
    Subject(
        "service-level objectives",
        "Four nines were promised in a contract that no engineer had read.",
        "We started from what visitors notice, and ended with three numbers on one screen.",
    ),
    Subject(
        "contract tests",
        "Our end-to-end suite took fifty minutes and failed for reasons that had nothing to do "
        "with the change.",
        "Consumer-driven contracts took over most of its work, and told us whose fault a failure "
        "was.",
    ),
    Subject(
        "distributed tracing",
        "We recorded every span for a year before anyone found a bug with one.",
        "Tail sampling, a naming rule and one good query turned a bill into a tool.",
    ),
    Subject(
        "on-call rotations",
        "The pager went to whoever had complained least the week before.",
        "We counted every page, deleted two thirds of the alerts, and measured how people slept.",
    ),
    Subject(
        "software supply chains",
        "A build that nobody can repeat is a rumour about what runs in production.",
        "Signatures, provenance and a bill of materials, in the order in which they paid off.",
    ),
    Subject(
        "Kubernetes upgrades",
        "Three minor versions behind, every upgrade becomes a project of its own.",
        "We describe the rehearsal cluster that made upgrading a matter for a Tuesday morning.",
    ),
    Subject(
        "code reviews",
        "A change waited two days on average, and most of the comments were about names.",
        "Small batches, a rota and a written standard brought the wait down to ninety minutes.",
    ),
    Subject(
        "event-driven systems",
        "The happy path fitted on a slide; the duplicates, the gaps and the late arrivals did not.",
        "Outbox, idempotency and one reconciliation job carry more than any broker feature did.",
    ),
    Subject(
        "load tests",
        "The test was green, the launch was not: we had tested a cache.",
        "We rebuilt the load from a real day of traffic, and learned to read the second graph.",
    ),
    Subject(
        "platform teams",
        "We built a platform, and the teams kept on copying each other's scripts.",
        "Treating it as a product meant interviews, a roadmap, and deleting half of it.",
    ),
)

ANGLES = (
    Angle("What five years of {} taught us", "You will leave with the five rules that survived."),
    Angle("{} without the drama", "The talk shows working configuration, and what it replaced."),
    Angle("{} for a team of six", "Everything shown can be run by a team without specialists."),
    Angle("The quiet cost of {}", "We put numbers on it, including the ones that embarrassed us."),
    Angle("We got {} wrong, twice", "Expect an honest account, two diagrams and no product names."),
    Angle("A field guide to {}", "It is a map for people who have to decide next week."),
    Angle(
        "{}, from first principles",
        "No earlier knowledge is needed beyond having shipped something.",
    ),
    Angle("{} at two in the morning", "Stories first, then the three changes that let us sleep."),
)

_FIRST_NAMES = (
    "Ada", "Amara", "Björn", "Chiara", "Daniel", "Elif", "Farah", "Gustavo", "Hana", "Ines",
    "Jonas", "Kwame", "Leïla", "Mateusz", "Noor", "Olga", "Priya", "Rafael", "Sanne", "Tomás",
)  # fmt: skip
_LAST_NAMES = (
    "Achterberg", "Bianchi", "Castillo", "Demir", "Eriksen", "Fontaine", "García", "Haugen",
    "Ito", "Jansen", "Kowalska", "Lindqvist", "Mensah", "Novák", "Okafor", "Petrova", "Quist",
    "Rossi", "Sharma", "Tanaka",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """A proposal as a speaker would type it into the form."""

    title: str
    abstract: str
    speaker_name: str
    speaker_email: str


def example(random: Random) -> Example:
    """One proposal, by chance."""
    return examples(1, random)[0]


def examples(count: int, random: Random) -> list[Example]:
    """`count` proposals of which no two share a title or a speaker; there are 112 of them."""
    talks = [(subject, angle) for subject in SUBJECTS for angle in ANGLES]
    names = [f"{first} {last}" for first in _FIRST_NAMES for last in _LAST_NAMES]
    chosen = zip(random.sample(talks, count), random.sample(names, count), strict=True)
    return [_compose(*talk, name) for talk, name in chosen]


def _compose(subject: Subject, angle: Angle, name: str) -> Example:
    title = angle.title.format(subject.noun)
    return Example(
        title=title[0].upper() + title[1:],
        abstract=f"{subject.trouble} {subject.cure}\n\n{angle.promise}",
        speaker_name=name,
        speaker_email=f"{_ascii(name).lower().replace(' ', '.')}@example.org",
    )


def _ascii(text: str) -> str:
    # Letters come apart from their marks, and the marks are dropped.
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()

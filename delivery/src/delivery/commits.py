"""Rules of commits: what their subjects say, and which of them still hold."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

SUBJECT = re.compile(r"(?P<word>[^:()!]+)(?:\((?P<area>[^()]+)\))?(?P<breaks>!)?: +(?P<what>\S.*)")
BREAKS = re.compile(r"^BREAKING[ -]CHANGE: +\S", re.MULTILINE)
REVERTS = re.compile(r"^This reverts commit ([0-9a-f]{40,64})\b", re.MULTILINE)
WRITTEN_BY_GIT = re.compile(r"Merge |Revert \"|Reapply \"")
TYPES = ("fix", "feat")


class Level(IntEnum):
    """The part of a version that a commit raises."""

    PATCH = 1
    MINOR = 2
    MAJOR = 3


@dataclass(frozen=True, slots=True)
class Commit:
    """A change, and what was said of it."""

    hash: str
    message: str
    paths: frozenset[str]

    @property
    def subject(self) -> str:
        """The first line."""
        return self.message.partition("\n")[0].strip()

    @property
    def level(self) -> Level:
        """Return the step that the commit names; every change is at least another patch."""
        said = SUBJECT.fullmatch(self.subject)
        if (said and said["breaks"]) or BREAKS.search(self.message):
            return Level.MAJOR
        return Level.MINOR if said and said["word"].lower() == "feat" else Level.PATCH


def standing(commits: Sequence[Commit]) -> Iterator[Commit]:
    """Yield those, of commits from the newest to the oldest, that no later one takes back.

    What takes back one of them goes with it, unless it was taken back itself.
    """
    known = {each.hash for each in commits}
    gone: set[str] = set()
    for commit in commits:
        if commit.hash in gone:
            continue
        taken_back = known.intersection(REVERTS.findall(commit.message))
        gone |= taken_back
        if not taken_back:
            yield commit


def is_well_formed(subject: str) -> bool:
    """Tell whether a subject is `area: what` or, where something is released, `fix(area): what`."""
    if WRITTEN_BY_GIT.match(subject):
        return True
    said = SUBJECT.fullmatch(subject)
    return said is not None and (said["word"] in TYPES) == (said["area"] is not None)

"""Talks that speakers hand in and organizers decide, and how far each of them has come."""

from dataclasses import dataclass, field
from random import Random

from frontend.example_proposals import example

_DECISIONS = (
    *(("accepted",),) * 5,
    *(("rejected",),) * 2,
    ("rejected", "accepted"),
)


@dataclass(slots=True)
class Talk:
    """A proposal, what is decided about it, and what the platform has acknowledged of that."""

    draft: dict[str, str]
    """title, abstract, speaker_name and speaker_email; no other talk has the same address."""
    key: str
    decisions: tuple[str, ...]
    id: str = ""
    """Empty until the submission is acknowledged."""
    decided: list[str] = field(default_factory=list)
    """The decisions that are acknowledged, in their order."""

    @property
    def address(self) -> str:
        """The address to which its mails go."""
        return self.draft["speaker_email"]

    @property
    def is_settled(self) -> bool:
        """True when every request about it is acknowledged."""
        return bool(self.id) and len(self.decided) == len(self.decisions)

    @property
    def state(self) -> str:
        """The state in which it must be, once it is settled."""
        return self.decided[-1] if self.decided else "submitted"

    @property
    def templates(self) -> list[str]:
        """The mails that the speaker is owed, once it is settled."""
        return [f"proposal-{each}" for each in ("received", *self.decided)]


def talk(seed: int, number: int) -> Talk:
    """The same for the same seed and number, and unlike every other of that seed."""
    random = Random(f"{seed} talk {number}")
    made = example(random)
    draft = {
        "title": f"{made.title} ({number})",
        "abstract": made.abstract,
        "speaker_name": made.speaker_name,
        "speaker_email": f"speaker-{number}@example.org",
    }
    return Talk(draft, key=f"torture-{seed}-{number}", decisions=random.choice(_DECISIONS))

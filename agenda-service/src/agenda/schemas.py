"""What travels over HTTP to and from agenda-service."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agenda.domain import Schedule, Session, Talk
from servicekit.problems import ProblemType
from servicekit.text import Line, Paragraphs

SESSION_NOT_FOUND = ProblemType(
    "session-not-found",
    404,
    "The proposal is not on the agenda",
    "Check the id; a proposal is on the agenda once it is accepted.",
)
AGENDA_FULL = ProblemType(
    "agenda-full",
    409,
    "Every slot is taken",
    "Take a session off, or give the schedule more slots; then send it again.",
)
STALE_VERSION = ProblemType(
    "stale-version",
    409,
    "A newer version was seen before",
    "Nothing to do: `current` is the newest version that came, and yours is older.",
)
SLOT_TAKEN = ProblemType(
    "slot-taken",
    409,
    "The slot is taken",
    "Choose another slot, or move the session of the proposal `taken_by` first; "
    "`taken_by_title` is its title.",
)
UNKNOWN_SLOT = ProblemType(
    "unknown-slot", 422, "There is no such slot", "Choose one of `GET /schedule`."
)


def _only_iso(value: object) -> object:
    # Else a number would be taken for the seconds since 1970.
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError("it must be a day as 2027-06-14")
    return value


MAX_VERSION = 2**53 - 1
"""Valkey's scripts count in doubles: above this, two versions may look the same."""

Version = Annotated[int, Field(ge=1, le=MAX_VERSION, description="the proposal's version")]
Day = Annotated[date, BeforeValidator(_only_iso)]
Track = Annotated[Line, Field(max_length=120)]


class Input(BaseModel):
    """A request's body: a field that nobody knows is an error, not a typo without effect."""

    model_config = ConfigDict(extra="forbid", strict=True)


class TalkInput(Input):
    """What an accepted proposal says of itself."""

    title: Annotated[Line, Field(max_length=200)]
    abstract: Annotated[Paragraphs, Field(max_length=5000)]
    speaker: Annotated[Line, Field(max_length=120)]
    version: Version

    def talk(self, proposal_id: UUID) -> Talk:
        """The same for the domain."""
        return Talk(proposal_id, **self.model_dump())


class SlotChoice(Input):
    """The slot that a session is to have."""

    slot_id: Annotated[Line, Field(max_length=100)]


class Output(BaseModel):
    """What is answered: made from what the domain has under the same names."""

    model_config = ConfigDict(from_attributes=True)


class RoomOutput(Output):
    """A room."""

    id: str
    name: str


class ScheduledRoom(RoomOutput):
    """A room, and the track of all that happens in it."""

    track: str


class SlotOutput(Output):
    """A room and a time; times are UTC, the day is the local one."""

    id: str
    day: date
    starts_at: datetime
    ends_at: datetime
    room: RoomOutput
    track: str


class ListedSession(Output):
    """A session, as the list has it."""

    proposal_id: UUID
    title: str
    speaker: str
    slot: SlotOutput


class SessionOutput(ListedSession):
    """A session with all that is known of it; `version` is the proposal's."""

    abstract: str
    version: int


class MoverOutput(Output):
    """A person who moved a session; `subject` is theirs at the OpenID provider."""

    name: str
    subject: str
    at: datetime


class MoveOutput(Output):
    """The last move of a session; null when nobody has moved it."""

    moved: MoverOutput | None


class SessionList(Output):
    """Sessions by start, then by room in the schedule's order."""

    items: list[ListedSession]


class ScheduleOutput(Output):
    """Every slot there is, by start, then by room in the order of `rooms`."""

    timezone: str
    days: list[date]
    rooms: list[ScheduledRoom]
    slots: list[SlotOutput]


def render_sessions(sessions: Sequence[Session]) -> bytes:
    """A SessionList in JSON."""
    return SessionList.model_validate({"items": sessions}).model_dump_json().encode()


def render_schedule(schedule: Schedule) -> bytes:
    """A ScheduleOutput in JSON."""
    fields = {
        "timezone": schedule.timezone.key,
        "days": schedule.days,
        "rooms": schedule.rooms,
        "slots": list(schedule.slots.values()),
    }
    return ScheduleOutput.model_validate(fields).model_dump_json().encode()

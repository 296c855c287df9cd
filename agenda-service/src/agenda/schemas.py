"""The bodies of requests to agenda-service, and of its responses."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agenda.domain import Move, Schedule, Session, Talk
from servicekit.text import Line, Paragraphs


def _require_iso_format(value: object) -> object:
    # Pydantic would take a number for the seconds since 1970.
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError("it must be a day as 2027-06-14")
    return value


MAX_VERSION = 2**53 - 1
"""Valkey's scripts count in doubles: above this, two versions may look the same."""

Version = Annotated[int, Field(ge=1, le=MAX_VERSION, description="the proposal's version")]
Day = Annotated[date, BeforeValidator(_require_iso_format)]
Track = Annotated[Line, Field(max_length=120)]


class Input(BaseModel):
    """The base of request bodies: an unknown field is an error, not a typo without effect."""

    model_config = ConfigDict(extra="forbid", strict=True)


class TalkInput(Input):
    """The content of an accepted proposal, to be put on the agenda."""

    title: Annotated[Line, Field(max_length=200)]
    abstract: Annotated[Paragraphs, Field(max_length=5000)]
    speaker: Annotated[Line, Field(max_length=120)]
    version: Version

    def to_talk(self, proposal_id: UUID) -> Talk:
        """Return it as the domain's talk."""
        return Talk(proposal_id, **self.model_dump())


class SlotInput(Input):
    """The slot that a session is to be moved to."""

    slot_id: Annotated[Line, Field(max_length=100)]


class Output(BaseModel):
    """The base of response bodies: filled from the domain's attributes of the same names."""

    model_config = ConfigDict(from_attributes=True)


class RoomOutput(Output):
    """A room."""

    id: str
    name: str


class RoomWithTrackOutput(RoomOutput):
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


class ListedSessionOutput(Output):
    """A session in the list of all sessions."""

    proposal_id: UUID
    title: str
    speaker: str
    slot: SlotOutput


class SessionOutput(ListedSessionOutput):
    """A session with its abstract; `version` is the proposal's."""

    abstract: str
    version: int


class MoveOutput(Output):
    """A move of a session: who moved it, and when; `subject` is theirs at the OpenID provider."""

    name: str
    subject: str
    at: datetime


class LastMoveOutput(Output):
    """The last move of a session; null when nobody has moved it."""

    moved: MoveOutput | None

    @classmethod
    def from_move(cls, move: Move | None) -> Self:
        """Return the body for `move`, or for none."""
        if move is None:
            return cls(moved=None)
        actor = move.actor
        return cls(moved=MoveOutput(name=actor.name, subject=actor.subject, at=move.at))


class SessionListOutput(Output):
    """Sessions by start, then by room in the schedule's order."""

    items: list[ListedSessionOutput]


class ScheduleOutput(Output):
    """Every slot there is, by start, then by room in the order of `rooms`."""

    timezone: str
    days: list[date]
    rooms: list[RoomWithTrackOutput]
    slots: list[SlotOutput]


def render_sessions(sessions: Sequence[Session]) -> bytes:
    """Return a SessionListOutput as JSON."""
    return SessionListOutput.model_validate({"items": sessions}).model_dump_json().encode()


def render_schedule(schedule: Schedule) -> bytes:
    """Return a ScheduleOutput as JSON."""
    fields = {
        "timezone": schedule.timezone.key,
        "days": schedule.days,
        "rooms": schedule.rooms,
        "slots": list(schedule.slots.values()),
    }
    return ScheduleOutput.model_validate(fields).model_dump_json().encode()

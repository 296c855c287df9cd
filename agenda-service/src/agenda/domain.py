"""The rules of the agenda: the slots that there are, their order, and the errors of the service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo


class SessionNotFoundError(Exception):
    """The proposal is not on the agenda."""

    def __init__(self, proposal_id: UUID) -> None:
        super().__init__(f"Proposal {proposal_id} is not on the agenda.")


class AgendaFullError(Exception):
    """Every slot of the schedule is taken."""

    def __init__(self) -> None:
        super().__init__("Every slot of the schedule is taken.")


class StaleVersionError(Exception):
    """A higher version of the proposal was seen before, so that this change came too late."""

    def __init__(self, current: int) -> None:
        super().__init__(f"Version {current} of the proposal was seen before.")
        self.members = {"current": current}


class SlotTakenError(Exception):
    """Another session has the slot."""

    def __init__(self, holder: "Talk") -> None:
        super().__init__(f"The slot is taken by “{holder.title}”.")
        # Not `title`: in a problem that is the name of the kind of problem.
        self.members = {"taken_by": str(holder.proposal_id), "taken_by_title": holder.title}


class UnknownSlotError(Exception):
    """The schedule has no such slot."""

    def __init__(self, slot_id: str) -> None:
        super().__init__(f"The schedule has no slot {slot_id}.")


@dataclass(frozen=True, slots=True)
class Room:
    """A room, and the track of all that happens in it."""

    id: str
    name: str
    track: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A room and a time, for one session at most; `day` is in local time, the times are in UTC."""

    id: str
    day: date
    starts_at: datetime
    ends_at: datetime
    room: Room

    @property
    def track(self) -> str:
        """Return the track of its room."""
        return self.room.track


@dataclass(frozen=True, slots=True)
class Talk:
    """The content of an accepted proposal; `version` is the proposal's."""

    proposal_id: UUID
    title: str
    abstract: str
    speaker: str
    version: int

    def in_slot(self, slot: Slot) -> "Session":
        """Return the session of this talk in `slot`."""
        return Session(
            self.proposal_id, self.title, self.abstract, self.speaker, self.version, slot
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who changes the agenda; `subject` is theirs at the OpenID provider."""

    name: str
    subject: str


@dataclass(frozen=True, slots=True)
class Move:
    """The record of a session's last move."""

    actor: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Session(Talk):
    """A talk in its slot."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Schedule:
    """The rooms and slots of a conference; slots are by id, ordered by start and then by room."""

    timezone: ZoneInfo
    days: Sequence[date]
    rooms: Sequence[Room]
    slots: Mapping[str, Slot]

    def find_slot(self, slot_id: str) -> Slot:
        """Return the slot with this id, or raise UnknownSlotError."""
        try:
            return self.slots[slot_id]
        except KeyError:
            raise UnknownSlotError(slot_id) from None

    def place_talks(self, talks: Mapping[str, Talk]) -> list[Session]:
        """Return the sessions of `talks`, which are by slot id, in the schedule's order.

        A talk whose slot the schedule no longer has is left out until it gets another one.
        """
        return [talks[id_].in_slot(slot) for id_, slot in self.slots.items() if id_ in talks]


def make_schedule(
    timezone: ZoneInfo,
    days: Sequence[date],
    times: Sequence[tuple[time, time]],
    rooms: Sequence[Room],
) -> Schedule:
    """Return a schedule with a slot for each room, day and pair of local start and end times."""

    def make_slot(day: date, start: time, end: time, room: Room) -> Slot:
        starts_at, ends_at = (
            datetime.combine(day, clock, timezone).astimezone(UTC) for clock in (start, end)
        )
        return Slot(f"{day:%Y%m%d}T{start:%H%M}-{room.id}", day, starts_at, ends_at, room)

    slots = [
        make_slot(day, start, end, room)
        for day in sorted(days)
        for start, end in sorted(times)
        for room in rooms
    ]
    return Schedule(timezone, sorted(days), rooms, {slot.id: slot for slot in slots})

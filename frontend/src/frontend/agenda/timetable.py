"""The agenda arranged for the eye: by day, time and room, and what it can be narrowed to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal
from urllib.parse import urlencode

from frontend.clients.schemas import ListedSession, Schedule, TrackRoom
from frontend.formatting import short_day

UNKNOWN = "?"
"""Stands for any day, room or track that there is not: nothing matches it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A visitor's choice; an empty text is everything. There are few of them, since what
    the schedule doesn't know has become UNKNOWN.
    """

    day: str = ""
    room: str = ""
    track: str = ""

    @property
    def address(self) -> str:
        """The page that shows this."""
        chosen = {"day": self.day, "room": self.room, "track": self.track}
        query = urlencode({name: value for name, value in chosen.items() if value})
        return f"/agenda?{query}" if query else "/agenda"

    def matches(self, session: ListedSession) -> bool:
        """Return whether `session` is among what is wanted."""
        slot = session.slot
        return (
            self.day in {"", slot.day.isoformat()}
            and self.room in {"", slot.room.id}
            and self.track in {"", slot.track}
        )


def choose(schedule: Schedule, day: str, room: str, track: str) -> Choice:
    """Return what a query asks for, as far as `schedule` knows it."""

    def known(value: str, values: Iterable[str]) -> str:
        return value if not value or value in set(values) else UNKNOWN

    return Choice(
        day=known(day, (each.isoformat() for each in schedule.days)),
        room=known(room, (each.id for each in schedule.rooms)),
        track=known(track, (each.track for each in schedule.rooms)),
    )


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that a filter offers; an empty value is everything."""

    label: str
    value: str
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """A row of options, one of which is chosen."""

    name: str
    options: Sequence[Option]


@dataclass(frozen=True, slots=True)
class Row:
    """One time of a day: a session or None for each room."""

    starts_at: datetime
    ends_at: datetime
    cells: Sequence[ListedSession | None]


@dataclass(frozen=True, slots=True)
class Day:
    """One day: its rooms from left to right, its times from top to bottom."""

    date: date
    rooms: Sequence[TrackRoom]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The whole page."""

    days: Sequence[Day]
    filters: Sequence[Filter]
    is_empty: bool
    """Whether there is no session at all, whatever was chosen."""


def arrange(sessions: Sequence[ListedSession], schedule: Schedule, choice: Choice) -> Arrangement:
    """The sessions that `choice` matches, by day, time and room."""
    by_day: dict[date, list[ListedSession]] = {}
    for session in sessions:
        if choice.matches(session):
            by_day.setdefault(session.slot.day, []).append(session)
    days = [_day(day, by_day[day], schedule, choice) for day in sorted(by_day)]
    return Arrangement(days, _filters(schedule, choice), is_empty=not sessions)


def _day(day: date, sessions: Sequence[ListedSession], schedule: Schedule, choice: Choice) -> Day:
    rooms = {
        room.id: room
        for room in schedule.rooms
        if choice.room in {"", room.id} and choice.track in {"", room.track}
    }
    times: dict[tuple[datetime, datetime], dict[str, ListedSession]] = {}
    for session in sessions:
        slot = session.slot
        # A room that has left the schedule keeps its column as long as it has a session.
        rooms.setdefault(
            slot.room.id, TrackRoom(id=slot.room.id, name=slot.room.name, track=slot.track)
        )
        times.setdefault((slot.starts_at, slot.ends_at), {})[slot.room.id] = session
    rows = [
        Row(*time, [by_room.get(room) for room in rooms]) for time, by_room in sorted(times.items())
    ]
    return Day(day, list(rooms.values()), rows)


def _filters(schedule: Schedule, choice: Choice) -> list[Filter]:
    days = [(each.isoformat(), short_day(each)) for each in schedule.days]
    rooms = [(each.id, each.name) for each in schedule.rooms]
    tracks = [(each, each) for each in dict.fromkeys(room.track for room in schedule.rooms)]
    rows = (
        _filter("Day", "day", days, choice),
        _filter("Room", "room", rooms, choice),
        _filter("Track", "track", tracks, choice),
    )
    # Where there is only one, there is nothing to choose.
    return [row for row in rows if len(row.options) > 2]


def _filter(
    name: str,
    part: Literal["day", "room", "track"],
    values: Sequence[tuple[str, str]],
    choice: Choice,
) -> Filter:
    chosen = {"day": choice.day, "room": choice.room, "track": choice.track}[part]

    def option(value: str, label: str) -> Option:
        changed = {
            "day": replace(choice, day=value),
            "room": replace(choice, room=value),
            "track": replace(choice, track=value),
        }[part]
        return Option(label, value, changed.address, chosen == value)

    return Filter(name, [option("", "All"), *(option(*each) for each in values)])


def upcoming(
    sessions: Sequence[ListedSession], now: datetime, count: int
) -> Sequence[ListedSession]:
    """The next `count` sessions that have not ended at `now`."""
    return [each for each in sessions if each.slot.ends_at > now][:count]

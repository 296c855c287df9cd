"""The schedule and what is in it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from agenda.domain import Room, Schedule, Talk, UnknownSlotError, make_schedule

BERLIN = ZoneInfo("Europe/Berlin")
MAIN = Room("main", "Main Hall", "Platform")
GARDEN = Room("garden", "Garden Room", "People")
NINE = (time(9), time(9, 45))
TEN = (time(10), time(10, 45))
MONDAY, TUESDAY = date(2027, 6, 14), date(2027, 6, 15)


def schedule(
    days: Sequence[date] = (MONDAY, TUESDAY), rooms: Sequence[Room] = (MAIN, GARDEN)
) -> Schedule:
    return make_schedule(BERLIN, days, [NINE, TEN], rooms)


def talk(number: int) -> Talk:
    return Talk(UUID(int=number), f"Talk {number}", "About it", "Ada", 1)


def test_schedule_orders_slots_by_start_then_room() -> None:
    unordered = make_schedule(BERLIN, [TUESDAY, MONDAY], [TEN, NINE], [MAIN, GARDEN])
    assert list(unordered.slots) == [
        "20270614T0900-main",
        "20270614T0900-garden",
        "20270614T1000-main",
        "20270614T1000-garden",
        "20270615T0900-main",
        "20270615T0900-garden",
        "20270615T1000-main",
        "20270615T1000-garden",
    ]
    assert unordered.days == [MONDAY, TUESDAY]


def test_schedule_gives_times_in_utc() -> None:
    slot = schedule().find_slot("20270614T0900-main")
    assert slot.starts_at == datetime(2027, 6, 14, 7, tzinfo=UTC)
    assert slot.ends_at == datetime(2027, 6, 14, 7, 45, tzinfo=UTC)
    assert (slot.day, slot.room, slot.track) == (MONDAY, MAIN, "Platform")


def test_schedule_follows_the_clocks_of_each_day() -> None:
    winter, summer = make_schedule(
        BERLIN, [date(2027, 3, 27), date(2027, 3, 28)], [NINE], [MAIN]
    ).slots
    planned = make_schedule(BERLIN, [date(2027, 3, 27), date(2027, 3, 28)], [NINE], [MAIN])
    assert planned.find_slot(winter).starts_at.hour == 8
    assert planned.find_slot(summer).starts_at.hour == 7


def test_slot_that_is_not_there_is_unknown() -> None:
    with pytest.raises(UnknownSlotError, match="no slot 20270614T0900-cellar"):
        schedule().find_slot("20270614T0900-cellar")


def test_sessions_follow_the_schedule() -> None:
    talks = {
        "20270615T0900-main": talk(3),
        "20270614T0900-garden": talk(2),
        "20270614T0900-main": talk(1),
    }
    found = schedule().place_talks(talks)
    assert [session.title for session in found] == ["Talk 1", "Talk 2", "Talk 3"]
    assert [session.slot.id for session in found] == list(talks)[::-1]


def test_sessions_leave_out_a_slot_that_is_gone() -> None:
    talks = {"20270614T0900-main": talk(1), "20270614T0900-garden": talk(2)}
    assert [each.title for each in schedule(rooms=[GARDEN]).place_talks(talks)] == ["Talk 2"]

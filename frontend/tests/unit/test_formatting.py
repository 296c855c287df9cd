from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from frontend import formatting

BERLIN = ZoneInfo("Europe/Berlin")
MORNING = datetime(2027, 6, 14, 7, 0, tzinfo=UTC)


def test_times_are_told_in_the_given_zone() -> None:
    assert formatting.clock(MORNING, BERLIN) == "09:00"
    assert formatting.moment(MORNING, BERLIN) == "14 June 2027 at 09:00 (CEST)"
    assert formatting.short_moment(MORNING, BERLIN) == "14 Jun 2027, 09:00"
    assert formatting.long_date(MORNING, BERLIN) == "Monday, 14 June 2027"
    assert formatting.weekday(MORNING, BERLIN) == "Mon 14 June"


def test_a_time_for_machines_is_utc_with_z() -> None:
    assert formatting.iso(MORNING.astimezone(BERLIN)) == "2027-06-14T07:00:00Z"


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([date(2027, 6, 14)], "14 June 2027"),
        ([date(2027, 6, 15), date(2027, 6, 14)], "14 \N{EN DASH} 15 June 2027"),
        ([date(2027, 6, 30), date(2027, 7, 1)], "30 June \N{EN DASH} 1 July 2027"),
        (
            [date(2027, 12, 31), date(2028, 1, 1)],
            "31 December 2027 \N{EN DASH} 1 January 2028",
        ),
    ],
)
def test_day_range_says_the_shared_parts_once(days: list[date], words: str) -> None:
    assert formatting.day_range(days) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=3, hours=4, minutes=5), "3 days 4 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=1, minutes=5), "1 day"),
        (timedelta(hours=1, minutes=1, seconds=30), "1 hour 1 minute"),
        (timedelta(seconds=59), "59 seconds"),
        (timedelta(seconds=-5), "0 seconds"),
    ],
)
def test_length_of_time_tells_two_units_at_most(length: timedelta, words: str) -> None:
    assert formatting.length_of_time(length) == words


def test_small_numbers_are_words() -> None:
    assert formatting.in_words(2) == "two"
    assert formatting.in_words(12) == "12"

"""Times, lengths of time and numbers as people read them; every time in a zone that is given."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def iso(at: datetime) -> str:
    """For machines: `2027-06-14T07:00:00Z`."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def clock(at: datetime, zone: tzinfo) -> str:
    """`09:00`"""
    return at.astimezone(zone).strftime("%H:%M")


def long_day(day: date) -> str:
    """`Monday, 14 June 2027`"""
    return f"{day:%A}, {day.day} {day:%B %Y}"


def long_date(at: datetime, zone: tzinfo) -> str:
    """The day of an instant: `Monday, 14 June 2027`"""
    return long_day(at.astimezone(zone).date())


def short_day(day: date) -> str:
    """`Mon 14 June`"""
    return f"{day:%a} {day.day} {day:%B}"


def weekday(at: datetime, zone: tzinfo) -> str:
    """`Mon 14 June`"""
    return short_day(at.astimezone(zone).date())


def moment(at: datetime, zone: tzinfo) -> str:
    """`14 June 2027 at 09:00 (CEST)`"""
    local = at.astimezone(zone)
    return f"{local.day} {local:%B %Y} at {local:%H:%M} ({local:%Z})"


def short_moment(at: datetime, zone: tzinfo) -> str:
    """`14 Jun 2027, 09:00`"""
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def day_range(days: Sequence[date]) -> str:
    """`14 to 15 June 2027` with a dash and the parts that both ends share only once."""
    first, last = min(days), max(days)
    end = f"{last.day} {last:%B %Y}"
    if first == last:
        return end
    if first.year != last.year:
        return f"{first.day} {first:%B %Y} \N{EN DASH} {end}"
    if first.month != last.month:
        return f"{first.day} {first:%B} \N{EN DASH} {end}"
    return f"{first.day} \N{EN DASH} {end}"


def length_of_time(length: timedelta) -> str:
    """The two largest units that matter: `3 days 4 hours`; what is over is `0 seconds`."""
    seconds = max(0, int(length.total_seconds()))
    start = next((i for i, (_, size) in enumerate(_UNITS) if seconds >= size), len(_UNITS))
    words = []
    for name, size in _UNITS[start : start + 2]:
        count, seconds = divmod(seconds, size)
        if count:
            words.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(words) or "0 seconds"


def in_words(number: int) -> str:
    """Up to ten as a word: `two`."""
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)

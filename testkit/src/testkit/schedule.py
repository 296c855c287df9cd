"""Schedules of any size, for what needs more slots than a conference has."""

from datetime import date, timedelta
from math import ceil
from pathlib import Path

ROOMS = 20
TIMES = 25
FIRST_DAY = date(2027, 6, 14)


def write_schedule(file: Path, slots: int) -> Path:
    """A conference with at least `slots` slots: 20 rooms, 25 times, as many days as it takes."""
    days = ceil(slots / (ROOMS * TIMES))
    names = ", ".join(f'"{FIRST_DAY + timedelta(number)}"' for number in range(days))
    starts = [480 + 30 * number for number in range(TIMES)]
    times = ", ".join(f'["{_clock(start)}", "{_clock(start + 25)}"]' for start in starts)
    rooms = "\n".join(
        f'[[rooms]]\nid = "r{number}"\nname = "Room {number}"\ntrack = "Track {number % 5}"'
        for number in range(ROOMS)
    )
    file.write_text(f'timezone = "Europe/Berlin"\ndays = [{names}]\ntimes = [{times}]\n{rooms}\n')
    return file


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"

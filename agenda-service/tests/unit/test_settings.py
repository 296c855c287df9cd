"""The schedule file: what is refused, and in which words."""

from typing import Any

import pytest
from pydantic import ValidationError

from agenda.settings import ScheduleFile

GOOD: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "days": ["2027-06-14", "2027-06-15"],
    "times": [["09:00", "09:45"], ["10:00", "10:45"]],
    "rooms": [{"id": "main", "name": "Main Hall", "track": "Platform"}],
}
ROOM = GOOD["rooms"][0]


def test_schedule_file_is_read() -> None:
    file = ScheduleFile.model_validate(GOOD)
    assert [day.isoformat() for day in file.days] == GOOD["days"]
    assert file.rooms[0].name == "Main Hall"


def test_schedule_file_takes_times_in_any_order_and_back_to_back() -> None:
    times = [["10:00", "11:00"], ["09:00", "10:00"]]
    assert ScheduleFile.model_validate({**GOOD, "times": times}).times


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"timezone": "Europe/Atlantis"}, "invalid timezone"),
        ({"timezone": 1}, "timezone"),
        ({"days": []}, "at least 1 item"),
        ({"days": ["14.06.2027"]}, "valid date"),
        ({"days": ["2027-06-14", "2027-06-14"]}, "days: 2027-06-14 is there 2 times"),
        ({"times": []}, "at least 1 item"),
        ({"times": [["09:00"]]}, "Field required"),
        ({"times": [["09:00", "25:00"]]}, "valid time"),
        ({"times": [["09:00:30", "10:00"]]}, "hours and minutes"),
        ({"times": [["09:00Z", "10:00Z"]]}, "hours and minutes"),
        ({"times": [["10:00", "09:00"]]}, "10:00 to 09:00 ends before it starts"),
        ({"times": [["09:00", "09:00"]]}, "ends before it starts"),
        ({"times": [["09:00", "10:00"], ["09:30", "11:00"]]}, "one starts at 09:30 before another"),
        ({"times": [["09:00", "10:00"], ["09:00", "10:00"]]}, "one starts at 09:00 before another"),
        ({"rooms": []}, "at least 1 item"),
        ({"rooms": [ROOM, ROOM]}, "rooms: main is there 2 times"),
        ({"rooms": [{**ROOM, "id": "Main Hall"}]}, "should match pattern"),
        ({"rooms": [{**ROOM, "name": " "}]}, "at least 1 character"),
        ({"rooms": [{"id": "main", "name": "Main"}]}, "Field required"),
        ({"rooms": [{**ROOM, "seats": 30}]}, "not permitted"),
        ({"venue": "Town Hall"}, "not permitted"),
    ],
)
def test_schedule_file_refuses_what_makes_no_schedule(
    change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        ScheduleFile.model_validate({**GOOD, **change})


def test_schedule_file_refuses_a_time_that_the_clocks_skip() -> None:
    night = {**GOOD, "days": ["2027-03-28"], "times": [["02:15", "03:15"]]}
    with pytest.raises(ValidationError, match="02:15 does not exist on 2027-03-28 in Europe"):
        ScheduleFile.model_validate(night)


def test_schedule_file_takes_a_time_that_the_clocks_show_twice() -> None:
    night = {**GOOD, "days": ["2027-10-31"], "times": [["02:15", "03:15"]]}
    assert ScheduleFile.model_validate(night).days

"""The settings of agenda-service from its environment, and the schedule file that they name."""

import tomllib
from collections import Counter
from datetime import UTC, date, datetime, time
from itertools import pairwise, product
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RedisDsn,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import NoDecode

from servicekit.settings import Seconds, ServerSettings, VerifyingSettings
from servicekit.text import Line


def _require_whole_minutes(value: time) -> time:
    if value != value.replace(second=0, microsecond=0, tzinfo=None):
        raise ValueError("it must be hours and minutes, as 09:00")
    return value


Clock = Annotated[time, AfterValidator(_require_whole_minutes)]
Name = Annotated[Line, Field(max_length=120)]
# A part of every slot's id, and so of addresses and of keys.
RoomId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


class RoomEntry(BaseModel):
    """A room, and the track of all that happens in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: RoomId
    name: Name
    track: Name


class ScheduleFile(BaseModel):
    """The schedule as a file has it: each room has a slot at each of `times` on each of `days`.

    Days and times are local to `timezone`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: ZoneInfo
    days: Annotated[list[date], Field(min_length=1)]
    times: Annotated[list[tuple[Clock, Clock]], Field(min_length=1)]
    rooms: Annotated[list[RoomEntry], Field(min_length=1)]

    @model_validator(mode="after")
    def _refuse_overlapping_slots(self) -> Self:
        _refuse_repeated("days", [day.isoformat() for day in self.days])
        _refuse_repeated("rooms", [room.id for room in self.rooms])
        for start, end in self.times:
            if end <= start:
                raise ValueError(f"times: {start:%H:%M} to {end:%H:%M} ends before it starts")
        for (_, end), (start, _) in pairwise(sorted(self.times)):
            if start < end:
                raise ValueError(f"times: one starts at {start:%H:%M} before another has ended")
        return self

    @model_validator(mode="after")
    def _refuse_skipped_times(self) -> Self:
        for day, clock in product(self.days, {clock for pair in self.times for clock in pair}):
            local = datetime.combine(day, clock, self.timezone)
            # When clocks go forward an hour is skipped; a slot in it would have no length.
            if local.astimezone(UTC).astimezone(self.timezone).time() != clock:
                raise ValueError(f"times: {clock:%H:%M} does not exist on {day} in {self.timezone}")
        return self


def _refuse_repeated(field: str, values: list[str]) -> None:
    value, count = Counter(values).most_common(1)[0]
    if count > 1:
        raise ValueError(f"{field}: {value} is there {count} times")


def _read_schedule_file(path: str) -> ScheduleFile:
    try:
        return ScheduleFile.model_validate(tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part}: " for part in first["loc"])
        raise ValueError(f"{path}: {where}{first['msg'].removeprefix('Value error, ')}") from error
    except ValueError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error


class AgendaSettings(ServerSettings, VerifyingSettings):
    """The settings of agenda-service."""

    valkey_url: RedisDsn = Field(
        description="the address of Valkey, as redis://user:password@host:port/database"
    )
    valkey_timeout_seconds: Seconds = Field(
        1.5, description="how long Valkey may take, in seconds; then clients are told to come again"
    )
    # The environment has the path of the file; the setting is the content of the file.
    schedule_file: Annotated[ScheduleFile, NoDecode, BeforeValidator(_read_schedule_file)] = Field(
        description="the path of the TOML file with timezone, days, times and rooms"
    )

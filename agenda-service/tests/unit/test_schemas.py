"""The bodies that are accepted, and those that are answered."""

from datetime import date, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import pytest
from pydantic import ValidationError

from agenda.domain import Room, Talk, make_schedule
from agenda.schemas import (
    MAX_VERSION,
    SessionOutput,
    SlotInput,
    TalkInput,
    render_schedule,
    render_sessions,
)

TALK = {
    "title": "Canaries",
    "abstract": "How they sing.\n\nAnd why.",
    "speaker": "Ada",
    "version": 3,
}
SCHEDULE = make_schedule(
    ZoneInfo("Europe/Berlin"),
    [date(2027, 6, 14)],
    [(time(9), time(9, 45))],
    [Room("main", "Main Hall", "Platform")],
)
SLOT = {
    "id": "20270614T0900-main",
    "day": "2027-06-14",
    "starts_at": "2027-06-14T07:00:00Z",
    "ends_at": "2027-06-14T07:45:00Z",
    "room": {"id": "main", "name": "Main Hall"},
    "track": "Platform",
}
ID = UUID("01900000-0000-7000-8000-000000000001")
SESSION = Talk(ID, "Canaries", "How they sing.", "Ada", 3).in_slot(SCHEDULE.slots[SLOT["id"]])  # type: ignore[index]


def test_talk_is_trimmed() -> None:
    talk = TalkInput.model_validate({**TALK, "title": "  Canaries  "}).to_talk(ID)
    assert talk == Talk(ID, "Canaries", "How they sing.\n\nAnd why.", "Ada", 3)


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": " \t "},
        {"title": "x" * 201},
        {"title": "two\nlines"},
        {"title": "nul\x00"},
        {"title": "half \ud800 a pair"},
        {"title": None},
        {"title": 5},
        {"title": ["Canaries"]},
        {"abstract": ""},
        {"abstract": "x" * 5001},
        {"abstract": "bell\x07"},
        {"speaker": "x" * 121},
        {"speaker": "es\x1bcape"},
        {"version": 0},
        {"version": -1},
        {"version": 1.5},
        {"version": "3"},
        {"version": True},
        {"version": None},
        {"version": float("nan")},
        {"version": MAX_VERSION + 1},
        {"room": "main"},
    ],
)
def test_talk_refuses_bad_fields(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TalkInput.model_validate({**TALK, **change})


@pytest.mark.parametrize("field", TALK)
def test_talk_needs_every_field(field: str) -> None:
    with pytest.raises(ValidationError, match="Field required"):
        TalkInput.model_validate({name: value for name, value in TALK.items() if name != field})


@pytest.mark.parametrize("slot_id", ["", " ", "x" * 101, "a\nb", "a\x00", None, 1, {}])
def test_slot_input_refuses_what_is_no_id(slot_id: Any) -> None:
    with pytest.raises(ValidationError):
        SlotInput.model_validate({"slot_id": slot_id})


def test_session_list_has_the_agreed_shape() -> None:
    listed = {"proposal_id": str(ID), "title": "Canaries", "speaker": "Ada", "slot": SLOT}
    assert orjson.loads(render_sessions([SESSION])) == {"items": [listed]}
    assert orjson.loads(render_sessions([])) == {"items": []}


def test_session_adds_abstract_and_version() -> None:
    assert SessionOutput.model_validate(SESSION).model_dump(mode="json") == {
        "proposal_id": str(ID),
        "title": "Canaries",
        "speaker": "Ada",
        "slot": SLOT,
        "abstract": "How they sing.",
        "version": 3,
    }


def test_schedule_has_the_agreed_shape() -> None:
    assert orjson.loads(render_schedule(SCHEDULE)) == {
        "timezone": "Europe/Berlin",
        "days": ["2027-06-14"],
        "rooms": [{"id": "main", "name": "Main Hall", "track": "Platform"}],
        "slots": [SLOT],
    }

from datetime import UTC, datetime

import orjson
from icalendar import Calendar

from frontend.agenda.exports import ics, json_ld
from frontend.clients.schemas import ListedSession

from .conftest import SESSION

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SESSIONS = [ListedSession.model_validate(SESSION)]


def test_ics_has_an_event_for_each_session() -> None:
    calendar = Calendar.from_ical(ics("Test, Conference", SESSIONS, NOW))
    (event,) = calendar.walk("VEVENT")

    assert calendar["X-WR-CALNAME"] == "Test, Conference"
    assert event["UID"] == SESSION["proposal_id"]
    assert event["SUMMARY"] == SESSION["title"]
    assert event["LOCATION"] == "Main Hall"
    assert event.decoded("DTSTART") == SESSIONS[0].slot.starts_at
    assert event.decoded("DTEND") == SESSIONS[0].slot.ends_at


def test_ics_can_not_be_broken_by_a_title() -> None:
    evil = SESSIONS[0].model_copy(update={"title": "a\r\nEND:VEVENT\nBEGIN:VEVENT"})

    assert len(Calendar.from_ical(ics("Test", [evil], NOW)).walk("VEVENT")) == 1


def test_json_ld_is_an_event_of_events() -> None:
    whole = orjson.loads(json_ld("Test", SESSIONS))

    assert whole["@type"] == "Event"
    assert whole["startDate"] == "2027-06-14T07:00:00Z"
    assert whole["subEvent"][0]["name"] == SESSION["title"]
    assert whole["subEvent"][0]["location"]["name"] == "Main Hall"


def test_json_ld_of_an_empty_agenda_has_no_dates() -> None:
    assert "startDate" not in orjson.loads(json_ld("Test", []))

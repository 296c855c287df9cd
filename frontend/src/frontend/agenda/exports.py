"""The agenda for other programs: a calendar (RFC 5545) and schema.org events (JSON-LD)."""

from collections.abc import Sequence
from datetime import datetime

import orjson
from icalendar import Calendar
from icalendar import Event as CalendarEvent

from frontend.clients.schemas import ListedSession
from frontend.formatting import iso

ICS = "text/calendar; charset=utf-8"
JSON_LD = "application/ld+json"


def ics(conference: str, sessions: Sequence[ListedSession], changed_at: datetime) -> bytes:
    """Every session as an event; a program that reads it again finds each by its UID."""
    calendar = Calendar()
    calendar.add("prodid", "-//conference-platform//agenda//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", conference)
    for session in sessions:
        calendar.add_component(_event(session, changed_at))
    content: bytes = calendar.to_ical()
    return content


def _event(session: ListedSession, changed_at: datetime) -> CalendarEvent:
    slot = session.slot
    event = CalendarEvent()
    event.add("uid", str(session.proposal_id))
    event.add("dtstamp", changed_at)
    event.add("dtstart", slot.starts_at)
    event.add("dtend", slot.ends_at)
    event.add("summary", session.title)
    event.add("description", session.speaker)
    event.add("location", slot.room.name)
    event.add("categories", [slot.track])
    return event


def json_ld(conference: str, sessions: Sequence[ListedSession]) -> bytes:
    """The conference as an Event whose sub-events are the sessions."""
    whole: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": conference,
        "url": "/agenda",
    }
    if sessions:
        whole["startDate"] = iso(min(each.slot.starts_at for each in sessions))
        whole["endDate"] = iso(max(each.slot.ends_at for each in sessions))
    return orjson.dumps({**whole, "subEvent": [_sub_event(each) for each in sessions]})


def _sub_event(session: ListedSession) -> dict[str, object]:
    return {
        "@type": "Event",
        "identifier": str(session.proposal_id),
        "url": f"/agenda/{session.proposal_id}",
        "name": session.title,
        "performer": {"@type": "Person", "name": session.speaker},
        "startDate": iso(session.slot.starts_at),
        "endDate": iso(session.slot.ends_at),
        "location": {"@type": "Place", "name": session.slot.room.name},
        "about": session.slot.track,
    }

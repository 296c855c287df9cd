"""Visitors read the agenda, in whatever form they like."""

from datetime import datetime
from functools import partial

import httpx2
from icalendar import Calendar
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.visitor import Visitor

from testkit.waiting import wait_for


def test_agenda_page_shows_the_session_and_leads_to_it(
    speaker: Visitor, talk: Talk, accepted: Answer, office: Office
) -> None:
    slot = office.wait_for_session(accepted)["slot"]
    speaker.open("/agenda")
    assert f"{talk['title']} {talk['speaker_name']}" in " ".join(
        each.text for each in speaker.page.root.all("td")
    )
    address = f"/agenda/{accepted['id']}"
    assert address in [each.get("href") for each in speaker.page.root.all("a")]
    speaker.open(address)
    assert speaker.page.heading == talk["title"]
    assert slot["room"]["name"] in speaker.page.text
    assert talk["speaker_email"] not in speaker.page.text


def test_filters_leave_what_was_chosen(speaker: Visitor, accepted: Answer, office: Office) -> None:
    slot = office.wait_for_session(accepted)["slot"]
    schedule = office.client.get("/schedule").json()
    address = f"/agenda/{accepted['id']}"

    def shows(page: str) -> bool:
        return address in [each.get("href") for each in speaker.open(page).root.all("a")]

    for room in schedule["rooms"]:
        speaker.open("/agenda")
        chosen = speaker.page.link(room["name"])
        assert shows(chosen) == (room["id"] == slot["room"]["id"])
    for day in schedule["days"]:
        assert shows(f"/agenda?day={day}") == (day == slot["day"])
    assert shows(f"/agenda?track={slot['track']}")
    assert not shows("/agenda?track=nowhere")
    assert "Nothing matches" in speaker.page.text


def test_agenda_as_json_can_be_narrowed_and_kept(
    client: httpx2.Client, talk: Talk, accepted: Answer, office: Office
) -> None:
    session = office.wait_for_session(accepted)
    assert (session["title"], session["speaker"]) == (talk["title"], talk["speaker_name"])
    assert session["slot"]["starts_at"].endswith("Z")
    slot = session["slot"]
    narrowed = client.get("/api/sessions", params={"day": slot["day"], "track": slot["track"]})
    items = narrowed.json()["items"]
    assert session in items
    assert {each["slot"]["track"] for each in items} == {slot["track"]}
    assert client.get("/api/sessions", params={"day": "1999-01-01"}).json()["items"] == []

    whole = client.get(f"/api/sessions/{accepted['id']}").json()
    assert whole["abstract"] == talk["abstract"]


def test_agenda_that_has_not_changed_is_not_sent_again(
    client: httpx2.Client, accepted: Answer
) -> None:
    def is_kept(path: str) -> bool:
        etag = client.get(path).headers["etag"]
        again = client.get(path, headers={"If-None-Match": etag})
        return again.status_code == 304 and not again.content

    # Somebody else may change the agenda between the two requests.
    for path in ("/api/sessions", "/agenda", "/api/schedule", "/agenda.jsonld"):
        wait_for(partial(is_kept, path), f"304 for {path}")


def test_agenda_as_calendar_has_the_session(
    client: httpx2.Client, talk: Talk, accepted: Answer, office: Office
) -> None:
    slot = office.wait_for_session(accepted)["slot"]
    answer = client.get("/agenda.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    events = Calendar.from_ical(answer.text).walk("VEVENT")
    (event,) = (each for each in events if each["UID"] == accepted["id"])
    assert event["SUMMARY"] == talk["title"]
    assert event["LOCATION"] == slot["room"]["name"]
    assert event.decoded("DTSTART") == datetime.fromisoformat(slot["starts_at"])


def test_agenda_as_json_ld_has_the_session(
    client: httpx2.Client, talk: Talk, accepted: Answer, office: Office
) -> None:
    slot = office.wait_for_session(accepted)["slot"]
    answer = client.get("/agenda.jsonld")
    assert answer.headers["content-type"] == "application/ld+json"
    events = answer.json()["subEvent"]
    (event,) = (each for each in events if each["identifier"] == accepted["id"])
    assert event["name"] == talk["title"]
    assert event["performer"]["name"] == talk["speaker_name"]
    assert event["startDate"] == slot["starts_at"]


def test_home_leads_to_everything(speaker: Visitor) -> None:
    for name in ("Agenda", "Call for Proposals", "About", "Home"):
        speaker.open("/")
        assert speaker.follow(name).status == 200


def test_about_shows_the_version_of_every_service(speaker: Visitor) -> None:
    speaker.open("/about")
    rows = speaker.page.rows()[1:]
    names = [row[0].split()[0] for row in rows]
    assert names == ["frontend", "agenda-service", "c4p-service", "email-service"]
    for row in rows:
        assert len(row) == 4, row
        assert all(row), row


def test_address_that_does_not_exist_is_a_page(speaker: Visitor) -> None:
    for address in ("/nowhere", "/agenda/not-an-id", "/static/0/style.map", "/agenda/"):
        speaker.open(address)
        assert speaker.page.status in {404, 422}
        assert speaker.page.has_link("Home")
    speaker.open("/agenda/01890000-0000-7000-8000-000000000001")
    assert (speaker.page.status, speaker.page.heading) == (404, "There is nothing here")

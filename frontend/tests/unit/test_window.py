from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import httpx2
import orjson
import pytest

from frontend.pages.back_office.window import (
    NO_SUCH_TIME,
    NOT_A_TIME,
    NOT_IN_ORDER,
    local_text,
    read_bounds,
    read_local,
)

from .conftest import OPEN, Neighbours

BERLIN = ZoneInfo("Europe/Berlin")
PATH = "/back-office/window"


def test_a_local_time_goes_there_and_back() -> None:
    at = read_local("2027-01-31T18:00", BERLIN)

    assert at == datetime(2027, 1, 31, 17, 0, tzinfo=UTC)
    assert local_text(at, BERLIN) == "2027-01-31T18:00"
    assert local_text(None, BERLIN) == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("soon", NOT_A_TIME),
        ("2027-01-31T18:00Z", NOT_A_TIME),
        ("0001-01-01T00:00", NOT_A_TIME),
        ("2027-03-28T02:30", NO_SUCH_TIME),
    ],
)
def test_what_is_no_local_time_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        read_local(text, BERLIN)


def test_an_hour_that_comes_twice_is_the_first() -> None:
    assert read_local("2027-10-31T02:30", BERLIN) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_bounds_must_be_in_order() -> None:
    values = {"opens_at": "2027-01-02T00:00", "closes_at": "2027-01-01T00:00"}

    assert read_bounds(values, BERLIN)[1] == {"closes_at": NOT_IN_ORDER}
    assert read_bounds({"opens_at": "", "closes_at": ""}, BERLIN)[1] == {}


async def test_the_page_shows_the_bounds_in_the_conference_zone(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("GET", "/cfp", {**OPEN, "closes_at": "2027-01-31T17:00:00Z"})
    text = (await organizer.get(PATH)).text

    assert 'value="2027-01-31T18:00"' in text
    assert 'name="zone" value="Europe/Berlin"' in text


async def test_bounds_are_read_in_the_zone_in_which_they_were_shown(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("PUT", "/cfp", OPEN)
    data = {"zone": "America/New_York", "opens_at": "", "closes_at": "2027-01-31T18:00"}
    answer = await organizer.post(PATH, data=data)

    assert answer.headers["location"] == f"{PATH}?saved=1"
    (sent,) = neighbours.sent("PUT", "/cfp")
    assert orjson.loads(sent.content) == {
        "opens_at": None,
        "closes_at": "2027-01-31T23:00:00+00:00",
    }


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "\x00", "Europe"])
async def test_a_zone_that_is_none_is_the_conference_zone(
    organizer: httpx2.AsyncClient, neighbours: Neighbours, zone: str
) -> None:
    neighbours.answer("PUT", "/cfp", OPEN)
    await organizer.post(PATH, data={"zone": zone, "closes_at": "2027-01-31T18:00"})

    (sent,) = neighbours.sent("PUT", "/cfp")
    assert orjson.loads(sent.content)["closes_at"] == "2027-01-31T17:00:00+00:00"


async def test_a_wrong_time_stands_beside_its_field(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    answer = await organizer.post(PATH, data={"opens_at": "soon", "closes_at": ""})

    assert answer.status_code == 422
    assert '<a href="#opens_at">' in answer.text
    assert 'value="soon"' in answer.text
    assert neighbours.sent("PUT", "/cfp") == []


async def test_what_was_typed_is_kept_while_the_service_is_unavailable(
    organizer: httpx2.AsyncClient,
) -> None:
    answer = await organizer.post(PATH, data={"opens_at": "2027-01-31T18:00", "closes_at": ""})

    assert answer.status_code == 503
    assert 'value="2027-01-31T18:00"' in answer.text

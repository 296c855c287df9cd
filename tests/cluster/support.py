"""Assertions that hold after whatever these tests did."""

from functools import partial

from tests.acceptance.office import Answer, Office
from tests.load.counted import Counted

from testkit.waiting import wait_for

PAGE = 200


def proposals(office: Office) -> dict[str, Answer]:
    """Every proposal there is, by its id."""
    found: dict[str, Answer] = {}
    cursor = None
    while True:
        params = {"limit": str(PAGE), **({"cursor": cursor} if cursor else {})}
        page = office.client.get("/proposals", params=params).raise_for_status().json()
        found |= {each["id"]: each for each in page["items"]}
        cursor = page["next_cursor"]
        if not cursor:
            return found


def assert_kept(counted: Counted, office: Office) -> None:
    """All that visitors were told has come true, once."""
    counted.assert_everybody_came()
    there = proposals(office)
    kept = {each: there[each]["title"] for each in counted.titles if each in there}
    assert kept == counted.titles
    titles = [each["title"] for each in there.values() if each["title"] in counted.titles.values()]
    assert sorted(titles) == sorted(counted.titles.values())
    decided = {each: there[each]["state"] for each in counted.decisions}
    assert decided == counted.decisions
    office.wait_until_all_is_told(120)
    wait_for(partial(agenda_is_right, office), "every accepted talk on the agenda", 30, 0.5)


def agenda_is_right(office: Office) -> bool:
    """Return whether exactly the accepted talks are on the agenda, each in a slot of its own."""
    accepted = {each for each, what in proposals(office).items() if what["state"] == "accepted"}
    slots = slots_taken(office)
    return slots.keys() == accepted and len(set(slots.values())) == len(slots)


def slots_taken(office: Office) -> dict[str, str]:
    """The slots of the agenda, by the proposals that are in them."""
    sessions = office.client.get("/sessions").raise_for_status().json()["items"]
    return {each["proposal_id"]: each["slot"]["id"] for each in sessions}


def failed_on_the_agenda(counted: Counted) -> dict[str, int]:
    """The failures of those who only read it, by what was asked and what went wrong."""
    readers = ("GET /agenda", "GET /api/sessions", "GET / ")
    return {each: number for each, number in counted.failures.items() if each.startswith(readers)}

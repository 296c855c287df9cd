"""The list is read anew when it has changed, and answered from memory otherwise."""

from asyncio import Event, create_task, gather, sleep
from collections.abc import Sequence
from datetime import date, time
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from agenda.domain import Room, Session, Talk, make_schedule
from agenda.page_cache import Page, PageCache
from agenda.store import Store, StoreUnavailableError

SCHEDULE = make_schedule(
    ZoneInfo("Europe/Berlin"),
    [date(2027, 6, 14), date(2027, 6, 15)],
    [(time(9), time(9, 45))],
    [Room("main", "Main Hall", "Platform"), Room("garden", "Garden Room", "People")],
)


class FakeStore(Store):
    """A store in memory that counts how often everything is asked for."""

    def __init__(self) -> None:
        self.talks: dict[str, Talk] = {}
        self.changes = 0
        self.loads = 0
        self.is_unavailable = False
        self.answers = Event()
        self.answers.set()

    def change(self, **slots: str) -> None:
        """Have these titles in these slots, each named as day and room: `d14_main`."""
        self.changes += 1
        self.talks = {
            f"202706{name[1:3]}T0900-{name[4:]}": Talk(UUID(int=1), title, "-", "-", 1)
            for name, title in slots.items()
        }

    async def read_revision(self) -> str:
        return str(self.changes)

    async def read_all(self) -> tuple[str, dict[str, Talk]]:
        self.loads += 1
        found = str(self.changes), self.talks
        await self.answers.wait()
        if self.is_unavailable:
            raise StoreUnavailableError
        return found


def titles(sessions: Sequence[Session]) -> bytes:
    return orjson.dumps([session.title for session in sessions])


def make_cache(store: Store, edition: str = "edition") -> PageCache:
    return PageCache(store, SCHEDULE, Page(edition, b""), titles)


async def read(cache: PageCache, day: date | None = None, track: str | None = None) -> list[str]:
    page = await cache.sessions_page(await cache.current_tag(), day, track)
    found: list[str] = orjson.loads(page.body)
    return found


async def test_page_is_loaded_once_for_each_change() -> None:
    store = FakeStore()
    tested = make_cache(store)
    store.change(d14_main="One")
    assert [await read(tested), await read(tested)] == [["One"], ["One"]]
    assert store.loads == 1
    store.change(d14_main="One", d14_garden="Two")
    assert await read(tested) == ["One", "Two"]
    assert store.loads == 2


async def test_page_is_loaded_once_for_all_who_wait() -> None:
    store = FakeStore()
    store.change(d14_main="One")
    tested = make_cache(store)
    assert await gather(*(read(tested) for _ in range(10))) == [["One"]] * 10
    assert store.loads == 1


async def turns() -> None:
    """Let every task go on as far as it can."""
    for _ in range(5):
        await sleep(0)


async def test_page_is_not_taken_from_a_load_that_began_before_the_change() -> None:
    store = FakeStore()
    tested = make_cache(store)
    store.change(d14_main="Before")
    store.answers.clear()
    early = create_task(read(tested))
    await turns()
    store.change(d14_main="After")
    late = [create_task(read(tested)) for _ in range(3)]
    await turns()
    store.answers.set()
    assert await early == ["Before"]
    assert await gather(*late) == [["After"]] * 3
    assert store.loads == 2


async def test_page_that_fails_fails_at_once_for_all_who_wait() -> None:
    store = FakeStore()
    tested = make_cache(store)
    store.change(d14_main="One")
    store.is_unavailable = True
    store.answers.clear()
    waiting = [create_task(read(tested)) for _ in range(10)]
    await turns()
    store.answers.set()
    failures = await gather(*waiting, return_exceptions=True)
    assert {type(failure) for failure in failures} == {StoreUnavailableError}
    assert store.loads == 1
    store.is_unavailable = False
    assert await read(tested) == ["One"]


async def test_page_chooses_day_and_track() -> None:
    store = FakeStore()
    store.change(d14_main="A", d14_garden="B", d15_main="C", d15_garden="D")
    tested = make_cache(store)
    assert await read(tested, day=date(2027, 6, 14)) == ["A", "B"]
    assert await read(tested, track="People") == ["B", "D"]
    assert await read(tested, day=date(2027, 6, 15), track="Platform") == ["C"]
    assert await read(tested, day=date(2027, 6, 16)) == []
    assert await read(tested, track="Cooking") == []
    assert await read(tested) == ["A", "B", "C", "D"]
    assert store.loads == 1


async def test_page_of_one_choice_follows_a_change() -> None:
    store = FakeStore()
    store.change(d14_main="A")
    tested = make_cache(store)
    assert await read(tested, track="Platform") == ["A"]
    store.change(d14_main="B")
    assert await read(tested, track="Platform") == ["B"]


async def test_page_has_the_tag_of_what_was_loaded() -> None:
    store = FakeStore()
    store.change(d14_main="A")
    tested = make_cache(store)
    before = await tested.current_tag()
    # Between the two reads of a request somebody changes the agenda.
    store.change(d14_main="B")
    page = await tested.sessions_page(before, None, None)
    assert page == Page(await tested.current_tag(), b'["B"]')
    assert page.tag != before


async def test_tag_differs_under_another_schedule() -> None:
    store = FakeStore()
    assert (
        await make_cache(store, "spring").current_tag()
        != await make_cache(store, "autumn").current_tag()
    )


def test_page_tag_tells_bodies_and_releases_apart() -> None:
    assert Page.from_body(b"a", "1") == Page.from_body(b"a", "1")
    assert (
        len(
            {
                Page.from_body(b"a", "1").tag,
                Page.from_body(b"a", "2").tag,
                Page.from_body(b"b", "1").tag,
            }
        )
        == 3
    )

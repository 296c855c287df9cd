"""The agenda and the schedule as finished JSON, kept in memory while nothing changes."""

from asyncio import Task, create_task, shield
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Self

from agenda.domain import Schedule, Session
from agenda.store import Store

Render = Callable[[Sequence[Session]], bytes]
"""A function that returns the body of a response for a list of sessions."""


@dataclass(frozen=True, slots=True)
class Page:
    """The body of a response, and its ETag without quotes.

    Two pages of one address with the same tag have the same body.
    """

    tag: str
    body: bytes

    @classmethod
    def from_body(cls, body: bytes, release: str) -> Self:
        """Return a page that never changes while this release of the service runs.

        Another release may render the same body in another way, so it makes another tag.
        """
        return cls(sha256(release.encode() + body).hexdigest()[:16], body)


class PageCache:
    """A cache of rendered session lists, for as long as the agenda has the same revision.

    Each request asks the store for the revision, so that no page is ever out of date.
    `schedule_page` is the rendered `schedule`, which stays the same while the service runs.
    """

    def __init__(
        self, store: Store, schedule: Schedule, schedule_page: Page, render: Render
    ) -> None:
        self.schedule_page = schedule_page
        self._store = store
        self._schedule = schedule
        self._render = render
        self._tag = ""
        self._sessions: list[Session] = []
        self._bodies: dict[tuple[date | None, str | None], bytes] = {}
        self._loading: Task[None] | None = None

    async def current_tag(self) -> str:
        """Return the tag that session lists have now: one small read from the store."""
        return self._tag_of(await self._store.read_revision())

    async def sessions_page(self, tag: str, day: date | None, track: str | None) -> Page:
        """Return the sessions of a day and a track, None meaning all.

        `tag` is what `current_tag` has just returned; the page's own tag is newer when the agenda
        has changed since.
        """
        if self._tag != tag:
            await self._refresh(tag)
        body = self._bodies.get((day, track))
        if body is None:
            sessions = self._matching(day, track)
            body = self._render(sessions)
            # An empty list is not kept: visitors could fill the memory with filters that match
            # nothing.
            if sessions:
                self._bodies[day, track] = body
        return Page(self._tag, body)

    async def _refresh(self, tag: str) -> None:
        # All waiting requests share one load, and its failure: if each loaded in its turn, there
        # would be no bound to how long the last one waits.
        if self._loading is not None:
            await shield(self._loading)
            # That load may have begun before the change that `tag` stands for; the next has not.
            if self._tag == tag:
                return
        if self._loading is None:
            self._loading = create_task(self._load())
        await shield(self._loading)

    async def _load(self) -> None:
        try:
            revision, talks = await self._store.read_all()
        finally:
            self._loading = None
        self._tag = self._tag_of(revision)
        self._sessions = self._schedule.place_talks(talks)
        self._bodies = {}

    def _tag_of(self, revision: str) -> str:
        # The same revision looks different under another schedule.
        return f"{self.schedule_page.tag}-{revision}"

    def _matching(self, day: date | None, track: str | None) -> list[Session]:
        return [
            session
            for session in self._sessions
            if day in {None, session.slot.day} and track in {None, session.slot.track}
        ]

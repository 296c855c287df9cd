"""Answers what is on the agenda: as finished bytes, kept for as long as the agenda is the same."""

from asyncio import Task, create_task, shield
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Self

from agenda.domain import Schedule, Session
from agenda.store import Store

Render = Callable[[Sequence[Session]], bytes]


@dataclass(frozen=True, slots=True)
class Page:
    """A finished body; two pages of one address with the same tag are the same."""

    tag: str
    body: bytes

    @classmethod
    def of(cls, body: bytes, release: str) -> Self:
        """A page that never changes while `release` runs; another may render it in another way."""
        return cls(sha256(release.encode() + body).hexdigest()[:16], body)


class Listing:
    """The agenda as a list. Each answer asks Valkey for the revision, so none is ever old.

    `schedule_page` is `schedule` as it travels, which stays the same.
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
        """The tag that the pages have now: one small read."""
        return self._tag_of(await self._store.revision())

    async def page(self, tag: str, day: date | None, track: str | None) -> Page:
        """The sessions of a day and a track, None being all; `tag` is the one just read."""
        if self._tag != tag:
            await self._refresh(tag)
        body = self._bodies.get((day, track))
        if body is None:
            chosen = self._chosen(day, track)
            body = self._render(chosen)
            # What matches nothing is not kept: visitors could fill the memory with it.
            if chosen:
                self._bodies[day, track] = body
        return Page(self._tag, body)

    async def _refresh(self, tag: str) -> None:
        # Whoever waits shares one load, and its failure: waiting in turn would have no bound.
        if self._loading is not None:
            await shield(self._loading)
            # It may have begun before the change that `tag` tells of; the next one has not.
            if self._tag == tag:
                return
        if self._loading is None:
            self._loading = create_task(self._load())
        await shield(self._loading)

    async def _load(self) -> None:
        try:
            revision, talks = await self._store.everything()
        finally:
            self._loading = None
        self._tag = self._tag_of(revision)
        self._sessions = self._schedule.sessions(talks)
        self._bodies = {}

    def _tag_of(self, revision: str) -> str:
        # The same revision looks different under another schedule.
        return f"{self.schedule_page.tag}-{revision}"

    def _chosen(self, day: date | None, track: str | None) -> list[Session]:
        return [
            session
            for session in self._sessions
            if day in {None, session.slot.day} and track in {None, session.slot.track}
        ]

"""The agenda as the frontend knows it: served from memory as finished bytes.

A route asks for it so:

    view = await cache.view()
    return cache.response(request.scope, view, ("agenda", day, track), lambda: render(view))
"""

import asyncio
from collections.abc import Callable, Hashable
from contextvars import Context
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from threading import Thread
from time import monotonic
from typing import TypeVar

import structlog
from prometheus_client import Counter
from pydantic import BaseModel, ValidationError
from starlette.responses import Response
from starlette.types import Scope

from frontend.agenda.responses import HTML, Finished, Memo
from frontend.clients.schemas import ListedSession, Schedule, SessionList
from frontend.domain import Knowledge, Source, plan
from frontend.store.agenda_file import AgendaDocuments, AgendaFile, Document, SavedAgenda
from servicekit.http import Neighbour, NeighbourUnavailableError

LOG = structlog.get_logger()
ANSWERS = Counter("agenda_answers_total", "Agendas served, by where they came from", ["source"])
_COUNTED = {source: ANSWERS.labels(source) for source in Source}
_NAMED = {source: ((b"agenda-source", source.encode()),) for source in Source}

MAX_ETAG_LENGTH = 200
LAST_WRITE_SECONDS = 1.0
"""How long the end waits for what is being written."""


@dataclass(frozen=True, slots=True)
class AgendaView:
    """The agenda as one answer shows it."""

    version: str
    """Changes with any change of the content."""
    source: Source
    confirmed_at: datetime
    """When the agenda service last said so (UTC)."""
    sessions: tuple[ListedSession, ...]
    schedule: Schedule

    @property
    def saved_at(self) -> datetime | None:
        """Set when visitors must be told that this agenda is a saved one, of this time."""
        return self.confirmed_at if self.source is Source.SAVED else None


ModelT = TypeVar("ModelT", bound=BaseModel)


class AgendaCache:
    """The last known agenda, renewed behind the visitors' backs, kept on disk for the next start.

    The policy is `domain.plan`. The neighbour stays its owner's to close.
    """

    def __init__(self, neighbour: Neighbour, file: AgendaFile, fresh_seconds: float) -> None:
        self._neighbour = neighbour
        self._file = file
        self._fresh_seconds = fresh_seconds
        self._known = Knowledge()
        self._documents: AgendaDocuments | None = None
        self._view: AgendaView | None = None
        self._memo = Memo()
        self._refresh: asyncio.Task[None] | None = None
        self._refresh_started = 0.0
        self._writer: Thread | None = None

    def start(self) -> None:
        """Take what was saved and begin to ask for what is new, without waiting for it."""
        saved = self._file.load()
        if saved is not None:
            try:
                self._take(saved.documents, saved.confirmed_at)
            except ValidationError:
                LOG.warning("saved agenda ignored", reason="it has another form")
        self._begin_refresh()

    async def close(self) -> None:
        """Give up a refresh that is still under way; let the disk finish, unless it hangs."""
        if self._refresh is not None:
            self._refresh.cancel()
            await asyncio.wait({self._refresh})
        if self._writer is not None:
            await asyncio.to_thread(self._writer.join, LAST_WRITE_SECONDS)

    async def view(self) -> AgendaView:
        """The agenda to show now; NeighbourUnavailableError when there has never been one."""
        now = monotonic()
        step = plan(self._known, now, self._fresh_seconds)
        if step.refresh and self._refresh is None:
            self._begin_refresh()
        if step.patience_seconds and self._refresh is not None:
            left = self._refresh_started + step.patience_seconds - now
            await asyncio.wait({self._refresh}, timeout=max(0, left))
            step = plan(self._known, monotonic(), self._fresh_seconds)
        if self._view is None or step.source is None:
            raise NeighbourUnavailableError(self._neighbour.name, "and no agenda is saved here yet")
        if self._view.source is not step.source:
            self._view = replace(self._view, source=step.source)
        _COUNTED[step.source].inc()
        return self._view

    def response(
        self,
        scope: Scope,
        view: AgendaView,
        key: Hashable,
        render: Callable[[], bytes],
        media_type: str = HTML,
    ) -> Response:
        """The answer `key` for `view` to the request of `scope`: rendered once for each version
        of the agenda.

        `key` has everything that `render` depends on beside the view; there must be few of them.
        """
        headers = {"cache-control": "no-cache"}
        if view.saved_at is not None:
            headers["agenda-saved-at"] = f"{view.saved_at:%Y-%m-%dT%H:%M:%SZ}"
        look = (view.version, view.saved_at, key)
        finished = self._memo.get(look, lambda: Finished(render(), media_type, headers))
        return finished.response(scope, _NAMED[view.source])

    def _begin_refresh(self) -> None:
        self._refresh_started = monotonic()
        # In a context of its own: it serves everybody, so it is no part of one visitor's trace.
        self._refresh = asyncio.get_running_loop().create_task(self._ask(), context=Context())
        self._refresh.add_done_callback(self._refreshed)

    def _refreshed(self, task: asyncio.Task[None]) -> None:
        self._refresh = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._known = replace(self._known, attempted_at=monotonic())
            LOG.error("agenda not refreshed", exc_info=error)

    async def _ask(self) -> None:
        was_confirmed = self._known.confirmed_at == self._known.attempted_at
        held = self._documents
        try:
            documents = AgendaDocuments(
                sessions=await self._fetch(
                    SessionList, "/sessions", held.sessions if held else None
                ),
                schedule=await self._fetch(Schedule, "/schedule", held.schedule if held else None),
            )
            at = datetime.now(UTC)
            self._take(documents, at)
        except NeighbourUnavailableError as error:
            self._known = replace(self._known, attempted_at=monotonic())
            if was_confirmed:
                LOG.warning("agenda no longer live", reason=error.reason)
            return
        asked = monotonic()
        self._known = replace(self._known, confirmed_at=asked, attempted_at=asked)
        if not was_confirmed:
            LOG.info("agenda live again")
        self._write(SavedAgenda(documents, at))

    def _write(self, saved: SavedAgenda) -> None:
        if self._writer is not None and self._writer.is_alive():
            # The disk is slow or hangs; what is skipped now is written after a later refresh.
            return
        # A daemon, since a thread of the loop's own pool would hold up the end of the process.
        self._writer = Thread(target=self._file.save, args=(saved,), daemon=True)
        self._writer.start()

    async def _fetch(self, kind: type[ModelT], path: str, held: Document | None) -> Document:
        """Return what `path` answers now; `held` itself if that has not changed."""
        etag = held.etag if held is not None else None
        response = await self._neighbour.request(
            "GET", path, headers={"If-None-Match": etag} if etag else None
        )
        if response.status_code == 304 and etag and held is not None:
            return held
        if response.status_code != 200:
            raise NeighbourUnavailableError(
                self._neighbour.name, f"it answered {response.status_code}"
            )
        body = self._neighbour.parse(kind, response).model_dump_json()
        new = response.headers.get("etag", "")
        return Document(
            etag=new if new.isascii() and len(new) < MAX_ETAG_LENGTH else None, body=body
        )

    def _take(self, documents: AgendaDocuments, confirmed_at: datetime) -> None:
        """Let visitors see `documents` from now on."""
        if self._view is not None and documents == self._documents:
            self._view = replace(self._view, confirmed_at=confirmed_at)
            return
        content = f"{documents.sessions.body}\0{documents.schedule.body}"
        self._view = AgendaView(
            version=blake2b(content.encode(), digest_size=12).hexdigest(),
            # Saved until this process has heard from the agenda service itself.
            source=Source.SAVED,
            confirmed_at=confirmed_at,
            sessions=SessionList.model_validate_json(documents.sessions.body).items,
            schedule=Schedule.model_validate_json(documents.schedule.body),
        )
        self._documents = documents
        self._known = replace(self._known, has_copy=True)

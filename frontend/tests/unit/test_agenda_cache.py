"""The agenda in memory, over neighbours that live there too."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from threading import Event

import pytest
from fastapi import FastAPI

from frontend.agenda.cache import AgendaCache
from frontend.domain import Source
from frontend.store.agenda_file import SavedAgenda

from .conftest import Neighbours, NoFile


class HangingFile(NoFile):
    """A disk that does not come back before it is released."""

    def __init__(self) -> None:
        self.released = Event()
        self.writes = 0

    def save(self, saved: SavedAgenda) -> None:
        self.writes += 1
        self.released.wait()


@pytest.fixture
def file() -> Iterator[HangingFile]:
    file = HangingFile()
    yield file
    file.released.set()


async def test_a_disk_that_hangs_does_not_keep_the_agenda_from_being_refreshed(
    app: FastAPI, neighbours: Neighbours, file: HangingFile
) -> None:
    cache = AgendaCache(app.state.agenda.neighbour, file, 0)
    cache.start()
    assert (await cache.view()).sessions
    neighbours.answer("GET", "/sessions", {"items": []})
    async with asyncio.timeout(5):
        while (await cache.view()).sessions:  # noqa: ASYNC110 - a refresh tells nobody of its end
            await asyncio.sleep(0)

    assert file.writes == 1
    file.released.set()
    await cache.close()


async def test_a_live_and_a_stale_answer_are_rendered_once(app: FastAPI) -> None:
    cache: AgendaCache = app.state.cache
    view = await cache.view()
    rendered = []

    def render() -> bytes:
        rendered.append(view)
        return b"page"

    sources = [
        cache.response({"headers": []}, replace(view, source=source), "page", render).headers[
            "agenda-source"
        ]
        for source in (Source.LIVE, Source.STALE, Source.LIVE)
    ]
    assert sources == ["live", "stale", "live"]
    assert len(rendered) == 1

"""Content that pages show beside their own: each of it may be missing, and must not delay them."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from frontend.agenda.cache import AgendaCache, AgendaView
from frontend.clients.c4p import C4p
from frontend.clients.client import ProblemAnswerError
from frontend.clients.schemas import Schedule, Window
from servicekit.http import NeighbourUnavailableError

PATIENCE_SECONDS = 1.0

T = TypeVar("T")


async def or_none(call: Awaitable[T]) -> T | None:
    """Return what `call` answers; None when a service is unavailable, refuses, or is slow."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await call
    except (NeighbourUnavailableError, ProblemAnswerError, TimeoutError):
        return None


async def agenda_or_none(cache: AgendaCache) -> AgendaView | None:
    """The agenda, if there has ever been one."""
    return await or_none(cache.view())


async def schedule_or_none(cache: AgendaCache) -> Schedule | None:
    """The schedule, if there has ever been one."""
    view = await agenda_or_none(cache)
    return view.schedule if view else None


async def window_or_none(c4p: C4p) -> Window | None:
    """The window of the call for proposals, if it can be told just now."""
    return await or_none(c4p.cfp())

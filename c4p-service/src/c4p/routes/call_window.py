"""Routes of the window in which proposals are taken."""

from datetime import UTC, datetime

from fastapi import APIRouter

from c4p.domain import Window
from c4p.routes.dependencies import Organizer, StoreDep
from c4p.schemas.call_window import WindowInput, WindowOutput
from c4p.use_cases import call_window

router = APIRouter()


@router.get("/cfp")
async def get_window(store: StoreDep) -> WindowOutput:
    """Return when proposals are taken, and whether that is now."""
    return WindowOutput.of(await call_window.get(store), datetime.now(UTC))


@router.put("/cfp")
async def set_window(window: WindowInput, store: StoreDep, actor: Organizer) -> WindowOutput:
    """Set when proposals are taken; who set it is on record."""
    new = Window(window.opens_at, window.closes_at)
    await call_window.set_window(store, new, window.model_dump(mode="json"), actor)
    return WindowOutput.of(new, datetime.now(UTC))

"""Use cases with the window in which proposals are taken."""

from collections.abc import Mapping
from typing import Any

from c4p.domain import Action, Actor, Window
from c4p.store import call_window
from c4p.store.database import Store
from c4p.use_cases.actions import run_recorded


async def get(store: Store) -> Window:
    """Return the window, which has no bounds until somebody sets them."""
    return await store.run(call_window.read, atomic=False)


async def set_window(store: Store, window: Window, data: Mapping[str, Any], actor: Actor) -> None:
    """Set the window; `data` is what the record shows of it."""
    await run_recorded(
        store, Action.WINDOW_SET, actor, data, lambda tx: call_window.save(tx, window)
    )

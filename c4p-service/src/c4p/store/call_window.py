"""The window in which proposals are taken, in PostgreSQL."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from c4p.domain import Window
from c4p.store.database import Transaction
from c4p.store.tables import call_window

# Built once: it is read with every submission.
_SELECT_WINDOW = select(call_window)


async def read(transaction: Transaction) -> Window:
    """Return the window, which has no bounds until somebody sets them."""
    row = (await transaction.connection.execute(_SELECT_WINDOW)).one_or_none()
    return Window(row.opens_at, row.closes_at) if row else Window()


async def save(transaction: Transaction, window: Window) -> None:
    """Write the window over the earlier one."""
    values = {"opens_at": window.opens_at, "closes_at": window.closes_at}
    await transaction.connection.execute(
        upsert(call_window)
        .values(single=True, **values)
        .on_conflict_do_update(index_elements=["single"], set_=values)
    )

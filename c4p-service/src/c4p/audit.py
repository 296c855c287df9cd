"""The record of who did what that changed no proposal: it names people, the log only subjects."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import Row, insert, select
from uuid_utils.compat import uuid7

from c4p.domain import Action, By
from c4p.store import Store, Transaction
from c4p.tables import actions

T = TypeVar("T")

log = structlog.get_logger()


async def recorded(
    store: Store,
    action: Action,
    by: By,
    data: Mapping[str, Any],
    work: Callable[[Transaction], Awaitable[T]],
) -> T:
    """The result of `work`, written down in its transaction; `data` says what it was done to."""

    async def both(transaction: Transaction) -> T:
        result = await work(transaction)
        row = {"actor": by.actor, "subject": by.subject, "at": by.at, "data": dict(data)}
        await transaction.connection.execute(insert(actions).values(id=uuid7(), kind=action, **row))
        return result

    result = await store.run(both)
    # Names are personal data; who has to know looks them up by the subject.
    log.info("audit", action=str(action), subject=by.subject, **data)
    return result


async def page(
    transaction: Transaction, after: UUID | None, limit: int
) -> tuple[Sequence[Row[Any]], UUID | None]:
    """What was done, the newest first, and the cursor of the next page if there is one."""
    query = select(actions).order_by(actions.c.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(actions.c.id < after)
    rows = (await transaction.connection.execute(query)).all()
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None

"""The record of who did what that changed no proposal: it names people, the log only subjects."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import structlog

from c4p.domain import Action, Actor
from c4p.store import actions
from c4p.store.actions import RecordedAction
from c4p.store.database import Store, Transaction

T = TypeVar("T")

log = structlog.get_logger()


async def run_recorded(
    store: Store,
    action: Action,
    actor: Actor,
    data: Mapping[str, Any],
    work: Callable[[Transaction], Awaitable[T]],
) -> T:
    """Return the result of `work`, and record in its transaction that `actor` did `action`.

    `data` says to what.
    """
    now = datetime.now(UTC)

    async def work_and_record(transaction: Transaction) -> T:
        result = await work(transaction)
        await actions.save(transaction, action, actor, now, data)
        return result

    result = await store.run(work_and_record)
    # Names are personal data; who has to know looks them up by the subject.
    log.info("audit", action=str(action), subject=actor.subject, **data)
    return result


async def list_page(
    store: Store, after: UUID | None, limit: int
) -> tuple[Sequence[RecordedAction], UUID | None]:
    """Return actions, the newest first, and the cursor of the next page if there is one."""
    return await store.run(lambda tx: actions.list_page(tx, after, limit), atomic=False)

"""The record of actions that change no proposal, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from uuid_utils.compat import uuid7

from c4p.domain import Action, Actor
from c4p.store.database import Transaction
from c4p.store.tables import actions


@dataclass(frozen=True, slots=True)
class RecordedAction:
    """An action as it is on record; `data` says to what it was done."""

    id: UUID
    kind: str
    actor: str
    subject: str | None
    at: datetime
    data: Mapping[str, Any]


async def save(
    transaction: Transaction, action: Action, actor: Actor, at: datetime, data: Mapping[str, Any]
) -> None:
    """Write down that `actor` did `action`; `data` says to what."""
    row = {"actor": actor.name, "subject": actor.subject, "at": at, "data": dict(data)}
    await transaction.connection.execute(insert(actions).values(id=uuid7(), kind=action, **row))


async def list_page(
    transaction: Transaction, after: UUID | None, limit: int
) -> tuple[Sequence[RecordedAction], UUID | None]:
    """Return actions, the newest first, and the cursor of the next page if there is one."""
    query = select(actions).order_by(actions.c.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(actions.c.id < after)
    rows = (await transaction.connection.execute(query)).all()
    found = [RecordedAction(**row._mapping) for row in rows[:limit]]  # noqa: SLF001 - a public name
    return found, found[-1].id if len(rows) > limit else None

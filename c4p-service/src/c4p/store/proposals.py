"""Proposals, their events and the Idempotency-Keys of submissions, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, literal, or_, select
from uuid_utils.compat import uuid7

from c4p.domain import (
    Change,
    Event,
    EventKind,
    Key,
    KeyReusedError,
    Proposal,
    ProposalNotFoundError,
    State,
)
from c4p.store.database import Transaction
from c4p.store.statements import SAVE_CHANGE
from c4p.store.tables import events, idempotency_keys, proposals

# Built once: to build a statement anew for each call costs more than to run it.
_SELECT_PROPOSAL = select(proposals).where(proposals.c.id == bindparam("id"))
_LOCK_PROPOSAL = _SELECT_PROPOSAL.with_for_update()
_SELECT_KEY = select(idempotency_keys).where(idempotency_keys.c.key == bindparam("key"))


async def find(
    transaction: Transaction, proposal_id: UUID, *, for_update: bool = False
) -> Proposal:
    """Return a proposal, locked against other writers if asked, or raise ProposalNotFoundError."""
    query = _LOCK_PROPOSAL if for_update else _SELECT_PROPOSAL
    row = (await transaction.connection.execute(query, {"id": proposal_id})).one_or_none()
    if row is None:
        raise ProposalNotFoundError("There is no proposal with this id.")
    return _proposal(row)


async def find_by_key(transaction: Transaction, key: Key) -> Proposal | None:
    """Return the proposal that an earlier request with `key` made, None without one.

    KeyReusedError when that was another request.
    """
    row = (await transaction.connection.execute(_SELECT_KEY, {"key": key.text})).one_or_none()
    if row is None:
        return None
    if row.request_hash != key.request_hash:
        raise KeyReusedError("This Idempotency-Key came before with another proposal.")
    return await find(transaction, row.proposal_id)


async def save(
    transaction: Transaction, change: Change, traceparent: str | None, key: Key | None = None
) -> bool:
    """Write a change: the proposal, its event, and the deliveries that it causes.

    Return False, and write nothing, when a request with `key` was there before; one that is
    under way elsewhere is waited for.
    """
    event = change.event
    new = [{**asdict(each), "id": str(uuid7())} for each in change.deliveries]
    values = {
        **asdict(change.proposal),
        "event_id": uuid7(),
        "kind": event.kind,
        "actor": event.actor,
        "subject": event.subject,
        "at": event.at,
        "event_data": dict(event.data),
        "deliveries": new,
        "traceparent": traceparent,
        "key": key.text if key else None,
        "request_hash": key.request_hash if key else None,
    }
    row = (await transaction.connection.execute(SAVE_CHANGE, values)).one()
    assert row.written or key, "the proposal was read without a lock"
    return bool(row.written)


async def list_page(
    transaction: Transaction, state: State | None, search: str, after: UUID | None, limit: int
) -> tuple[Sequence[Proposal], UUID | None]:
    """Return proposals, the newest first, and the cursor of the next page if there is one.

    Ids are UUIDv7, so their order is that of submission.
    """
    query = select(proposals).where(*_matching(search))
    if state is not None:
        query = query.where(proposals.c.state == state)
    return await _page(transaction, query, after, limit)


async def list_own(
    transaction: Transaction, address: str, proposal_id: UUID | None, after: UUID | None, limit: int
) -> tuple[Sequence[Proposal], UUID | None]:
    """Return the proposals under `address`, in any case of its ASCII letters, as `list_page` does.

    With `proposal_id` that one alone, if it is among them.
    """
    columns = proposals.c
    # In this collation lower() knows no letters but those of ASCII.
    lower = func.lower(columns.speaker_email.collate("C"))
    query = select(proposals).where(lower == func.lower(literal(address).collate("C")))
    if proposal_id is not None:
        query = query.where(columns.id == proposal_id)
    return await _page(transaction, query, after, limit)


async def _page(
    transaction: Transaction, query: Select[Any], after: UUID | None, limit: int
) -> tuple[Sequence[Proposal], UUID | None]:
    if after is not None:
        query = query.where(proposals.c.id < after)
    query = query.order_by(proposals.c.id.desc()).limit(limit + 1)
    rows = (await transaction.connection.execute(query)).all()
    found = [_proposal(row) for row in rows[:limit]]
    return found, found[-1].id if len(rows) > limit else None


async def count_by_state(transaction: Transaction, search: str = "") -> Mapping[State, int]:
    """Return how many proposals that match `search` are in each state."""
    query = (
        select(proposals.c.state, func.count())
        .where(*_matching(search))
        .group_by(proposals.c.state)
    )
    found = {row[0]: row[1] for row in await transaction.connection.execute(query)}
    return {state: found.get(state, 0) for state in State}


async def list_events(transaction: Transaction, proposal_id: UUID) -> Sequence[tuple[UUID, Event]]:
    """Return the events of a proposal, the oldest first, each with its id."""
    query = select(events).where(events.c.proposal_id == proposal_id).order_by(events.c.version)
    return [(row.id, _event(row)) for row in await transaction.connection.execute(query)]


def _matching(search: str) -> list[ColumnElement[bool]]:
    if not search:
        return []
    columns = (proposals.c.title, proposals.c.abstract, proposals.c.speaker_name)
    return [or_(*(column.icontains(search, autoescape=True) for column in columns))]


def _proposal(row: Row[Any]) -> Proposal:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return Proposal(**{**values, "state": State(row.state)})


def _event(row: Row[Any]) -> Event:
    kind = EventKind(row.kind)
    return Event(row.proposal_id, row.version, kind, row.actor, row.at, row.data, row.subject)

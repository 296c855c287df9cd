"""The outbox in PostgreSQL: deliveries are claimed, made, and ended or postponed."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, func, select, text, update

from c4p.domain import (
    Delivery,
    DeliveryKind,
    DeliveryNotFoundError,
    DeliveryState,
    State,
    Target,
)
from c4p.store.database import Transaction
from c4p.store.notifications import notify
from c4p.store.tables import deliveries, proposals

_columns = deliveries.c

# The claim is a lease: it is committed before the call is made, and when the worker dies the row
# is due again. Deliveries of one proposal to one target go out in the order of their changes.
_CLAIM = text(
    """
    WITH due AS MATERIALIZED (
        SELECT candidate.id FROM deliveries AS candidate
        WHERE candidate.target = :target
          AND candidate.state = 'waiting' AND candidate.next_attempt_at <= now()
          AND NOT EXISTS (
            SELECT FROM deliveries AS earlier
            WHERE earlier.proposal_id = candidate.proposal_id
              AND earlier.target = candidate.target
              AND earlier.seq < candidate.seq AND earlier.state = 'waiting')
        ORDER BY candidate.next_attempt_at
        LIMIT :limit
        FOR UPDATE OF candidate SKIP LOCKED)
    UPDATE deliveries SET attempts = attempts + 1,
        next_attempt_at = now() + make_interval(secs => :lease_seconds)
    FROM due WHERE deliveries.id = due.id
    RETURNING deliveries.*
    """
).columns(*deliveries.columns)


log = structlog.get_logger()


async def claim(
    transaction: Transaction, target: Target, limit: int, lease_seconds: float
) -> Sequence[Delivery]:
    """Claim up to `limit` deliveries that are due, and return them.

    They belong to the caller for `lease_seconds`.
    """
    rows = await transaction.connection.execute(
        _CLAIM, {"target": target, "limit": limit, "lease_seconds": lease_seconds}
    )
    return [delivery for row in rows if (delivery := _known(row)) is not None]


def _known(row: Row[Any]) -> Delivery | None:
    try:
        return _delivery(row)
    except ValueError as error:
        # Written by a newer version of this service, which makes it when the lease ends.
        log.warning("delivery left to a newer version", delivery=str(row.id), reason=str(error))
        return None


async def mark_delivered(transaction: Transaction, delivery: Delivery) -> bool:
    """Write down that a delivery arrived.

    Return False, here and below, when the lease was over, and write nothing then.
    """
    return await _end(
        transaction,
        delivery,
        {
            "state": DeliveryState.DELIVERED,
            "delivered_at": func.now(),
            "next_attempt_at": None,
            "last_error": None,
        },
    )


async def postpone(
    transaction: Transaction, delivery: Delivery, error: str, wait_seconds: float
) -> bool:
    """Write down that a delivery did not arrive, and is tried again in `wait_seconds`."""
    return await _end(
        transaction,
        delivery,
        {
            "failures": delivery.failures + 1,
            "last_error": error,
            "next_attempt_at": func.now() + func.make_interval(0, 0, 0, 0, 0, 0, wait_seconds),
        },
    )


async def give_up(transaction: Transaction, delivery: Delivery, error: str) -> bool:
    """Write down that a delivery can't arrive unless a person does something and retries it."""
    return await _end(
        transaction,
        delivery,
        {
            "state": DeliveryState.FAILED,
            "failures": delivery.failures + 1,
            "last_error": error,
            "next_attempt_at": None,
        },
    )


async def _end(transaction: Transaction, delivery: Delivery, values: Mapping[str, Any]) -> bool:
    # A worker that was frozen past its lease finds other attempts there and changes nothing.
    written = await transaction.connection.execute(
        update(deliveries)
        .where(
            _columns.id == delivery.id,
            _columns.attempts == delivery.attempts,
            _columns.state == DeliveryState.WAITING,
        )
        .values(values)
    )
    return written.rowcount == 1


async def find_for_retry(transaction: Transaction, delivery_id: UUID) -> tuple[Delivery, State]:
    """Return a delivery, locked against other writers, and the state of its proposal.

    DeliveryNotFoundError when there is none.
    """
    query = (
        select(deliveries, proposals.c.state.label("proposal_state"))
        .join(proposals, proposals.c.id == _columns.proposal_id)
        .where(_columns.id == delivery_id)
        .with_for_update(of=deliveries)
    )
    row = (await transaction.connection.execute(query)).one_or_none()
    if row is None:
        raise DeliveryNotFoundError("There is no delivery with this id.")
    return _delivery(row), State(row.proposal_state)


async def make_due(transaction: Transaction, delivery: Delivery, generation: int) -> Delivery:
    """Make a delivery due now, under the key of `generation`, and return it as it is then."""
    changed = await transaction.connection.execute(
        update(deliveries)
        .where(_columns.id == delivery.id)
        .values(
            state=DeliveryState.WAITING,
            generation=generation,
            failures=0,
            requested_at=func.now(),
            next_attempt_at=func.now(),
            delivered_at=None,
        )
        .returning(deliveries)
    )
    await notify(transaction)
    return _delivery(changed.one())


async def list_page(
    transaction: Transaction,
    *,
    proposal_id: UUID | None,
    state: DeliveryState | None,
    after: UUID | None,
    limit: int,
) -> tuple[Sequence[Delivery], UUID | None]:
    """Return deliveries, the newest first, and the cursor of the next page if there is one."""
    query = select(deliveries).order_by(_columns.id.desc()).limit(limit + 1)
    if proposal_id is not None:
        query = query.where(_columns.proposal_id == proposal_id)
    if state is not None:
        query = query.where(_columns.state == state)
    if after is not None:
        query = query.where(_columns.id < after)
    rows = (await transaction.connection.execute(query)).all()
    found = [_delivery(row) for row in rows[:limit]]
    return found, found[-1].id if len(rows) > limit else None


async def measure_waiting(transaction: Transaction) -> tuple[int, float]:
    """Return how many deliveries wait, and for how many seconds the oldest has."""
    oldest = func.extract("epoch", func.now() - func.min(_columns.requested_at))
    query = select(func.count(), func.coalesce(oldest, 0)).where(
        _columns.state == DeliveryState.WAITING
    )
    row = (await transaction.connection.execute(query)).one()
    return row[0], float(row[1])


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        proposal_id=row.proposal_id,
        target=Target(row.target),
        kind=DeliveryKind(row.kind),
        state=DeliveryState(row.state),
        data=row.data,
        generation=row.generation,
        attempts=row.attempts,
        failures=row.failures,
        created_at=row.created_at,
        requested_at=row.requested_at,
        next_attempt_at=row.next_attempt_at,
        delivered_at=row.delivered_at,
        last_error=row.last_error,
        traceparent=row.traceparent,
    )

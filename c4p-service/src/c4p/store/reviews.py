"""The reviews of proposals, in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from c4p.domain import Review, Score
from c4p.store.database import Transaction
from c4p.store.tables import reviews


async def save(transaction: Transaction, review: Review) -> None:
    """Write a review over an earlier one of the same proposal by the same person."""
    values = asdict(review)
    changed = {name: values[name] for name in ("reviewer", "score", "comment", "at")}
    await transaction.connection.execute(
        upsert(reviews)
        .values(values)
        .on_conflict_do_update(index_elements=["proposal_id", "subject"], set_=changed)
    )


async def list_of(transaction: Transaction, proposal_id: UUID) -> Sequence[Review]:
    """Return the reviews of a proposal, the oldest first."""
    query = select(reviews).where(reviews.c.proposal_id == proposal_id).order_by(reviews.c.at)
    rows = await transaction.connection.execute(query)
    return [Review(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name


async def scores(transaction: Transaction, proposal_ids: Collection[UUID]) -> Mapping[UUID, Score]:
    """Return the score of each proposal by its id, without those that have no reviews."""
    query = (
        select(reviews.c.proposal_id, func.avg(reviews.c.score), func.count())
        .where(reviews.c.proposal_id.in_(proposal_ids))
        .group_by(reviews.c.proposal_id)
    )
    rows = await transaction.connection.execute(query)
    return {row[0]: Score(float(row[1]), row[2]) for row in rows}

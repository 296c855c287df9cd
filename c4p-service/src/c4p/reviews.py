"""What reviewers think of proposals, in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from c4p import domain
from c4p.domain import By, Review
from c4p.store import Transaction
from c4p.tables import reviews


@dataclass(frozen=True, slots=True)
class Score:
    """What all reviewers of a proposal think together: the mean, 1 to 5, and how many they are."""

    average: float
    count: int


async def save(
    transaction: Transaction, proposal_id: UUID, score: int, comment: str, by: By
) -> Review:
    """The review of a proposal, over an earlier one by the same person.

    ProposalNotFoundError, or WrongStateError once the proposal is decided.
    """
    proposal = await transaction.proposal(proposal_id, for_update=True)
    review = domain.review(proposal, score, comment, by)
    values = asdict(review)
    changed = {name: values[name] for name in ("reviewer", "score", "comment", "at")}
    await transaction.connection.execute(
        upsert(reviews)
        .values(values)
        .on_conflict_do_update(index_elements=["proposal_id", "subject"], set_=changed)
    )
    return review


async def of(transaction: Transaction, proposal_id: UUID) -> Sequence[Review]:
    """The reviews of a proposal, the oldest first, or ProposalNotFoundError."""
    await transaction.proposal(proposal_id)
    query = select(reviews).where(reviews.c.proposal_id == proposal_id).order_by(reviews.c.at)
    rows = await transaction.connection.execute(query)
    return [Review(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name


async def scores(transaction: Transaction, proposal_ids: Collection[UUID]) -> Mapping[UUID, Score]:
    """What the reviewers of each proposal think together; nothing of one without reviews."""
    query = (
        select(reviews.c.proposal_id, func.avg(reviews.c.score), func.count())
        .where(reviews.c.proposal_id.in_(proposal_ids))
        .group_by(reviews.c.proposal_id)
    )
    rows = await transaction.connection.execute(query)
    return {row[0]: Score(float(row[1]), row[2]) for row in rows}

"""Use cases of reviewers."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from c4p import domain
from c4p.domain import Action, Actor, Review
from c4p.store import proposals, reviews
from c4p.store.database import Store, Transaction
from c4p.use_cases.actions import run_recorded


async def review(
    store: Store, proposal_id: UUID, score: int, comment: str, reviewer: Actor
) -> Review:
    """Return the review of a proposal, which replaces an earlier one by the same person.

    ProposalNotFoundError, or WrongStateError once the proposal is decided.
    """
    now = datetime.now(UTC)

    async def work(transaction: Transaction) -> Review:
        proposal = await proposals.find(transaction, proposal_id, for_update=True)
        written = domain.review(proposal, score, comment, reviewer, now)
        await reviews.save(transaction, written)
        return written

    data = {"proposal": str(proposal_id)}
    return await run_recorded(store, Action.REVIEWED, reviewer, data, work)


async def list_of(store: Store, proposal_id: UUID) -> Sequence[Review]:
    """Return the reviews of a proposal, the oldest first, or raise ProposalNotFoundError."""

    async def read(transaction: Transaction) -> Sequence[Review]:
        await proposals.find(transaction, proposal_id)
        return await reviews.list_of(transaction, proposal_id)

    return await store.run(read, atomic=False)

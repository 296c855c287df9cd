"""Routes of reviews."""

from typing import Annotated

from fastapi import APIRouter, Depends

from c4p.domain import Actor
from c4p.problems import PROPOSAL_NOT_FOUND, WRONG_STATE
from c4p.routes.dependencies import READERS, REVIEWER, ProposalId, StoreDep, acting, reading
from c4p.schemas.reviews import ReviewInput, ReviewListOutput, ReviewOutput
from c4p.use_cases import reviews
from servicekit.problems import responses

router = APIRouter()


@router.put(
    "/proposals/{proposal_id:uuid}/review", responses=responses(PROPOSAL_NOT_FOUND, WRONG_STATE)
)
async def review(
    proposal_id: ProposalId,
    review: ReviewInput,
    store: StoreDep,
    reviewer: Annotated[Actor, Depends(acting(REVIEWER))],
) -> ReviewOutput:
    """Review a proposal that is not decided yet; a second review replaces the first."""
    written = await reviews.review(store, proposal_id, review.score, review.comment, reviewer)
    return ReviewOutput.of(written)


@router.get(
    "/proposals/{proposal_id:uuid}/reviews",
    dependencies=[reading(*READERS)],
    responses=responses(PROPOSAL_NOT_FOUND),
)
async def list_reviews(proposal_id: ProposalId, store: StoreDep) -> ReviewListOutput:
    """Return the reviews of a proposal, the oldest first."""
    found = await reviews.list_of(store, proposal_id)
    return ReviewListOutput(items=[ReviewOutput.of(each) for each in found])

"""Routes by which organizers decide."""

from fastapi import APIRouter, Response

from c4p.domain import Proposal, State
from c4p.problems import PROPOSAL_NOT_FOUND, WRONG_STATE, problem_of
from c4p.routes.dependencies import Organizer, ProposalId, StoreDep
from c4p.routes.etags import etag
from c4p.schemas.decisions import (
    DecisionInput,
    DecisionOutput,
    DecisionsInput,
    DecisionsOutput,
    ProposalDecisionInput,
)
from c4p.schemas.proposals import ProposalOutput
from c4p.use_cases import proposals
from servicekit.problems import ProblemDocument, responses

router = APIRouter()


@router.post("/proposals/decisions")
async def decide_many(
    decisions: DecisionsInput, store: StoreDep, actor: Organizer
) -> DecisionsOutput:
    """Decide up to a hundred proposals; each succeeds or fails alone and says so."""
    wanted = [
        proposals.Decision(each.proposal_id, State(each.decision), each.message)
        for each in decisions.decisions
    ]
    results = await proposals.decide_many(store, wanted, actor)
    pairs = zip(decisions.decisions, results, strict=True)
    return DecisionsOutput(results=[_output(decision, result) for decision, result in pairs])


def _output(
    decision: ProposalDecisionInput, result: Proposal | proposals.Refusal
) -> DecisionOutput:
    if isinstance(result, Proposal):
        proposal = ProposalOutput.of(result)
        return DecisionOutput(proposal_id=result.id, status=200, proposal=proposal)
    problem = problem_of(result)
    return DecisionOutput(
        proposal_id=decision.proposal_id,
        status=problem.kind.status,
        problem=ProblemDocument(**problem.document()),
    )


@router.post(
    "/proposals/{proposal_id:uuid}/decision", responses=responses(PROPOSAL_NOT_FOUND, WRONG_STATE)
)
async def decide(
    response: Response,
    proposal_id: ProposalId,
    decision: DecisionInput,
    store: StoreDep,
    actor: Organizer,
) -> ProposalOutput:
    """Accept or reject; deciding the same again changes nothing and tells nobody twice."""
    state = State(decision.decision)
    decided = await proposals.decide(store, proposal_id, state, decision.message, actor)
    response.headers["ETag"] = etag(decided.version)
    return ProposalOutput.of(decided)

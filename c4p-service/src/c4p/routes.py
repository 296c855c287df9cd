"""HTTP in, use case, HTTP out."""

import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response

from c4p import audit, proposals, reviews
from c4p.access import (
    ORGANIZER,
    READERS,
    REVIEWER,
    Anybody,
    Limit,
    Organizer,
    OwnAddress,
    ProposalId,
    TheStore,
    acting,
    reading,
    speaker_or,
)
from c4p.deliveries import DeliveryChangedError, DeliveryNotFoundError
from c4p.domain import (
    Action,
    By,
    Proposal,
    ProposalNotFoundError,
    StaleEditError,
    State,
    WindowClosedError,
    WrongStateError,
)
from c4p.problems import (
    ADDRESS_NOT_VERIFIED,
    DELIVERY_CHANGED,
    DELIVERY_NOT_FOUND,
    IF_MATCH_REQUIRED,
    LINK_EXPIRED,
    LINK_REFUSED,
    PROPOSAL_NOT_FOUND,
    STALE_EDIT,
    WINDOW_CLOSED,
    WRONG_STATE,
)
from c4p.schemas import (
    Counts,
    DecisionFor,
    DecisionInput,
    DecisionResult,
    DecisionResults,
    DecisionsInput,
    EventOutput,
    Events,
    ListedProposal,
    NewProposal,
    OwnProposals,
    ProposalEdit,
    ProposalOutput,
    ProposalPage,
    ReviewInput,
    ReviewOutput,
    Reviews,
    Search,
)
from c4p.store import KeyReusedError, Store, StoreUnavailableError, Transaction
from servicekit.problems import (
    IDEMPOTENCY_KEY_REUSED,
    SIGN_IN_REQUIRED,
    UNAVAILABLE,
    Problem,
    ProblemDocument,
    ProblemType,
    responses,
)

PROBLEMS: dict[type[Exception], ProblemType] = {
    ProposalNotFoundError: PROPOSAL_NOT_FOUND,
    DeliveryNotFoundError: DELIVERY_NOT_FOUND,
    DeliveryChangedError: DELIVERY_CHANGED,
    WindowClosedError: WINDOW_CLOSED,
    WrongStateError: WRONG_STATE,
    KeyReusedError: IDEMPOTENCY_KEY_REUSED,
    StoreUnavailableError: UNAVAILABLE,
}
"""What the service's own errors are to its clients."""

router = APIRouter()

SpeakerOrOrganizer = Annotated[By, Depends(speaker_or(ORGANIZER))]


def _answer(response: Response, proposal: Proposal) -> ProposalOutput:
    response.headers["ETag"] = f'"{proposal.version}"'
    return ProposalOutput.of(proposal)


@router.post(
    "/proposals",
    status_code=201,
    # A token is not needed, but whoever sends one is named in the history.
    openapi_extra={"security": [{}, {"token": []}]},
    responses=responses(WINDOW_CLOSED, IDEMPOTENCY_KEY_REUSED, SIGN_IN_REQUIRED),
)
async def submit_proposal(
    response: Response,
    proposal: NewProposal,
    store: TheStore,
    by: Anybody,
    idempotency_key: Annotated[
        str | None, Header(max_length=200, pattern=r"^[\x21-\x7e]+$")
    ] = None,
) -> ProposalOutput:
    """Submit a proposal; repeated with the same Idempotency-Key it is submitted once."""
    submitted = await store.run(
        lambda tx: proposals.submit(tx, proposal.draft(), idempotency_key, by),
        # Without a key a repeated write would be a second proposal.
        atomic=idempotency_key is None,
    )
    response.headers["Location"] = f"/proposals/{submitted.id}"
    return _answer(response, submitted)


@router.get("/proposals", dependencies=[reading(*READERS)])
async def list_proposals(
    store: TheStore,
    state: State | None = None,
    q: Search = "",
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> ProposalPage:
    """Proposals, the newest first, by state and by words in them."""

    async def read(transaction: Transaction) -> ProposalPage:
        found, next_cursor = await transaction.page(state, q, cursor, limit)
        counts = await transaction.counts(q)
        scores = await reviews.scores(transaction, [each.id for each in found])
        return ProposalPage(
            items=[ListedProposal.with_score(each, scores.get(each.id)) for each in found],
            next_cursor=next_cursor,
            counts=Counts(**{str(each): number for each, number in counts.items()}),
        )

    return await store.run(read, atomic=False)


@router.get("/me/proposals", responses=responses(ADDRESS_NOT_VERIFIED))
async def list_own_proposals(
    store: TheStore,
    address: OwnAddress,
    proposal_id: UUID | None = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> OwnProposals:
    """The proposals under the verified address of who is signed in, the newest first."""
    found, next_cursor = await store.run(
        lambda tx: tx.own(address, proposal_id, cursor, limit), atomic=False
    )
    return OwnProposals(items=[ProposalOutput.of(each) for each in found], next_cursor=next_cursor)


@router.post("/proposals/decisions")
async def decide_many(decisions: DecisionsInput, store: TheStore, by: Organizer) -> DecisionResults:
    """Decide up to a hundred proposals; each succeeds or fails alone and says so."""
    results: list[DecisionResult] = []
    for each in decisions.decisions:
        if results and results[-1].status == UNAVAILABLE.status:
            # One wait for an absent database is enough for all that are left.
            results.append(results[-1].model_copy(update={"proposal_id": each.proposal_id}))
        else:
            results.append(await _decide_one(each, store, by))
    return DecisionResults(results=results)


async def _decide_one(each: DecisionFor, store: Store, by: By) -> DecisionResult:
    to = State(each.decision)
    try:
        decided = await store.run(
            lambda tx: proposals.decide(tx, each.proposal_id, to, each.message, by)
        )
    except tuple(PROBLEMS) as error:
        problem = Problem(PROBLEMS[type(error)], str(error), **getattr(error, "members", {}))
        return DecisionResult(
            proposal_id=each.proposal_id,
            status=problem.kind.status,
            problem=ProblemDocument(**problem.document()),
        )
    return DecisionResult(
        proposal_id=each.proposal_id, status=200, proposal=ProposalOutput.of(decided)
    )


@router.get(
    "/proposals/{proposal_id:uuid}",
    dependencies=[Depends(speaker_or(*READERS))],
    responses=responses(PROPOSAL_NOT_FOUND, LINK_REFUSED, LINK_EXPIRED),
)
async def get_proposal(
    response: Response, proposal_id: ProposalId, store: TheStore
) -> ProposalOutput:
    """One proposal; its ETag is what If-Match wants."""
    return _answer(response, await store.run(lambda tx: tx.proposal(proposal_id), atomic=False))


@router.patch(
    "/proposals/{proposal_id:uuid}",
    responses=responses(
        PROPOSAL_NOT_FOUND, LINK_REFUSED, LINK_EXPIRED, WRONG_STATE, STALE_EDIT, IF_MATCH_REQUIRED
    ),
)
async def edit_proposal(
    response: Response,
    proposal_id: ProposalId,
    changes: ProposalEdit,
    store: TheStore,
    by: SpeakerOrOrganizer,
    if_match: Annotated[
        list[str] | None, Header(description="the ETag of what was read, or several, or `*`")
    ] = None,
) -> ProposalOutput:
    """Change a proposal that is not decided yet."""
    if if_match is None:
        raise Problem(IF_MATCH_REQUIRED, "If-Match is missing.")
    fields = changes.model_dump(exclude_unset=True)
    versions = versions_in(", ".join(if_match))
    try:
        edited = await store.run(lambda tx: proposals.edit(tx, proposal_id, versions, fields, by))
    except StaleEditError as error:
        current = ProposalOutput.of(error.current).model_dump(mode="json")
        raise Problem(STALE_EDIT, str(error), current=current) from error
    return _answer(response, edited)


_TAGS = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_OURS = re.compile(r"[1-9]\d{0,8}", re.ASCII)


def versions_in(if_match: str) -> frozenset[int] | None:
    """The versions that the ETags of an If-Match name (RFC 9110, 13.1.1); None is any, for `*`.

    A foreign ETag names none, and a weak one neither: the comparison has to be a strong one.
    """
    if if_match.strip() == "*":
        return None
    tags = (text for weak, text in _TAGS.findall(if_match) if not weak)
    return frozenset(int(each) for each in tags if _OURS.fullmatch(each))


@router.post(
    "/proposals/{proposal_id:uuid}/decision", responses=responses(PROPOSAL_NOT_FOUND, WRONG_STATE)
)
async def decide(
    response: Response,
    proposal_id: ProposalId,
    decision: DecisionInput,
    store: TheStore,
    by: Organizer,
) -> ProposalOutput:
    """Accept or reject; deciding the same again changes nothing and tells nobody twice."""
    to = State(decision.decision)
    decided = await store.run(
        lambda tx: proposals.decide(tx, proposal_id, to, decision.message, by)
    )
    return _answer(response, decided)


@router.post(
    "/proposals/{proposal_id:uuid}/withdrawal",
    responses=responses(PROPOSAL_NOT_FOUND, LINK_REFUSED, LINK_EXPIRED, WRONG_STATE),
)
async def withdraw(
    response: Response, proposal_id: ProposalId, store: TheStore, by: SpeakerOrOrganizer
) -> ProposalOutput:
    """Withdraw a proposal; one that was accepted leaves the agenda."""
    withdrawn = await store.run(lambda tx: proposals.withdraw(tx, proposal_id, by))
    return _answer(response, withdrawn)


@router.get(
    "/proposals/{proposal_id:uuid}/events",
    dependencies=[reading(*READERS)],
    responses=responses(PROPOSAL_NOT_FOUND),
)
async def list_events(proposal_id: ProposalId, store: TheStore) -> Events:
    """What happened to a proposal, the oldest first."""
    found = await store.run(lambda tx: proposals.history(tx, proposal_id), atomic=False)
    return Events(items=[EventOutput.of(*each) for each in found])


@router.put(
    "/proposals/{proposal_id:uuid}/review", responses=responses(PROPOSAL_NOT_FOUND, WRONG_STATE)
)
async def review(
    proposal_id: ProposalId,
    review: ReviewInput,
    store: TheStore,
    by: Annotated[By, Depends(acting(REVIEWER))],
) -> ReviewOutput:
    """Say what you think of a proposal that is not decided yet; said again it replaces itself."""
    written = await audit.recorded(
        store,
        Action.REVIEWED,
        by,
        {"proposal": str(proposal_id)},
        lambda tx: reviews.save(tx, proposal_id, review.score, review.comment, by),
    )
    return ReviewOutput.of(written)


@router.get(
    "/proposals/{proposal_id:uuid}/reviews",
    dependencies=[reading(*READERS)],
    responses=responses(PROPOSAL_NOT_FOUND),
)
async def list_reviews(proposal_id: ProposalId, store: TheStore) -> Reviews:
    """What reviewers think of a proposal, the oldest review first."""
    found = await store.run(lambda tx: reviews.of(tx, proposal_id), atomic=False)
    return Reviews(items=[ReviewOutput.of(each) for each in found])

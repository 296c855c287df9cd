"""Routes of proposals and their history."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response

from c4p.domain import StaleEditError, State
from c4p.problems import (
    ADDRESS_NOT_VERIFIED,
    IF_MATCH_REQUIRED,
    LINK_EXPIRED,
    LINK_REFUSED,
    PROPOSAL_NOT_FOUND,
    STALE_EDIT,
    WINDOW_CLOSED,
    WRONG_STATE,
)
from c4p.routes.dependencies import (
    READERS,
    Anybody,
    Limit,
    OwnAddress,
    ProposalId,
    SpeakerOrOrganizer,
    StoreDep,
    reading,
    speaker_or,
)
from c4p.routes.etags import etag, versions_in
from c4p.schemas.proposals import (
    CountsOutput,
    EventListOutput,
    EventOutput,
    ListedProposalOutput,
    OwnProposalListOutput,
    ProposalEditInput,
    ProposalInput,
    ProposalListOutput,
    ProposalOutput,
    Search,
)
from c4p.use_cases import proposals
from servicekit.problems import IDEMPOTENCY_KEY_REUSED, SIGN_IN_REQUIRED, Problem, responses

router = APIRouter()


@router.post(
    "/proposals",
    status_code=201,
    # A token is not needed, but whoever sends one is named in the history.
    openapi_extra={"security": [{}, {"token": []}]},
    responses=responses(WINDOW_CLOSED, IDEMPOTENCY_KEY_REUSED, SIGN_IN_REQUIRED),
)
async def submit_proposal(
    response: Response,
    proposal: ProposalInput,
    store: StoreDep,
    actor: Anybody,
    idempotency_key: Annotated[
        str | None, Header(max_length=200, pattern=r"^[\x21-\x7e]+$")
    ] = None,
) -> ProposalOutput:
    """Submit a proposal; repeated with the same Idempotency-Key it is submitted once."""
    submitted = await proposals.submit(store, proposal.draft(), idempotency_key, actor)
    response.headers["Location"] = f"/proposals/{submitted.id}"
    response.headers["ETag"] = etag(submitted.version)
    return ProposalOutput.of(submitted)


@router.get("/proposals", dependencies=[reading(*READERS)])
async def list_proposals(
    store: StoreDep,
    state: State | None = None,
    q: Search = "",
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> ProposalListOutput:
    """Return proposals, the newest first, by state and by words in them."""
    page = await proposals.list_page(store, state, q, cursor, limit)
    return ProposalListOutput(
        items=[
            ListedProposalOutput.with_score(each, page.scores.get(each.id))
            for each in page.proposals
        ],
        next_cursor=page.next_cursor,
        counts=CountsOutput(**{str(each): number for each, number in page.counts.items()}),
    )


@router.get("/me/proposals", responses=responses(ADDRESS_NOT_VERIFIED))
async def list_own_proposals(
    store: StoreDep,
    address: OwnAddress,
    proposal_id: UUID | None = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> OwnProposalListOutput:
    """Return the proposals under the verified address of who is signed in, the newest first."""
    found, next_cursor = await proposals.list_own(store, address, proposal_id, cursor, limit)
    items = [ProposalOutput.of(each) for each in found]
    return OwnProposalListOutput(items=items, next_cursor=next_cursor)


@router.get(
    "/proposals/{proposal_id:uuid}",
    dependencies=[Depends(speaker_or(*READERS))],
    responses=responses(PROPOSAL_NOT_FOUND, LINK_REFUSED, LINK_EXPIRED),
)
async def get_proposal(
    response: Response, proposal_id: ProposalId, store: StoreDep
) -> ProposalOutput:
    """Return one proposal; its ETag is what If-Match wants."""
    proposal = await proposals.get(store, proposal_id)
    response.headers["ETag"] = etag(proposal.version)
    return ProposalOutput.of(proposal)


@router.patch(
    "/proposals/{proposal_id:uuid}",
    responses=responses(
        PROPOSAL_NOT_FOUND, LINK_REFUSED, LINK_EXPIRED, WRONG_STATE, STALE_EDIT, IF_MATCH_REQUIRED
    ),
)
async def edit_proposal(
    response: Response,
    proposal_id: ProposalId,
    changes: ProposalEditInput,
    store: StoreDep,
    actor: SpeakerOrOrganizer,
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
        edited = await proposals.edit(store, proposal_id, versions, fields, actor)
    except StaleEditError as error:
        current = ProposalOutput.of(error.current).model_dump(mode="json")
        raise Problem(STALE_EDIT, str(error), current=current) from error
    response.headers["ETag"] = etag(edited.version)
    return ProposalOutput.of(edited)


@router.post(
    "/proposals/{proposal_id:uuid}/withdrawal",
    responses=responses(PROPOSAL_NOT_FOUND, LINK_REFUSED, LINK_EXPIRED, WRONG_STATE),
)
async def withdraw(
    response: Response, proposal_id: ProposalId, store: StoreDep, actor: SpeakerOrOrganizer
) -> ProposalOutput:
    """Withdraw a proposal; one that was accepted leaves the agenda."""
    withdrawn = await proposals.withdraw(store, proposal_id, actor)
    response.headers["ETag"] = etag(withdrawn.version)
    return ProposalOutput.of(withdrawn)


@router.get(
    "/proposals/{proposal_id:uuid}/events",
    dependencies=[reading(*READERS)],
    responses=responses(PROPOSAL_NOT_FOUND),
)
async def list_events(proposal_id: ProposalId, store: StoreDep) -> EventListOutput:
    """Return the events of a proposal, the oldest first."""
    found = await proposals.list_events(store, proposal_id)
    return EventListOutput(items=[EventOutput.of(*each) for each in found])

"""HTTP in, use case, HTTP out."""

import re
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import unquote
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from c4p import deliveries, proposals
from c4p.deliveries import DeliveryChangedError, DeliveryNotFoundError
from c4p.domain import (
    By,
    DeliveryState,
    Proposal,
    ProposalNotFoundError,
    StaleEditError,
    State,
    Window,
    WindowClosedError,
    WrongStateError,
)
from c4p.schemas import (
    DELIVERY_CHANGED,
    DELIVERY_NOT_FOUND,
    IF_MATCH_REQUIRED,
    LINK_EXPIRED,
    LINK_REFUSED,
    PROPOSAL_NOT_FOUND,
    STALE_EDIT,
    WINDOW_CLOSED,
    WRONG_STATE,
    Counts,
    DecisionFor,
    DecisionInput,
    DecisionResult,
    DecisionResults,
    DecisionsInput,
    DeliveryOutput,
    DeliveryPage,
    EventOutput,
    Events,
    NewProposal,
    ProposalEdit,
    ProposalOutput,
    ProposalPage,
    Report,
    Reports,
    RetryInput,
    Search,
    WindowInput,
    WindowOutput,
)
from c4p.store import KeyReusedError, Store, StoreAwayError, Transaction
from servicekit.problems import (
    IDEMPOTENCY_KEY_REUSED,
    UNAVAILABLE,
    Problem,
    ProblemDocument,
    ProblemType,
    responses,
)
from servicekit.security import LinkExpiredError, LinkRefusedError, Signer

PROBLEMS: dict[type[Exception], ProblemType] = {
    ProposalNotFoundError: PROPOSAL_NOT_FOUND,
    DeliveryNotFoundError: DELIVERY_NOT_FOUND,
    DeliveryChangedError: DELIVERY_CHANGED,
    WindowClosedError: WINDOW_CLOSED,
    WrongStateError: WRONG_STATE,
    KeyReusedError: IDEMPOTENCY_KEY_REUSED,
    StoreAwayError: UNAVAILABLE,
}
"""What the service's own errors are to its clients."""

router = APIRouter()


async def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


async def _by(
    x_actor: Annotated[str, Header(max_length=400, description="who acts, percent-encoded")] = "",
) -> By:
    # Half of a surrogate pair or a NUL can't be stored; a name has neither.
    actor = "".join(char for char in unquote(x_actor) if char.isprintable())
    return By(actor or "anonymous", datetime.now(UTC))


async def _allowed(
    request: Request,
    proposal_id: UUID,
    proposal_token: Annotated[
        str | None, Header(max_length=1000, description="the token of a speaker's link")
    ] = None,
) -> None:
    if proposal_token is None:
        return
    signer: Signer = request.app.state.links.signer
    try:
        signed = signer.read(proposal_token, datetime.now(UTC))
    except LinkExpiredError as error:
        raise Problem(LINK_EXPIRED, str(error)) from error
    except LinkRefusedError as error:
        raise Problem(LINK_REFUSED, str(error)) from error
    if signed.get("proposal") != str(proposal_id):
        raise Problem(LINK_REFUSED, "The link belongs to another proposal.")


TheStore = Annotated[Store, Depends(_store)]
TheActor = Annotated[By, Depends(_by)]
ProposalId = Annotated[UUID, Path()]
Limit = Annotated[int, Query(ge=1, le=200, description="how many at the most")]
speaker_or_vouched_for = [Depends(_allowed)]


def _answer(response: Response, proposal: Proposal) -> ProposalOutput:
    response.headers["ETag"] = f'"{proposal.version}"'
    return ProposalOutput.of(proposal)


@router.post(
    "/proposals", status_code=201, responses=responses(WINDOW_CLOSED, IDEMPOTENCY_KEY_REUSED)
)
async def submit_proposal(
    response: Response,
    proposal: NewProposal,
    store: TheStore,
    by: TheActor,
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


@router.get("/proposals")
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
        return ProposalPage(
            items=[ProposalOutput.of(each) for each in found],
            next_cursor=next_cursor,
            counts=Counts(**{str(each): number for each, number in counts.items()}),
        )

    return await store.run(read, atomic=False)


@router.post("/proposals/decisions")
async def decide_many(decisions: DecisionsInput, store: TheStore, by: TheActor) -> DecisionResults:
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
    dependencies=speaker_or_vouched_for,
    responses=responses(PROPOSAL_NOT_FOUND, LINK_REFUSED, LINK_EXPIRED),
)
async def get_proposal(
    response: Response, proposal_id: ProposalId, store: TheStore
) -> ProposalOutput:
    """One proposal; its ETag is what If-Match wants."""
    return _answer(response, await store.run(lambda tx: tx.proposal(proposal_id), atomic=False))


@router.patch(
    "/proposals/{proposal_id:uuid}",
    dependencies=speaker_or_vouched_for,
    responses=responses(
        PROPOSAL_NOT_FOUND, LINK_REFUSED, LINK_EXPIRED, WRONG_STATE, STALE_EDIT, IF_MATCH_REQUIRED
    ),
)
async def edit_proposal(
    response: Response,
    proposal_id: ProposalId,
    changes: ProposalEdit,
    store: TheStore,
    by: TheActor,
    if_match: Annotated[str | None, Header(description="the ETag of what was read")] = None,
) -> ProposalOutput:
    """Change a proposal that is not decided yet."""
    if if_match is None:
        raise Problem(IF_MATCH_REQUIRED, "If-Match is missing.")
    fields = changes.model_dump(exclude_unset=True)
    version = _version(if_match)
    try:
        edited = await store.run(lambda tx: proposals.edit(tx, proposal_id, version, fields, by))
    except StaleEditError as error:
        current = ProposalOutput.of(error.current).model_dump(mode="json")
        raise Problem(STALE_EDIT, str(error), current=current) from error
    return _answer(response, edited)


def _version(if_match: str) -> int | None:
    """The version that an ETag of ours names; `*` is any, and a foreign one matches none.

    One that is weak matches none either: RFC 9110, 13.1.1 wants the strong comparison.
    """
    if if_match.strip() == "*":
        return None
    named = re.fullmatch(r'"(\d{1,9})"', if_match.strip(), re.ASCII)
    return int(named[1]) if named else 0


@router.post(
    "/proposals/{proposal_id:uuid}/decision", responses=responses(PROPOSAL_NOT_FOUND, WRONG_STATE)
)
async def decide(
    response: Response,
    proposal_id: ProposalId,
    decision: DecisionInput,
    store: TheStore,
    by: TheActor,
) -> ProposalOutput:
    """Accept or reject; deciding the same again changes nothing and tells nobody twice."""
    to = State(decision.decision)
    decided = await store.run(
        lambda tx: proposals.decide(tx, proposal_id, to, decision.message, by)
    )
    return _answer(response, decided)


@router.post(
    "/proposals/{proposal_id:uuid}/withdrawal",
    dependencies=speaker_or_vouched_for,
    responses=responses(PROPOSAL_NOT_FOUND, LINK_REFUSED, LINK_EXPIRED, WRONG_STATE),
)
async def withdraw(
    response: Response, proposal_id: ProposalId, store: TheStore, by: TheActor
) -> ProposalOutput:
    """Withdraw a proposal; one that was accepted leaves the agenda."""
    withdrawn = await store.run(lambda tx: proposals.withdraw(tx, proposal_id, by))
    return _answer(response, withdrawn)


@router.get("/proposals/{proposal_id:uuid}/events", responses=responses(PROPOSAL_NOT_FOUND))
async def list_events(proposal_id: ProposalId, store: TheStore) -> Events:
    """What happened to a proposal, the oldest first."""
    found = await store.run(lambda tx: proposals.history(tx, proposal_id), atomic=False)
    return Events(items=[EventOutput.of(*each) for each in found])


@router.get("/cfp")
async def get_window(store: TheStore) -> WindowOutput:
    """When proposals are taken, and whether that is now."""
    return WindowOutput.of(await store.run(lambda tx: tx.window(), atomic=False), datetime.now(UTC))


@router.put("/cfp")
async def set_window(window: WindowInput, store: TheStore) -> WindowOutput:
    """Set when proposals are taken."""
    new = Window(window.opens_at, window.closes_at)
    await store.run(lambda tx: tx.set_window(new), atomic=False)
    return WindowOutput.of(new, datetime.now(UTC))


@router.get("/deliveries")
async def list_deliveries(
    store: TheStore,
    proposal_id: UUID | None = None,
    state: DeliveryState | None = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> DeliveryPage:
    """What was told and is still to be told to whom, the newest first."""
    found, next_cursor = await store.run(
        lambda tx: deliveries.page(
            tx, proposal_id=proposal_id, state=state, after=cursor, limit=limit
        ),
        atomic=False,
    )
    return DeliveryPage(items=[DeliveryOutput.of(each) for each in found], next_cursor=next_cursor)


@router.post(
    "/deliveries/{delivery_id:uuid}/retry",
    status_code=202,
    responses=responses(DELIVERY_NOT_FOUND, DELIVERY_CHANGED, WRONG_STATE),
)
async def retry_delivery(
    delivery_id: Annotated[UUID, Path()], store: TheStore, seen: RetryInput | None = None
) -> DeliveryOutput:
    """Make a delivery due now: one that was given up, or one to be repeated on purpose.

    With the `attempts` that were seen it happens once, however often it is asked for.
    """
    attempts = seen.attempts if seen else None
    return DeliveryOutput.of(
        await store.run(lambda tx: deliveries.retry(tx, delivery_id, attempts))
    )


@router.get("/consistency-reports")
async def list_reports(store: TheStore) -> Reports:
    """The newest reports of the consistency job, the newest first."""
    found = await store.run(lambda tx: tx.reports(), atomic=False)
    return Reports(items=[Report.model_validate(row, from_attributes=True) for row in found])


@router.put("/consistency-reports")
async def save_report(report: Report, store: TheStore) -> Report:
    """Keep a report; sent again with the same id it replaces itself."""
    row = report.model_dump()
    await store.run(lambda tx: tx.save_report(row))
    return report

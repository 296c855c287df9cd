"""Use cases of speakers and organizers with proposals; each change is one transaction."""

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from prometheus_client import Counter
from uuid_utils.compat import uuid7

from c4p import domain
from c4p.domain import (
    Actor,
    Draft,
    Event,
    Key,
    Proposal,
    ProposalNotFoundError,
    Score,
    State,
    WindowClosedError,
    WrongStateError,
    is_same_address,
)
from c4p.store import call_window, proposals, reviews
from c4p.store.database import Store, StoreUnavailableError, Transaction
from servicekit.telemetry import traceparent

DECISIONS = Counter("decisions_total", "Decisions that are written down", ["decision"])
_DECISIONS = {each: DECISIONS.labels(each) for each in (State.ACCEPTED, State.REJECTED)}


async def submit(store: Store, draft: Draft, key_text: str | None, actor: Actor) -> Proposal:
    """Return a new proposal, or the one that an earlier request with this Idempotency-Key made.

    KeyReusedError when that was another proposal.
    """
    key = _key(key_text, draft) if key_text is not None else None
    now = datetime.now(UTC)
    # Without a key a repeated write would be a second proposal.
    is_atomic = key is None
    return await store.run(lambda tx: _submit(tx, draft, key, actor, now), atomic=is_atomic)


def _key(text: str, draft: Draft) -> Key:
    return Key(text, hashlib.sha256(repr(draft).encode()).hexdigest())


async def _submit(
    transaction: Transaction, draft: Draft, key: Key | None, actor: Actor, now: datetime
) -> Proposal:
    try:
        window = await call_window.read(transaction)
        change = domain.submit(draft, uuid7(), window, actor, now)
    except WindowClosedError:
        # What was submitted in time stays submitted, however late its request is repeated.
        earlier = await proposals.find_by_key(transaction, key) if key else None
        if earlier is None:
            raise
        return earlier
    if await proposals.save(transaction, change, traceparent(), key):
        return change.proposal
    assert key is not None
    earlier = await proposals.find_by_key(transaction, key)
    assert earlier is not None, "keys are never forgotten"
    return earlier


async def get(store: Store, proposal_id: UUID) -> Proposal:
    """Return a proposal, or raise ProposalNotFoundError."""
    return await store.run(lambda tx: proposals.find(tx, proposal_id), atomic=False)


async def is_own(store: Store, proposal_id: UUID, address: str) -> bool:
    """Tell whether there is such a proposal, and its speaker has this email address."""
    try:
        proposal = await get(store, proposal_id)
    except ProposalNotFoundError:
        return False
    return is_same_address(proposal.speaker_email, address)


@dataclass(frozen=True, slots=True)
class ProposalPage:
    """A page of proposals, the score of each that has reviews, and how many match by state."""

    proposals: Sequence[Proposal]
    scores: Mapping[UUID, Score]
    counts: Mapping[State, int]
    next_cursor: UUID | None


async def list_page(
    store: Store, state: State | None, search: str, after: UUID | None, limit: int
) -> ProposalPage:
    """Return proposals, the newest first, by state and by words in them."""

    async def read(transaction: Transaction) -> ProposalPage:
        found, next_cursor = await proposals.list_page(transaction, state, search, after, limit)
        counts = await proposals.count_by_state(transaction, search)
        scores = await reviews.scores(transaction, [each.id for each in found])
        return ProposalPage(found, scores, counts, next_cursor)

    return await store.run(read, atomic=False)


async def list_own(
    store: Store, address: str, proposal_id: UUID | None, after: UUID | None, limit: int
) -> tuple[Sequence[Proposal], UUID | None]:
    """Return a speaker's proposals, the newest first, and the cursor of the next page.

    With `proposal_id` that one alone, if it is among them.
    """
    return await store.run(
        lambda tx: proposals.list_own(tx, address, proposal_id, after, limit), atomic=False
    )


async def edit(
    store: Store,
    proposal_id: UUID,
    versions: Container[int] | None,
    changes: Mapping[str, str],
    actor: Actor,
) -> Proposal:
    """Return the proposal with `changes`.

    StaleEditError unless its version is one of those that the editor read; None is any.
    """
    now = datetime.now(UTC)

    async def work(transaction: Transaction) -> Proposal:
        proposal = await proposals.find(transaction, proposal_id, for_update=True)
        change = domain.edit(proposal, versions, changes, actor, now)
        return await _save(transaction, proposal, change)

    return await store.run(work)


async def decide(
    store: Store, proposal_id: UUID, decision: State, message: str | None, actor: Actor
) -> Proposal:
    """Return the proposal, accepted or rejected; deciding the same again changes nothing."""
    now = datetime.now(UTC)

    async def work(transaction: Transaction) -> Proposal:
        proposal = await proposals.find(transaction, proposal_id, for_update=True)
        change = domain.decide(proposal, decision, message, actor, now)
        if change is not None:
            transaction.on_commit.append(_DECISIONS[decision].inc)
        return await _save(transaction, proposal, change)

    return await store.run(work)


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about one proposal of many."""

    proposal_id: UUID
    state: State
    message: str | None


Refusal = ProposalNotFoundError | WrongStateError | StoreUnavailableError


async def decide_many(
    store: Store, decisions: Sequence[Decision], actor: Actor
) -> Sequence[Proposal | Refusal]:
    """Return for each decision, in their order, the proposal or the error; each stands alone."""
    results: list[Proposal | Refusal] = []
    for each in decisions:
        if results and isinstance(results[-1], StoreUnavailableError):
            # One wait for an unavailable database is enough for all that are left.
            results.append(results[-1])
            continue
        try:
            decided = await decide(store, each.proposal_id, each.state, each.message, actor)
        except (ProposalNotFoundError, WrongStateError, StoreUnavailableError) as error:
            results.append(error)
        else:
            results.append(decided)
    return results


async def withdraw(store: Store, proposal_id: UUID, actor: Actor) -> Proposal:
    """Return the proposal, withdrawn; withdrawing again changes nothing."""
    now = datetime.now(UTC)

    async def work(transaction: Transaction) -> Proposal:
        proposal = await proposals.find(transaction, proposal_id, for_update=True)
        return await _save(transaction, proposal, domain.withdraw(proposal, actor, now))

    return await store.run(work)


async def list_events(store: Store, proposal_id: UUID) -> Sequence[tuple[UUID, Event]]:
    """Return the events of a proposal, the oldest first, each with its id.

    ProposalNotFoundError when there is none.
    """

    async def read(transaction: Transaction) -> Sequence[tuple[UUID, Event]]:
        await proposals.find(transaction, proposal_id)
        return await proposals.list_events(transaction, proposal_id)

    return await store.run(read, atomic=False)


async def _save(
    transaction: Transaction, before: Proposal, change: domain.Change | None
) -> Proposal:
    if change is None:
        return before
    await proposals.save(transaction, change, traceparent())
    return change.proposal

"""What speakers and organizers do with proposals: one function a use case, each one transaction."""

import hashlib
from collections.abc import Container, Mapping, Sequence
from uuid import UUID

from prometheus_client import Counter
from uuid_utils.compat import uuid7

from c4p import domain
from c4p.domain import By, Draft, Event, Proposal, State, WindowClosedError
from c4p.store import Key, Transaction
from servicekit.telemetry import traceparent

DECISIONS = Counter("decisions_total", "Decisions that are written down", ["decision"])
_DECISIONS = {each: DECISIONS.labels(each) for each in (State.ACCEPTED, State.REJECTED)}


async def submit(transaction: Transaction, draft: Draft, key_text: str | None, by: By) -> Proposal:
    """The new proposal, or the one that a request with this key made before.

    KeyReusedError when that was another proposal.
    """
    key = _key(key_text, draft) if key_text is not None else None
    try:
        change = domain.submit(draft, uuid7(), await transaction.window(), by)
    except WindowClosedError:
        # What was submitted in time stays submitted, however late its request is repeated.
        earlier = await transaction.key_owner(key) if key else None
        if earlier is None:
            raise
        return earlier
    if await transaction.save(change, traceparent(), key):
        return change.proposal
    assert key is not None
    earlier = await transaction.key_owner(key)
    assert earlier is not None, "keys are never forgotten"
    return earlier


def _key(text: str, draft: Draft) -> Key:
    return Key(text, hashlib.sha256(repr(draft).encode()).hexdigest())


async def edit(
    transaction: Transaction,
    proposal_id: UUID,
    versions: Container[int] | None,
    changes: Mapping[str, str],
    by: By,
) -> Proposal:
    """The proposal with `changes` to one of the versions that the editor read; None is any."""
    proposal = await transaction.proposal(proposal_id, for_update=True)
    return await _save(transaction, proposal, domain.edit(proposal, versions, changes, by))


async def decide(
    transaction: Transaction,
    proposal_id: UUID,
    decision: State,
    message: str | None,
    by: By,
) -> Proposal:
    """The proposal, accepted or rejected; deciding the same again changes nothing."""
    proposal = await transaction.proposal(proposal_id, for_update=True)
    change = domain.decide(proposal, decision, message, by)
    if change is not None:
        transaction.on_commit.append(_DECISIONS[decision].inc)
    return await _save(transaction, proposal, change)


async def withdraw(transaction: Transaction, proposal_id: UUID, by: By) -> Proposal:
    """The proposal, withdrawn; withdrawing again changes nothing."""
    proposal = await transaction.proposal(proposal_id, for_update=True)
    return await _save(transaction, proposal, domain.withdraw(proposal, by))


async def history(transaction: Transaction, proposal_id: UUID) -> Sequence[tuple[UUID, Event]]:
    """What happened to the proposal, the oldest first, each event with its id."""
    await transaction.proposal(proposal_id)
    return await transaction.events(proposal_id)


async def _save(
    transaction: Transaction, before: Proposal, change: domain.Change | None
) -> Proposal:
    if change is None:
        return before
    await transaction.save(change, traceparent())
    return change.proposal

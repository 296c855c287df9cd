"""What speakers and organizers do with proposals: one function a use case, each one transaction."""

import hashlib
from collections.abc import Mapping, Sequence
from uuid import UUID

from uuid_utils.compat import uuid7

from c4p import domain
from c4p.domain import By, Draft, Event, Proposal, State
from c4p.store import Transaction
from servicekit.telemetry import traceparent


class KeyReusedError(Exception):
    """The Idempotency-Key came before, with another request."""


async def submit(transaction: Transaction, draft: Draft, key: str | None, by: By) -> Proposal:
    """The new proposal, or the one that this key made before."""
    proposal_id = uuid7()
    if key is not None:
        request_hash = hashlib.sha256(repr(draft).encode()).hexdigest()
        owner, owners_hash = await transaction.claim_key(key, request_hash, proposal_id, by.at)
        if owners_hash != request_hash:
            raise KeyReusedError("This Idempotency-Key came before with another proposal.")
        if owner != proposal_id:
            return await transaction.proposal(owner)
    change = domain.submit(draft, proposal_id, await transaction.window(), by)
    await transaction.save(change, traceparent())
    return change.proposal


async def edit(
    transaction: Transaction,
    proposal_id: UUID,
    version: int | None,
    changes: Mapping[str, str],
    by: By,
) -> Proposal:
    """The proposal with `changes` to the version that the editor read."""
    proposal = await transaction.proposal(proposal_id, for_update=True)
    return await _save(transaction, proposal, domain.edit(proposal, version, changes, by))


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

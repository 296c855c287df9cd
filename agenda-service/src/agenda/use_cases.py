"""The use cases of agenda-service: put sessions on the agenda, find, move and remove them.

The list of all sessions is answered from memory: see `agenda.page_cache`.
"""

from datetime import UTC, datetime
from uuid import UUID

import structlog

from agenda.domain import (
    Actor,
    Move,
    Schedule,
    Session,
    SessionNotFoundError,
    Talk,
    UnknownSlotError,
)
from agenda.store import Store

log = structlog.get_logger()


async def put_session(store: Store, schedule: Schedule, talk: Talk) -> tuple[Session, bool]:
    """Put a talk on the agenda; return its session, and True if it is new there.

    A talk that has a slot keeps it, any other gets the first free one. Raise AgendaFullError when
    there is none, StaleVersionError when a newer version of the proposal was seen before.
    """
    slot_id, is_new = await store.put_talk(talk, schedule)
    return talk.in_slot(schedule.find_slot(slot_id)), is_new


async def find_session(store: Store, schedule: Schedule, proposal_id: UUID) -> Session:
    """Return the session of a proposal, or raise SessionNotFoundError."""
    slot_id, talk = await store.find_talk(proposal_id)
    try:
        return talk.in_slot(schedule.find_slot(slot_id))
    except UnknownSlotError:
        # The schedule has lost the slot since; the session gets another one when it is put again.
        raise SessionNotFoundError(proposal_id) from None


async def move_session(
    store: Store, schedule: Schedule, proposal_id: UUID, slot_id: str, actor: Actor
) -> Session:
    """Move a session to a free slot, record who did it, and return the session.

    Raise UnknownSlotError, SessionNotFoundError or SlotTakenError.
    """
    slot = schedule.find_slot(slot_id)
    talk = await store.move_talk(proposal_id, slot.id, Move(actor, datetime.now(UTC)))
    log.info("audit", action="session moved", subject=actor.subject, proposal=str(proposal_id))
    return talk.in_slot(slot)


async def find_last_move(store: Store, proposal_id: UUID) -> Move | None:
    """Return a session's last move, None if there was none, or raise SessionNotFoundError."""
    await store.find_talk(proposal_id)
    return await store.find_last_move(proposal_id)


async def remove_session(store: Store, proposal_id: UUID, version: int | None) -> None:
    """Remove the session of a proposal, if there is one.

    Raise StaleVersionError when a newer version than `version` was seen before; None removes the
    session whatever its version.
    """
    await store.remove_talk(proposal_id, version)

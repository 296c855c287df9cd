"""Puts sessions on the agenda, finds and moves them, and takes them off."""

from uuid import UUID

import structlog

from agenda.domain import Mover, Schedule, Session, SessionNotFoundError, Talk, UnknownSlotError
from agenda.store import Store

log = structlog.get_logger()


class Planning:
    """What may be done with single sessions; what is kept meets the schedule here."""

    def __init__(self, store: Store, schedule: Schedule) -> None:
        self._store = store
        self._schedule = schedule

    async def put(self, talk: Talk) -> tuple[Session, bool]:
        """The session of `talk`, and whether it is new; one that has a slot keeps it.

        AgendaFullError, or StaleVersionError when a newer version was seen.
        """
        slot_id, is_new = await self._store.put(talk, self._schedule)
        return talk.at(self._schedule.slot(slot_id)), is_new

    async def find(self, proposal_id: UUID) -> Session:
        """The session of a proposal, or SessionNotFoundError."""
        slot_id, talk = await self._store.find(proposal_id)
        try:
            return talk.at(self._schedule.slot(slot_id))
        except UnknownSlotError:
            raise SessionNotFoundError(proposal_id) from None

    async def move(self, proposal_id: UUID, slot_id: str, by: Mover) -> Session:
        """The session in its new slot; UnknownSlotError, SessionNotFoundError, SlotTakenError."""
        slot = self._schedule.slot(slot_id)
        talk = await self._store.move(proposal_id, slot.id, by)
        log.info("audit", action="session moved", subject=by.subject, proposal=str(proposal_id))
        return talk.at(slot)

    async def last_move(self, proposal_id: UUID) -> Mover | None:
        """Who moved the session last; None when nobody has, or SessionNotFoundError."""
        await self._store.find(proposal_id)
        return await self._store.last_move(proposal_id)

    async def remove(self, proposal_id: UUID, version: int | None) -> None:
        """Take the session off, if there is one; StaleVersionError when a newer one was seen."""
        await self._store.remove(proposal_id, version)

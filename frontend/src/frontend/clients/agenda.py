"""agenda-service, typed: what this one asks it."""

from uuid import UUID

from frontend.clients.client import Client, segment
from frontend.clients.schemas import Move, Mover, Schedule, Session, SessionList


class Agenda(Client):
    """agenda-service."""

    async def sessions(self) -> SessionList:
        """The agenda as it is now, past every cache."""
        return await self._call(SessionList, "GET", "/sessions")

    async def session(self, proposal_id: UUID | str) -> Session:
        """One session."""
        return await self._call(Session, "GET", f"/sessions/{segment(proposal_id)}")

    async def schedule(self) -> Schedule:
        """The days, rooms and slots."""
        return await self._call(Schedule, "GET", "/schedule")

    async def move(self, proposal_id: UUID | str, slot_id: str) -> Session:
        """Move a session to a free slot; `slot-taken` has `taken_by`, `taken_by_title`."""
        path = f"/sessions/{segment(proposal_id)}/slot"
        return await self._call(Session, "PUT", path, json={"slot_id": slot_id})

    async def last_move(self, proposal_id: UUID | str) -> Mover | None:
        """Return who moved a session last; None when nobody has."""
        path = f"/sessions/{segment(proposal_id)}/move"
        return (await self._call(Move, "GET", path)).moved

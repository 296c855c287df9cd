"""The services as the job asks and tells them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

import httpx2
import orjson
from pydantic import BaseModel, RootModel

from consistency.domain import (
    Delivery,
    Email,
    Patience,
    Proposal,
    RemoveSession,
    Session,
    Slot,
    Snapshot,
)
from servicekit import problems
from servicekit.http import Credentials, Neighbour, NeighbourUnavailableError

PAGE_SIZE = 200

ItemT = TypeVar("ItemT")


class Page(BaseModel, Generic[ItemT]):
    """A part of a list; the next part starts at `next_cursor`."""

    items: list[ItemT]
    next_cursor: str | None = None


class Schedule(BaseModel):
    """All slots there are."""

    slots: list[Slot]


class C4p:
    """c4p-service: the proposals, which are the source of truth, and what was told of them."""

    def __init__(self, neighbour: Neighbour) -> None:
        self._neighbour = neighbour

    async def proposals(self) -> Sequence[Proposal]:
        """All of them."""
        return await self._all("/proposals", Page[Proposal])

    async def proposal(self, proposal_id: UUID) -> Proposal | None:
        """One of them; None if there is no such proposal."""
        answer = await self._neighbour.request("GET", f"/proposals/{proposal_id}")
        if answer.status_code == 404:
            return None
        found = self._neighbour.parse(RootModel[Proposal], _succeeded(self._neighbour, answer))
        return found.root

    async def deliveries(self) -> Sequence[Delivery]:
        """All of them."""
        return await self._all("/deliveries", Page[Delivery])

    async def deliveries_of(self, proposal_id: UUID) -> Sequence[Delivery]:
        """Those of one proposal."""
        return await self._all("/deliveries", Page[Delivery], {"proposal_id": str(proposal_id)})

    async def retry(self, delivery_id: UUID) -> bool:
        """Whether a call is made again: not when it is unknown or what it tells no longer holds."""
        answer = await self._neighbour.request("POST", f"/deliveries/{delivery_id}/retry")
        if answer.status_code in {404, 409}:
            return False
        _succeeded(self._neighbour, answer)
        return True

    async def save_report(self, report: Mapping[str, Any]) -> None:
        """Keep what a run has found, for the back office."""
        answer = await self._neighbour.request("PUT", "/consistency-reports", json=report)
        _succeeded(self._neighbour, answer)

    async def _all(
        self, path: str, kind: type[Page[ItemT]], params: Mapping[str, str] | None = None
    ) -> Sequence[ItemT]:
        found: list[ItemT] = []
        query: dict[str, str | int] = {"limit": PAGE_SIZE, **(params or {})}
        while True:
            answer = await self._neighbour.request("GET", path, params=query)
            page = self._neighbour.parse(kind, _succeeded(self._neighbour, answer))
            found.extend(page.items)
            if page.next_cursor is None:
                return found
            query["cursor"] = page.next_cursor


class Agenda:
    """agenda-service: the sessions and the slots."""

    def __init__(self, neighbour: Neighbour) -> None:
        self._neighbour = neighbour

    async def sessions(self) -> Sequence[Session]:
        """All of them, by start."""
        answer = await self._neighbour.request("GET", "/sessions")
        return self._neighbour.parse(Page[Session], _succeeded(self._neighbour, answer)).items

    async def slots(self) -> Sequence[Slot]:
        """All of them, by start."""
        answer = await self._neighbour.request("GET", "/schedule")
        return self._neighbour.parse(Schedule, _succeeded(self._neighbour, answer)).slots

    async def remove(self, what: RemoveSession) -> None:
        """Take a session off; nothing happens when the agenda has heard of a newer version."""
        answer = await self._neighbour.request(
            "DELETE",
            f"/sessions/{what.proposal_id}",
            params={} if what.version is None else {"version": what.version},
        )
        if answer.status_code != 409:
            _succeeded(self._neighbour, answer)


class EmailService:
    """email-service: its ledger, and the mail to the organizers."""

    def __init__(self, neighbour: Neighbour) -> None:
        self._neighbour = neighbour

    async def mails_about(self, proposal_id: UUID) -> Sequence[Email]:
        """What the ledger has under a proposal."""
        answer = await self._neighbour.request(
            "GET", "/emails", params={"reference": str(proposal_id)}
        )
        return self._neighbour.parse(Page[Email], _succeeded(self._neighbour, answer)).items

    async def send(self, mail: Mapping[str, Any], key: str) -> None:
        """Send a mail unless one went out under this key."""
        answer = await self._neighbour.request(
            "POST", "/emails", json=mail, headers={"Idempotency-Key": key}
        )
        # The key stands for the findings; their words may have changed since they were mailed.
        if _problem_type(answer) != "urn:problem:idempotency-key-reused":
            _succeeded(self._neighbour, answer)


class Services:
    """All that the job talks to; a context that gives the connections back."""

    def __init__(
        self,
        c4p_url: str,
        agenda_url: str,
        email_url: str,
        *,
        timeout_seconds: float,
        credentials: Credentials | None = None,
        for_email: Credentials | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """`credentials` are for all but email-service, which takes none but its own."""
        receivers = {
            "c4p-service": (c4p_url, credentials),
            "agenda-service": (agenda_url, credentials),
            "email-service": (email_url, for_email),
        }
        c4p, agenda, email = self._neighbours = tuple(
            Neighbour(
                name,
                url,
                timeout_seconds=timeout_seconds,
                transport=transport,
                credentials=shown,
            )
            for name, (url, shown) in receivers.items()
        )
        self.c4p = C4p(c4p)
        self.agenda = Agenda(agenda)
        self.email = EmailService(email)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for neighbour in self._neighbours:
            await neighbour.close()

    async def snapshot(self, patience: Patience) -> Snapshot:
        """What all of them say now, in the order that `Snapshot` explains."""
        begun_at = datetime.now(UTC)
        sessions = await self.agenda.sessions()
        slots = await self.agenda.slots()
        return await self._with_emails(
            Snapshot(
                begun_at=begun_at,
                patience=patience,
                sessions={each.proposal_id: each for each in sessions},
                slots=slots,
                proposals={each.id: each for each in await self.c4p.proposals()},
                deliveries=await self.c4p.deliveries(),
            )
        )

    async def part(self, proposal_ids: Collection[UUID], patience: Patience) -> Snapshot:
        """What all of them say now about these proposals alone; the slots are left out."""
        begun_at = datetime.now(UTC)
        sessions = await self.agenda.sessions()
        found = [await self.c4p.proposal(each) for each in proposal_ids]
        deliveries = [await self.c4p.deliveries_of(each) for each in proposal_ids]
        return await self._with_emails(
            Snapshot(
                begun_at=begun_at,
                patience=patience,
                sessions={
                    each.proposal_id: each for each in sessions if each.proposal_id in proposal_ids
                },
                proposals={each.id: each for each in found if each is not None},
                deliveries=list(chain.from_iterable(deliveries)),
            )
        )

    async def _with_emails(self, snapshot: Snapshot) -> Snapshot:
        try:
            emails = {each.id: await self.email.mails_about(each.id) for each in snapshot.untold()}
        except NeighbourUnavailableError as error:
            # It is down to one of the checks; what the others find can be repaired meanwhile.
            return replace(snapshot, unread=str(error))
        return replace(snapshot, emails=emails)


def _succeeded(neighbour: Neighbour, answer: httpx2.Response) -> httpx2.Response:
    """`answer`, or NeighbourUnavailableError when it is no success."""
    if not answer.is_success:
        raise NeighbourUnavailableError(neighbour.name, f"it answered {answer.status_code}")
    return answer


def _problem_type(answer: httpx2.Response) -> str:
    if answer.headers.get("content-type") != problems.MEDIA_TYPE:
        return ""
    try:
        return str(orjson.loads(answer.content)["type"])
    except (ValueError, LookupError, TypeError):
        return ""

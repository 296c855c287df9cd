"""The clients of the services that the job reads and repairs."""

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
    Proposal,
    RemoveSession,
    Session,
    Slot,
    Snapshot,
    Tolerances,
)
from servicekit import problems
from servicekit.http import Credentials, Neighbour, NeighbourUnavailableError

PAGE_SIZE = 200

ItemT = TypeVar("ItemT")


class Page(BaseModel, Generic[ItemT]):
    """A page of a list; the next page starts at `next_cursor`, None after the last."""

    items: list[ItemT]
    next_cursor: str | None = None


class Schedule(BaseModel):
    """The slots of the schedule, as agenda-service has them."""

    slots: list[Slot]


class C4pClient:
    """A client of c4p-service: the proposals, which are the source of truth, and deliveries."""

    def __init__(self, neighbour: Neighbour) -> None:
        self._neighbour = neighbour

    async def list_proposals(self) -> Sequence[Proposal]:
        """Return all proposals."""
        return await self._list_all("/proposals", Page[Proposal])

    async def find_proposal(self, proposal_id: UUID) -> Proposal | None:
        """Return a proposal, or None if there is no such proposal."""
        answer = await self._neighbour.request("GET", f"/proposals/{proposal_id}")
        if answer.status_code == 404:
            return None
        found = self._neighbour.parse(
            RootModel[Proposal], _require_success(self._neighbour, answer)
        )
        return found.root

    async def list_deliveries(self) -> Sequence[Delivery]:
        """Return all deliveries."""
        return await self._list_all("/deliveries", Page[Delivery])

    async def list_deliveries_of(self, proposal_id: UUID) -> Sequence[Delivery]:
        """Return the deliveries of a proposal."""
        return await self._list_all(
            "/deliveries", Page[Delivery], {"proposal_id": str(proposal_id)}
        )

    async def retry_delivery(self, delivery_id: UUID) -> bool:
        """Let c4p-service make a call again.

        Return False if it does not: the delivery is unknown, or its decision no longer holds.
        """
        answer = await self._neighbour.request("POST", f"/deliveries/{delivery_id}/retry")
        if answer.status_code in {404, 409}:
            return False
        _require_success(self._neighbour, answer)
        return True

    async def save_report(self, report: Mapping[str, Any]) -> None:
        """Save the report of a run, for the back office."""
        answer = await self._neighbour.request("PUT", "/consistency-reports", json=report)
        _require_success(self._neighbour, answer)

    async def _list_all(
        self, path: str, kind: type[Page[ItemT]], params: Mapping[str, str] | None = None
    ) -> Sequence[ItemT]:
        found: list[ItemT] = []
        query: dict[str, str | int] = {"limit": PAGE_SIZE, **(params or {})}
        while True:
            answer = await self._neighbour.request("GET", path, params=query)
            page = self._neighbour.parse(kind, _require_success(self._neighbour, answer))
            found.extend(page.items)
            if page.next_cursor is None:
                return found
            query["cursor"] = page.next_cursor


class AgendaClient:
    """A client of agenda-service: the sessions and the slots."""

    def __init__(self, neighbour: Neighbour) -> None:
        self._neighbour = neighbour

    async def list_sessions(self) -> Sequence[Session]:
        """Return all sessions, ordered by start."""
        answer = await self._neighbour.request("GET", "/sessions")
        return self._neighbour.parse(Page[Session], _require_success(self._neighbour, answer)).items

    async def list_slots(self) -> Sequence[Slot]:
        """Return all slots, ordered by start."""
        answer = await self._neighbour.request("GET", "/schedule")
        return self._neighbour.parse(Schedule, _require_success(self._neighbour, answer)).slots

    async def remove_session(self, repair: RemoveSession) -> None:
        """Remove a session; nothing happens when the agenda knows a newer version of it."""
        answer = await self._neighbour.request(
            "DELETE",
            f"/sessions/{repair.proposal_id}",
            params={} if repair.version is None else {"version": repair.version},
        )
        if answer.status_code != 409:
            _require_success(self._neighbour, answer)


class EmailClient:
    """A client of email-service: its ledger, and the mail to the organizers."""

    def __init__(self, neighbour: Neighbour) -> None:
        self._neighbour = neighbour

    async def list_emails(self, proposal_id: UUID) -> Sequence[Email]:
        """Return the mails in the ledger about a proposal."""
        answer = await self._neighbour.request(
            "GET", "/emails", params={"reference": str(proposal_id)}
        )
        return self._neighbour.parse(Page[Email], _require_success(self._neighbour, answer)).items

    async def send_email(self, mail: Mapping[str, Any], key: str) -> None:
        """Send a mail unless one was sent under this key before."""
        answer = await self._neighbour.request(
            "POST", "/emails", json=mail, headers={"Idempotency-Key": key}
        )
        # The key stands for the findings; their sentences may have changed since they were mailed.
        if _problem_type(answer) != "urn:problem:idempotency-key-reused":
            _require_success(self._neighbour, answer)


class Services:
    """The clients of all services; as a context manager it closes their connections."""

    def __init__(
        self,
        c4p_url: str,
        agenda_url: str,
        email_url: str,
        *,
        timeout_seconds: float,
        credentials: Credentials | None = None,
        email_credentials: Credentials | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """`credentials` are for c4p-service and agenda-service; email-service takes others."""
        services = {
            "c4p-service": (c4p_url, credentials),
            "agenda-service": (agenda_url, credentials),
            "email-service": (email_url, email_credentials),
        }
        c4p, agenda, email = self._neighbours = tuple(
            Neighbour(
                name,
                url,
                timeout_seconds=timeout_seconds,
                transport=transport,
                credentials=own,
            )
            for name, (url, own) in services.items()
        )
        self.c4p = C4pClient(c4p)
        self.agenda = AgendaClient(agenda)
        self.email = EmailClient(email)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for neighbour in self._neighbours:
            await neighbour.close()

    async def take_snapshot(self, tolerances: Tolerances) -> Snapshot:
        """Return the state of all services, read in the order that `Snapshot` explains."""
        started_at = datetime.now(UTC)
        sessions = await self.agenda.list_sessions()
        slots = await self.agenda.list_slots()
        return await self._with_emails(
            Snapshot(
                started_at=started_at,
                tolerances=tolerances,
                sessions={each.proposal_id: each for each in sessions},
                slots=slots,
                proposals={each.id: each for each in await self.c4p.list_proposals()},
                deliveries=await self.c4p.list_deliveries(),
            )
        )

    async def take_partial_snapshot(
        self, proposal_ids: Collection[UUID], tolerances: Tolerances
    ) -> Snapshot:
        """Return the state of all services about these proposals alone, without the slots."""
        started_at = datetime.now(UTC)
        sessions = await self.agenda.list_sessions()
        found = [await self.c4p.find_proposal(each) for each in proposal_ids]
        deliveries = [await self.c4p.list_deliveries_of(each) for each in proposal_ids]
        return await self._with_emails(
            Snapshot(
                started_at=started_at,
                tolerances=tolerances,
                sessions={
                    each.proposal_id: each for each in sessions if each.proposal_id in proposal_ids
                },
                proposals={each.id: each for each in found if each is not None},
                deliveries=list(chain.from_iterable(deliveries)),
            )
        )

    async def _with_emails(self, snapshot: Snapshot) -> Snapshot:
        try:
            emails = {
                each.id: await self.email.list_emails(each.id)
                for each in snapshot.proposals_to_look_up()
            }
        except NeighbourUnavailableError as error:
            # Only one of the checks needs the ledger; what the others find can be repaired.
            return replace(snapshot, ledger_error=str(error))
        return replace(snapshot, emails=emails)


def _require_success(neighbour: Neighbour, answer: httpx2.Response) -> httpx2.Response:
    """Return `answer`, or raise NeighbourUnavailableError when it is no success."""
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

"""The clients of the other services, for the outbox and for organizers."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

import httpx2
from pydantic import BaseModel

from c4p.domain import Delivery, Proposal
from c4p.links import Links
from servicekit.http import Neighbour, NeighbourUnavailableError

_TRY_LATER = frozenset({401, 403, 408, 425, 429})
"""The statuses after which a call may succeed later; a missing role, too, is repaired by a person
while the call waits."""

LOOKUP_TIMEOUT_SECONDS = 1.5
"""The timeout of a call for which an organizer waits; less than the frontend's own."""


class TryLaterError(Exception):
    """The other service could not do it now; the same call may succeed later."""


class RefusedError(Exception):
    """The other service refuses the call, however often it is made."""


class AgendaClient:
    """A client of agenda-service: puts and removes sessions."""

    def __init__(self, neighbour: Neighbour) -> None:
        self._neighbour = neighbour

    async def put(self, proposal: Proposal) -> None:
        """Give the proposal a slot, or its newest text to the session that has one."""
        session = {
            "title": proposal.title,
            "abstract": proposal.abstract,
            "speaker": proposal.speaker_name,
            "version": proposal.version,
        }
        answer = await self._neighbour.request("PUT", f"/sessions/{proposal.id}", json=session)
        _check(answer, 200, 201, naming={"proposal_id": str(proposal.id)})

    async def remove(self, proposal: Proposal) -> None:
        """Take the proposal off the agenda."""
        params = {"version": proposal.version}
        answer = await self._neighbour.request("DELETE", f"/sessions/{proposal.id}", params=params)
        _check(answer, 204)


class SentEmail(BaseModel):
    """A mail as email-service remembers it; `to` is masked, `sent_at` None while it is sent."""

    key: str
    template: str
    to: str
    reference: str
    state: Literal["sending", "sent"]
    sent_at: datetime | None


class EmailList(BaseModel):
    """The mails about a proposal."""

    items: list[SentEmail]


class EmailClient:
    """A client of email-service: mails speakers, and lists the mails that were sent."""

    def __init__(self, neighbour: Neighbour, links: Links) -> None:
        self._neighbour = neighbour
        self._links = links

    async def send(self, delivery: Delivery) -> None:
        """Send the mail of a delivery; the same delivery is the same mail to the last letter."""
        link = self._links.link(delivery.proposal_id, delivery.created_at)
        mail = {
            "template": f"proposal-{delivery.kind}",
            "to": delivery.data["to"],
            "reference": str(delivery.proposal_id),
            "data": {**delivery.data["data"], "link": link},
        }
        headers = {"Idempotency-Key": delivery.key}
        answer = await self._neighbour.request("POST", "/emails", json=mail, headers=headers)
        _check(answer, 202, naming={"key": delivery.key})

    async def list_about(self, proposal_id: UUID) -> Sequence[SentEmail]:
        """Return the newest mails about a proposal, at most 100.

        NeighbourUnavailableError when email-service can't tell them in LOOKUP_TIMEOUT_SECONDS.
        """
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_SECONDS):
                answer = await self._neighbour.request(
                    "GET", "/emails", params={"reference": str(proposal_id)}
                )
        except TimeoutError as error:
            raise NeighbourUnavailableError(self._neighbour.name, "it took too long") from error
        if not answer.is_success:
            raise NeighbourUnavailableError(
                self._neighbour.name, f"it answered {answer.status_code}"
            )
        return self._neighbour.parse(EmailList, answer).items


def _check(
    response: httpx2.Response, *successes: int, naming: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Raise TryLaterError or RefusedError unless the call succeeded or was overtaken.

    A success names what it is about, a refusal is a problem. Anything else was answered by
    something in between, such as a proxy while the service is replaced, and settles nothing.
    """
    status, document = response.status_code, _document(response)
    if status in successes and naming.items() <= document.items():
        return
    kind = str(document.get("type", ""))
    if kind == "urn:problem:stale-version":
        # A newer change of the same proposal has arrived already: this one is history.
        return
    if not kind.startswith("urn:problem:"):
        raise TryLaterError(f"An answer {status} that is not the service's own.")
    reason = f"{status} {document.get('detail', 'without a reason')}"[:500]
    if response.is_server_error or status in _TRY_LATER or kind == "urn:problem:sending-now":
        raise TryLaterError(reason)
    raise RefusedError(reason)


def _document(response: httpx2.Response) -> Mapping[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}

"""The other services, as the outbox calls them and organizers ask about them."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

import httpx2
from pydantic import BaseModel

from c4p.domain import Delivery, Proposal
from servicekit.http import Neighbour, NeighbourUnavailableError
from servicekit.security import Signer

_TRY_LATER = frozenset({401, 403, 408, 425, 429})
"""With them what others may put right: an identity or a role of ours too, which a person repairs
while the call waits."""


LOOK_SECONDS = 1.5
"""How long somebody who looks waits for another service; less than the frontend's own limit."""


class TryLaterError(Exception):
    """The neighbour could not do it now; the same call may succeed later."""


class RefusedError(Exception):
    """The neighbour won't do it, however often it is asked."""


class Links:
    """The links that let speakers return to their proposals, signed and with an end."""

    def __init__(self, key: str, public_url: str, days: int) -> None:
        self.signer = Signer(key, "proposal")
        self._public_url = public_url.rstrip("/")
        self._validity = timedelta(days=days)

    def link(self, proposal_id: UUID, since: datetime) -> str:
        """The address of a proposal's page for its speaker."""
        token = self.signer.sign({"proposal": str(proposal_id)}, since + self._validity)
        return f"{self._public_url}/proposals/{proposal_id}?token={token}"


class AgendaClient:
    """agenda-service: puts and removes sessions."""

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
    """email-service: mails speakers, and remembers which mails went out."""

    def __init__(self, neighbour: Neighbour, links: Links) -> None:
        self._neighbour = neighbour
        self._links = links

    async def send(self, delivery: Delivery) -> None:
        """Mail what `delivery` tells; the same delivery is the same mail to the last letter."""
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

    async def about(self, proposal_id: UUID) -> EmailList:
        """Return the newest mails about a proposal, at most 100, or raise
        NeighbourUnavailableError.
        """
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                answer = await self._neighbour.request(
                    "GET", "/emails", params={"reference": str(proposal_id)}
                )
        except TimeoutError as error:
            raise NeighbourUnavailableError(self._neighbour.name, "it took too long") from error
        if not answer.is_success:
            raise NeighbourUnavailableError(
                self._neighbour.name, f"it answered {answer.status_code}"
            )
        return self._neighbour.parse(EmailList, answer)


def _check(
    response: httpx2.Response, *successes: int, naming: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Nothing for a success or an overtaken call, else the exception that says what to do.

    A success names what it is about, a refusal is a problem. Anything else was said by somebody
    in between, such as a proxy while the service is replaced, and settles nothing.
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

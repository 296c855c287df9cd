"""The other services as the outbox calls them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2

from c4p.domain import Delivery, Proposal
from servicekit.http import Neighbour
from servicekit.security import Signer

_TRY_LATER = frozenset({408, 425, 429})


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
        _check(await self._neighbour.request("PUT", f"/sessions/{proposal.id}", json=session))

    async def remove(self, proposal: Proposal) -> None:
        """Take the proposal off the agenda."""
        params = {"version": proposal.version}
        _check(await self._neighbour.request("DELETE", f"/sessions/{proposal.id}", params=params))


class EmailClient:
    """email-service: mails speakers."""

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
        _check(await self._neighbour.request("POST", "/emails", json=mail, headers=headers))


def _check(response: httpx2.Response) -> None:
    """Nothing for a success or an overtaken call, else the exception that says what to do."""
    if response.is_success:
        return
    problem = _problem(response)
    kind = str(problem.get("type", ""))
    if kind == "urn:problem:stale-version":
        # A newer change of the same proposal has arrived already: this one is history.
        return
    reason = f"{response.status_code} {problem.get('detail', 'without a reason')}"[:500]
    if response.is_server_error or response.status_code in _TRY_LATER:
        raise TryLaterError(reason)
    if kind == "urn:problem:sending-now":
        raise TryLaterError(reason)
    raise RefusedError(reason)


def _problem(response: httpx2.Response) -> Mapping[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}

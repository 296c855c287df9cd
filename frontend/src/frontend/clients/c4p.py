"""c4p-service, typed: what this one asks it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from frontend.clients.client import Client, segment
from frontend.clients.schemas import (
    Decided,
    DecisionResult,
    DecisionResults,
    Delivery,
    DeliveryPage,
    DeliveryState,
    EmailList,
    Event,
    EventList,
    OwnProposals,
    Proposal,
    ProposalPage,
    Report,
    ReportList,
    Review,
    ReviewList,
    SentEmail,
    Window,
)

ADDRESS_NOT_VERIFIED = "address-not-verified"
"""What c4p-service says to who has no address of which it could know the proposals."""


class C4p(Client):
    """c4p-service. A `token` is that of a speaker's link; all but the open call needs it, or a
    person for whom the client acts.
    """

    async def submit(self, form: Mapping[str, str], key: str | None = None) -> Proposal:
        """Hand in a proposal: title, abstract, speaker_name, speaker_email. The same `key` twice
        hands in once.
        """
        headers = {"Idempotency-Key": key} if key else {}
        return await self._call(Proposal, "POST", "/proposals", json=dict(form), headers=headers)

    async def proposal(self, proposal_id: UUID | str, token: str | None = None) -> Proposal:
        """One proposal."""
        path = f"/proposals/{segment(proposal_id)}"
        return await self._call(Proposal, "GET", path, headers=_link(token))

    async def edit(
        self,
        proposal_id: UUID | str,
        version: int,
        changes: Mapping[str, str],
        token: str | None = None,
    ) -> Proposal:
        """Change title, abstract or speaker_name of the `version` that the editor saw;
        `stale-edit` has the member `current`.
        """
        path = f"/proposals/{segment(proposal_id)}"
        headers = {**_link(token), "If-Match": f'"{version}"'}
        return await self._call(Proposal, "PATCH", path, json=dict(changes), headers=headers)

    async def withdraw(self, proposal_id: UUID | str, token: str | None = None) -> Proposal:
        """Take a proposal back."""
        path = f"/proposals/{segment(proposal_id)}/withdrawal"
        return await self._call(Proposal, "POST", path, headers=_link(token))

    async def proposals(
        self,
        state: str | None = None,
        q: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> ProposalPage:
        """A page of proposals, newest first; `q` searches them."""
        params = _given(state=state, q=q, cursor=cursor)
        return await self._call(
            ProposalPage, "GET", "/proposals", params={**params, "limit": limit}
        )

    async def own_proposals(
        self,
        proposal_id: UUID | str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> OwnProposals:
        """Those under the verified address of whom the client acts for, newest first; with
        `proposal_id` that one alone, if it is theirs. `address-not-verified` where there is none.
        """
        subject = None if proposal_id is None else str(proposal_id)
        params = _given(proposal_id=subject, cursor=cursor)
        return await self._call(
            OwnProposals, "GET", "/me/proposals", params={**params, "limit": limit}
        )

    async def decide_many(
        self,
        proposal_ids: Sequence[UUID | str],
        decision: Decided,
        message: str | None,
    ) -> tuple[DecisionResult, ...]:
        """Decide 1 to 100 proposals alike; each has its own result."""
        decisions = [
            {"proposal_id": str(each), "decision": decision, "message": message}
            for each in proposal_ids
        ]
        answer = await self._call(
            DecisionResults,
            "POST",
            "/proposals/decisions",
            json={"decisions": decisions},
        )
        return answer.results

    async def events(self, proposal_id: UUID | str) -> tuple[Event, ...]:
        """The history of a proposal."""
        path = f"/proposals/{segment(proposal_id)}/events"
        return (await self._call(EventList, "GET", path)).items

    async def emails(self, proposal_id: UUID | str) -> tuple[SentEmail, ...]:
        """The mails about a proposal, as email-service remembers them."""
        path = f"/proposals/{segment(proposal_id)}/emails"
        return (await self._call(EmailList, "GET", path)).items

    async def reviews(self, proposal_id: UUID | str) -> tuple[Review, ...]:
        """Return what reviewers think of a proposal, the oldest review first."""
        path = f"/proposals/{segment(proposal_id)}/reviews"
        return (await self._call(ReviewList, "GET", path)).items

    async def review(self, proposal_id: UUID | str, score: int, comment: str) -> Review:
        """Say what the reviewer thinks, over what they said before."""
        path = f"/proposals/{segment(proposal_id)}/review"
        said = {"score": score, "comment": comment}
        return await self._call(Review, "PUT", path, json=said)

    async def deliveries(
        self,
        proposal_id: UUID | str | None = None,
        state: DeliveryState | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> DeliveryPage:
        """Return what is to be told to others, newest first."""
        subject = None if proposal_id is None else str(proposal_id)
        params = _given(proposal_id=subject, state=state, cursor=cursor)
        return await self._call(
            DeliveryPage, "GET", "/deliveries", params={**params, "limit": limit}
        )

    async def retry(self, delivery_id: UUID | str, attempts: int | None = None) -> Delivery:
        """Tell it again; `delivery-changed` when it does not have the `attempts` that were seen."""
        path = f"/deliveries/{segment(delivery_id)}/retry"
        seen = None if attempts is None else {"attempts": attempts}
        return await self._call(Delivery, "POST", path, json=seen)

    async def cfp(self) -> Window:
        """Return when proposals are taken."""
        return await self._call(Window, "GET", "/cfp")

    async def set_cfp(self, opens_at: datetime | None, closes_at: datetime | None) -> Window:
        """Set when proposals are taken; None means no bound on that side."""
        bounds = {
            "opens_at": opens_at and opens_at.isoformat(),
            "closes_at": closes_at and closes_at.isoformat(),
        }
        return await self._call(Window, "PUT", "/cfp", json=bounds)

    async def reports(self) -> tuple[Report, ...]:
        """The latest consistency reports, newest first."""
        return (await self._call(ReportList, "GET", "/consistency-reports")).items


def _link(token: str | None) -> dict[str, str]:
    # A token of ours has nothing to encode; a forged one must not break the header.
    return {"Proposal-Token": quote(token, safe="")} if token else {}


def _given(**params: str | None) -> dict[str, str]:
    return {name: value for name, value in params.items() if value}

"""The other services, typed: what this one asks them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx2
from pydantic import BaseModel, ValidationError

from frontend.answers import (
    Decided,
    DecisionResult,
    DecisionResults,
    Delivery,
    DeliveryPage,
    DeliveryState,
    EmailList,
    Event,
    EventList,
    Move,
    Mover,
    OwnProposals,
    Proposal,
    ProposalPage,
    Report,
    ReportList,
    Review,
    ReviewList,
    Schedule,
    SentEmail,
    Session,
    SessionList,
    Window,
)
from servicekit.health import Info
from servicekit.http import Credentials, Neighbour, NeighbourUnavailableError
from servicekit.problems import ProblemDocument

__all__ = ["Agenda", "C4p", "Client", "NeighbourUnavailableError", "ProblemAnswerError"]


ADDRESS_NOT_VERIFIED = "address-not-verified"
"""What c4p-service says to who has no address of which it could know the proposals."""


class ProblemAnswerError(Exception):
    """Another service refused; `problem` is its answer."""

    def __init__(self, problem: ProblemDocument) -> None:
        super().__init__(problem.detail)
        self.problem = problem

    @property
    def slug(self) -> str:
        """The kind of problem, such as `stale-edit`."""
        return self.problem.type.removeprefix("urn:problem:")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    def member(self, name: str) -> Any:
        """A member that only this kind of problem has, such as `opens_at`; None where absent."""
        return (self.problem.model_extra or {}).get(name)


AnswerT = TypeVar("AnswerT", bound=BaseModel)


class Client:
    """One neighbour. Every call raises ProblemAnswerError when it refuses, and
    NeighbourUnavailableError when it can't be reached, is too slow, or is not understood.
    """

    def __init__(self, neighbour: Neighbour, credentials: Credentials | None = None) -> None:
        self.neighbour = neighbour
        self._credentials = credentials

    def acting_for(self, credentials: Credentials) -> Self:
        """The same neighbour, called in the name of whose credentials these are."""
        return type(self)(self.neighbour, credentials)

    async def info(self) -> Info:
        """Which build answers, and where it runs."""
        return await self._call(Info, "GET", "/info")

    async def close(self) -> None:
        """Give the connections back."""
        await self.neighbour.close()

    async def _call(
        self,
        kind: type[AnswerT],
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AnswerT:
        response = await self.neighbour.request(
            method,
            path,
            json=json,
            params=params,
            headers=headers,
            credentials=self._credentials,
        )
        if response.is_success:
            return self.neighbour.parse(kind, response)
        raise refusal(self.neighbour, response)


def refusal(neighbour: Neighbour, response: httpx2.Response) -> Exception:
    """The error to raise for an answer that is not a success."""
    status = response.status_code
    try:
        problem = ProblemDocument.model_validate_json(response.content)
    except ValidationError:
        return NeighbourUnavailableError(neighbour.name, f"its answer {status} is not understood")
    if problem.status != status or status >= 500:
        return NeighbourUnavailableError(neighbour.name, f"it answered {status}: {problem.detail}")
    return ProblemAnswerError(problem)


class Agenda(Client):
    """agenda-service."""

    async def sessions(self) -> SessionList:
        """The agenda as it is now, past every cache."""
        return await self._call(SessionList, "GET", "/sessions")

    async def session(self, proposal_id: UUID | str) -> Session:
        """One session."""
        return await self._call(Session, "GET", f"/sessions/{_segment(proposal_id)}")

    async def schedule(self) -> Schedule:
        """The days, rooms and slots."""
        return await self._call(Schedule, "GET", "/schedule")

    async def move(self, proposal_id: UUID | str, slot_id: str) -> Session:
        """Move a session to a free slot; `slot-taken` has `taken_by`, `taken_by_title`."""
        path = f"/sessions/{_segment(proposal_id)}/slot"
        return await self._call(Session, "PUT", path, json={"slot_id": slot_id})

    async def last_move(self, proposal_id: UUID | str) -> Mover | None:
        """Who moved a session last; None when nobody has."""
        path = f"/sessions/{_segment(proposal_id)}/move"
        return (await self._call(Move, "GET", path)).moved


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
        path = f"/proposals/{_segment(proposal_id)}"
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
        path = f"/proposals/{_segment(proposal_id)}"
        headers = {**_link(token), "If-Match": f'"{version}"'}
        return await self._call(Proposal, "PATCH", path, json=dict(changes), headers=headers)

    async def withdraw(self, proposal_id: UUID | str, token: str | None = None) -> Proposal:
        """Take a proposal back."""
        path = f"/proposals/{_segment(proposal_id)}/withdrawal"
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
        path = f"/proposals/{_segment(proposal_id)}/events"
        return (await self._call(EventList, "GET", path)).items

    async def emails(self, proposal_id: UUID | str) -> tuple[SentEmail, ...]:
        """The mails about a proposal, as email-service remembers them."""
        path = f"/proposals/{_segment(proposal_id)}/emails"
        return (await self._call(EmailList, "GET", path)).items

    async def reviews(self, proposal_id: UUID | str) -> tuple[Review, ...]:
        """What reviewers think of a proposal, the oldest review first."""
        path = f"/proposals/{_segment(proposal_id)}/reviews"
        return (await self._call(ReviewList, "GET", path)).items

    async def review(self, proposal_id: UUID | str, score: int, comment: str) -> Review:
        """Say what the reviewer thinks, over what they said before."""
        path = f"/proposals/{_segment(proposal_id)}/review"
        said = {"score": score, "comment": comment}
        return await self._call(Review, "PUT", path, json=said)

    async def deliveries(
        self,
        proposal_id: UUID | str | None = None,
        state: DeliveryState | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> DeliveryPage:
        """What is to be told to others, newest first."""
        subject = None if proposal_id is None else str(proposal_id)
        params = _given(proposal_id=subject, state=state, cursor=cursor)
        return await self._call(
            DeliveryPage, "GET", "/deliveries", params={**params, "limit": limit}
        )

    async def retry(self, delivery_id: UUID | str, attempts: int | None = None) -> Delivery:
        """Tell it again; `delivery-changed` when it does not have the `attempts` that were seen."""
        path = f"/deliveries/{_segment(delivery_id)}/retry"
        seen = None if attempts is None else {"attempts": attempts}
        return await self._call(Delivery, "POST", path, json=seen)

    async def cfp(self) -> Window:
        """When proposals are taken."""
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


def _segment(value: UUID | str) -> str:
    # A dot is quoted too: ".." would be a way up.
    return quote(str(value), safe="").replace(".", "%2E")

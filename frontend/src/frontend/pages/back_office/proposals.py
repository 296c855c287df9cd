"""The organizers' list of proposals: by state, by search, and the decision on one or many."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, get_args
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Response

from frontend.clients.c4p import C4p
from frontend.clients.client import ProblemAnswerError
from frontend.clients.schemas import Decided, DecisionResult, ProposalPage, State
from frontend.dependencies import TheCache, ThePages
from frontend.domain import READ_METHODS, Person
from frontend.pages.context import or_none, schedule_or_none
from frontend.pages.errors import error_page
from frontend.pages.fields import MESSAGE
from frontend.pages.forms import Field, Sent, TheForm
from frontend.pages.permissions import Organizer, Staff, StaffC4p
from frontend.rendering import HTML, Pages, venue
from servicekit.http import NeighbourUnavailableError

SEARCH = Field("q", "", 100)
STATES: tuple[State, ...] = get_args(State)
DECISIONS: tuple[Decided, ...] = get_args(Decided)
NOTHING_SELECTED = "Select at least one proposal first."

router = APIRouter(include_in_schema=False, prefix="/back-office")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The part of the list that an organizer looks at."""

    state: str = ""
    q: str = ""
    cursor: str = ""

    @property
    def address(self) -> str:
        """The page that shows this part."""
        given = {"state": self.state, "q": self.q, "cursor": self.cursor}
        query = urlencode({name: value for name, value in given.items() if value})
        return f"/back-office?{query}" if query else "/back-office"


@dataclass(frozen=True, slots=True)
class Tab:
    """A state as a tab; an empty state is all of them."""

    label: str
    count: int
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of the decision on one proposal, for a person."""

    title: str
    accepted: bool
    """Whether the decision was, not whether the proposal is."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """A decision on many, and what is to be shown of it above the list."""

    outcomes: Sequence[Outcome] = ()
    problem: str = ""
    message: str = ""
    ticked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Untold:
    """The proposals of which something was not told to others at the first attempt."""

    waiting: frozenset[UUID]
    """It is tried again."""
    failed: frozenset[UUID]
    """It was given up."""


@router.api_route("", methods=READ_METHODS)
async def back_office(
    pages: ThePages,
    cache: TheCache,
    c4p: StaffC4p,
    person: Staff,
    state: Annotated[str, Query()] = "",
    q: Annotated[str, Query()] = "",
    cursor: Annotated[str, Query()] = "",
) -> Response:
    """The proposals, the newest first."""
    wanted = Wanted(state, q.strip(), cursor)
    page = await _page(c4p, wanted)
    around = venue(await schedule_or_none(cache))
    attempt = Attempt(problem=_search_error(wanted) or "")
    return await _list(pages, c4p, wanted, page, attempt, person, around)


@router.post("/decisions")
async def decide(
    form: TheForm, pages: ThePages, cache: TheCache, c4p: StaffC4p, person: Organizer
) -> Response:
    """Decide on all that are selected; the same list comes back with a line for each."""
    wanted = Wanted(form.get("state"), form.get("q"), form.get("cursor"))
    message = form.get("message")
    around = venue(await schedule_or_none(cache))
    try:
        attempt = await _decide(c4p, form)
        page = await _page(c4p, wanted)
    except NeighbourUnavailableError:
        # The list can't be shown again, but the words for the speakers are not lost.
        return Response(error_page(pages, 503, kept=message), 503, media_type=HTML)
    return await _list(pages, c4p, wanted, page, attempt, person, around)


async def _decide(c4p: C4p, form: Sent) -> Attempt:
    ids = list(dict.fromkeys(form.all("proposal")))
    message = form.get("message").strip()
    decision = next((each for each in DECISIONS if each == form.get("decision")), None)
    attempt = Attempt(message=message, ticked=frozenset(ids))
    error = MESSAGE.error(message) if message else None
    if not ids or decision is None or error:
        return replace(attempt, problem=error or NOTHING_SELECTED)
    try:
        results = await c4p.decide_many(ids, decision, message or None)
    except ProblemAnswerError as refusal:
        return replace(attempt, problem=str(refusal))
    return Attempt(outcomes=await asyncio.gather(*(_outcome(c4p, each) for each in results)))


async def _outcome(c4p: C4p, result: DecisionResult) -> Outcome:
    if result.proposal is not None:
        return Outcome(result.proposal.title, True, f"is {result.proposal.state}.")
    assert result.problem is not None
    state = (result.problem.model_extra or {}).get("state")
    reason = f"it is {state}." if state else result.problem.detail
    # A refusal names no title, and a person does not know proposals by their id.
    proposal = await or_none(c4p.proposal(result.proposal_id))
    title = proposal.title if proposal else str(result.proposal_id)
    return Outcome(title, False, f"refused, since {reason}")


def _search_error(wanted: Wanted) -> str | None:
    return SEARCH.error(wanted.q) if wanted.q else None


async def _page(c4p: C4p, wanted: Wanted) -> ProposalPage | None:
    """None where nothing can be searched for what is wanted."""
    if _search_error(wanted):
        return None
    return await c4p.proposals(wanted.state, wanted.q, wanted.cursor)


async def _list(
    pages: Pages,
    c4p: C4p,
    wanted: Wanted,
    page: ProposalPage | None,
    attempt: Attempt,
    person: Person,
    around: Mapping[str, Any],
) -> Response:
    return pages.private(
        "back_office.html",
        status=422 if attempt.problem else 200,
        wanted=wanted,
        clear_address=Wanted(wanted.state).address,
        first_address=Wanted(wanted.state, wanted.q).address,
        next_address=replace(wanted, cursor=(page and page.next_cursor) or "").address,
        page=page,
        tabs=tabs(wanted, page.counts) if page else (),
        untold=await _untold(c4p, person),
        attempt=attempt,
        person=person,
        **around,
    )


def tabs(wanted: Wanted, counts: Mapping[State, int]) -> list[Tab]:
    """All proposals, then each state, with how many of them the search finds."""
    numbers = [("", sum(counts.values())), *((each, counts.get(each, 0)) for each in STATES)]
    return [
        Tab(
            state.capitalize() or "All",
            count,
            Wanted(state, wanted.q).address,
            state == wanted.state,
        )
        for state, count in numbers
    ]


async def _untold(c4p: C4p, person: Person) -> Untold:
    if not person.is_organizer:
        return Untold(frozenset(), frozenset())
    pages = await asyncio.gather(
        *(or_none(c4p.deliveries(state=state, limit=200)) for state in ("waiting", "failed"))
    )
    deliveries = [each for page in pages if page for each in page.items]
    failed = {each.proposal_id for each in deliveries if each.state == "failed"}
    waiting = {each.proposal_id for each in deliveries if each.state == "waiting" and each.attempts}
    return Untold(frozenset(waiting), frozenset(failed))

"""One proposal as organizers see it: text, history, what was told to whom, and its session."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from starlette.responses import RedirectResponse

from frontend.agenda.cache import AgendaCache
from frontend.clients.agenda import Agenda
from frontend.clients.c4p import C4p
from frontend.clients.client import ProblemAnswerError
from frontend.clients.schemas import ListedSession, Schedule, Slot
from frontend.dependencies import TheCache, ThePages
from frontend.domain import READ_METHODS, Person, is_identifier
from frontend.formatting import long_day
from frontend.pages.back_office.proposals import DECISIONS
from frontend.pages.context import or_none, schedule_or_none
from frontend.pages.errors import error_page
from frontend.pages.fields import MESSAGE, WITHDRAWAL_UNCONFIRMED
from frontend.pages.forms import Field, Filled, TheForm, fill
from frontend.pages.permissions import Organizer, Reviewer, Staff, StaffAgenda, StaffC4p
from frontend.rendering import HTML, Pages, venue
from servicekit.http import NeighbourUnavailableError

DONE = {
    "accepted": "The proposal is accepted. A mail to the speaker is on its way.",
    "rejected": "The proposal is rejected. A mail to the speaker is on its way.",
    "withdrawn": "The proposal is withdrawn. A mail to the speaker is on its way.",
    "moved": "The session is moved.",
    "reviewed": "Your review is saved.",
    "sent": "It is being sent again.",
    "already": "It was sent again already. The list shows where it stands.",
}
"""What the address may ask this page to say; nothing else, so no link can put words into it."""

NOT_WITHDRAWN = "It is not known whether the proposal is withdrawn: its page will show it."
SCORES = {"5": "excellent", "4": "good", "3": "fair", "2": "weak", "1": "poor"}
SCORE = Field("score", "Choose a score.", 1, pattern="[1-5]")
COMMENT = Field("comment", "Say in a few words why.", 2000, is_long=True)

router = APIRouter(include_in_schema=False, prefix="/back-office")


@dataclass(frozen=True, slots=True)
class SlotChoice:
    """A slot to which the session may move; `taken_by` is the title of another session there."""

    slot: Slot
    is_own: bool
    taken_by: str | None


@dataclass(frozen=True, slots=True)
class SlotDay:
    """The slots of one day."""

    label: str
    choices: Sequence[SlotChoice]


@dataclass(frozen=True, slots=True)
class Placing:
    """The slot of a session, None while it has none, and the slots that are free."""

    session: ListedSession | None
    days: Sequence[SlotDay]


def place(proposal_id: UUID, sessions: Sequence[ListedSession], schedule: Schedule) -> Placing:
    """The slots of `schedule` as the session of `proposal_id` finds them."""
    by_slot = {each.slot.id: each for each in sessions}
    own = next((each for each in sessions if each.proposal_id == proposal_id), None)

    def choice(slot: Slot) -> SlotChoice:
        there = by_slot.get(slot.id)
        is_own = there is not None and there is own
        return SlotChoice(slot, is_own, None if there is None or is_own else there.title)

    slots = sorted(schedule.slots, key=lambda slot: slot.starts_at)
    return Placing(
        own,
        [
            SlotDay(long_day(day), [choice(slot) for slot in each])
            for day, each in groupby(slots, key=lambda slot: slot.day)
        ],
    )


async def _placing(agenda: Agenda, proposal_id: UUID) -> Placing:
    sessions, schedule = await asyncio.gather(agenda.sessions(), agenda.schedule())
    return place(proposal_id, sessions.items, schedule)


@dataclass(frozen=True, slots=True)
class Detail:
    """Puts the page together out of what three services say; only c4p-service is indispensable."""

    pages: Pages
    cache: AgendaCache
    c4p: C4p
    agenda: Agenda
    person: Person
    proposal_id: UUID

    async def page(self, status: int = 200, **said: Any) -> Response:
        """The page; `said` has what an attempt left: problem, errors, done, message, review,
        chosen_slot.
        """
        proposal_id = self.proposal_id
        proposal, events, reviews, schedule, operations = await asyncio.gather(
            self.c4p.proposal(proposal_id),
            or_none(self.c4p.events(proposal_id)),
            or_none(self.c4p.reviews(proposal_id)),
            schedule_or_none(self.cache),
            self._operations(),
        )
        own = next((each for each in reviews or () if each.subject == self.person.subject), None)
        written = {"score": str(own.score), "comment": own.comment} if own else {}
        defaults = {"problem": "", "errors": {}, "done": "", "message": ""}
        context = {**defaults, "review": Filled(written), **operations, **said}
        return self.pages.private(
            "back_office_proposal.html",
            status=status,
            person=self.person,
            proposal=proposal,
            events=events,
            reviews=reviews,
            scores=SCORES,
            **context,
            **venue(schedule),
        )

    async def _operations(self) -> dict[str, Any]:
        """Return what organizers see beside: who was told what, and where the session is."""
        if not self.person.is_organizer:
            return {}
        proposal_id = self.proposal_id
        deliveries, mails, placing, moved = await asyncio.gather(
            or_none(self.c4p.deliveries(proposal_id=proposal_id)),
            or_none(self.c4p.emails(proposal_id)),
            or_none(_placing(self.agenda, proposal_id)),
            or_none(self.agenda.last_move(proposal_id)),
        )
        return {
            "deliveries": deliveries.items if deliveries else None,
            "mails": mails,
            "placing": placing,
            "moved": moved,
            "chosen_slot": placing.session.slot.id if placing and placing.session else "",
        }

    def done(self, what: str) -> Response:
        """Back to the page, which then says what was done."""
        return _see(self.proposal_id, what)


async def get_detail(
    pages: ThePages,
    cache: TheCache,
    c4p: StaffC4p,
    agenda: StaffAgenda,
    person: Staff,
    proposal_id: UUID,
) -> Detail:
    """The page of the proposal that the path names."""
    return Detail(pages, cache, c4p, agenda, person, proposal_id)


TheDetail = Annotated[Detail, Depends(get_detail)]


@router.api_route("/proposals/{proposal_id}", methods=READ_METHODS)
async def proposal_page(detail: TheDetail, done: Annotated[str, Query()] = "") -> Response:
    """Everything that is known of the proposal."""
    return await detail.page(done=DONE.get(done, ""))


@router.post("/proposals/{proposal_id}/decision")
async def decide(form: TheForm, detail: TheDetail, _: Organizer) -> Response:
    """Accept or reject it, with words for the speaker if there are any."""
    message = form.get("message").strip()
    decision = next((each for each in DECISIONS if each == form.get("decision")), None)
    error = MESSAGE.error(message) if message else None
    if decision is None or error:
        problem = error or "Choose whether to accept or to reject it."
        return await detail.page(422, problem=problem, message=message)
    try:
        results = await detail.c4p.decide_many([detail.proposal_id], decision, message or None)
    except NeighbourUnavailableError:
        # The proposal can't be shown either, but the words for the speaker are not lost.
        return Response(error_page(detail.pages, 503, kept=message), 503, media_type=HTML)
    except ProblemAnswerError as refusal:
        return await detail.page(refusal.status, problem=str(refusal), message=message)
    refused = results[0].problem
    if refused is not None:
        return await detail.page(refused.status, problem=refused.detail, message=message)
    return detail.done(decision)


@router.post("/proposals/{proposal_id}/withdrawal")
async def withdraw(form: TheForm, detail: TheDetail, _: Organizer) -> Response:
    """Take it back for its speaker and for good, after a confirmation."""
    if not form.get("confirm"):
        return await detail.page(422, errors=WITHDRAWAL_UNCONFIRMED)
    try:
        await detail.c4p.withdraw(detail.proposal_id)
    except NeighbourUnavailableError:
        return Response(error_page(detail.pages, 503, NOT_WITHDRAWN), 503, media_type=HTML)
    except ProblemAnswerError as refusal:
        return await detail.page(refusal.status, problem=str(refusal))
    return detail.done("withdrawn")


@router.post("/proposals/{proposal_id}/review")
async def review(form: TheForm, detail: TheDetail, _: Reviewer) -> Response:
    """Say what the reviewer thinks of it; said again it replaces what they said before."""
    filled = fill((SCORE, COMMENT), form)
    if filled.errors:
        return await detail.page(422, errors=filled.errors, review=filled)
    try:
        values = filled.values
        await detail.c4p.review(detail.proposal_id, int(values["score"]), values["comment"].strip())
    except NeighbourUnavailableError:
        kept = filled.values["comment"]
        return Response(error_page(detail.pages, 503, kept=kept), 503, media_type=HTML)
    except ProblemAnswerError as refusal:
        return await detail.page(refusal.status, problem=str(refusal), review=filled)
    return detail.done("reviewed")


@router.post("/proposals/{proposal_id}/slot")
async def move(form: TheForm, detail: TheDetail, _: Organizer) -> Response:
    """Move the session to another slot, unless that one is taken."""
    slot_id = form.get("slot")
    try:
        await detail.agenda.move(detail.proposal_id, slot_id)
    except NeighbourUnavailableError:
        problem = "The agenda service does not answer: whether the session moved is not known."
        return await detail.page(503, problem=problem, chosen_slot=slot_id)
    except ProblemAnswerError as refusal:
        problem = f"{refusal} The session stays where it is."
        return await detail.page(refusal.status, problem=problem, chosen_slot=slot_id)
    return detail.done("moved")


@router.post("/deliveries/{delivery_id}/retry")
async def send_again(form: TheForm, c4p: StaffC4p, _: Organizer, delivery_id: UUID) -> Response:
    """Tell it again, once for each time it was shown, and return to the proposal it is about."""
    try:
        delivery = await c4p.retry(delivery_id, form.number("attempts"))
    except ProblemAnswerError as refusal:
        about = form.get("proposal")
        if refusal.slug != "delivery-changed" or not is_identifier(about):
            raise
        return _see(about, "already")
    return _see(delivery.proposal_id, "sent")


def _see(proposal_id: UUID | str, done: str) -> Response:
    # What was done is said after a redirect, so that a reload repeats nothing.
    return RedirectResponse(f"/back-office/proposals/{proposal_id}?done={done}", 303)

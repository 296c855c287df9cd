"""The own proposal, by its signed link or a sign-in with its address: see, change, withdraw."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from starlette.responses import RedirectResponse

from frontend.agenda.cache import AgendaCache
from frontend.clients.c4p import ADDRESS_NOT_VERIFIED, C4p
from frontend.clients.client import ProblemAnswerError
from frontend.clients.schemas import Proposal
from frontend.dependencies import TheAccessTokens, TheC4p, TheCache, ThePages, Visitor
from frontend.domain import READ_METHODS, STAFF, Person, SignInRequiredError
from frontend.identity.access_tokens import AccessTokens
from frontend.pages.context import agenda_or_none
from frontend.pages.fields import ABSTRACT, SPEAKER_NAME, TITLE, WITHDRAWAL_UNCONFIRMED
from frontend.pages.forms import Filled, Sent, TheForm, fill, refused_fields
from frontend.rendering import Pages, venue
from servicekit.http import NeighbourUnavailableError

EDITABLE = (TITLE, ABSTRACT, SPEAKER_NAME)
NO_REFERRER = {"Referrer-Policy": "no-referrer"}
"""The address of these pages is a key: no link may tell it to anyone."""
INCOMPLETE = "The link is not complete."
NOT_SAVED = (
    "It cannot be confirmed that your changes are saved: the service for it does not answer. What "
    "you typed is still here. Please save again in a minute."
)
NOT_WITHDRAWN = (
    "It cannot be confirmed that your proposal is withdrawn: the service for it does not answer. "
    "Please try again in a minute."
)
SIGNED_OUT = (
    "Your changes are not saved: you are not signed in any more. What you typed is still here. "
    "Sign in again in another window, then save."
)
NOT_EDITABLE = (
    "The proposal cannot be changed any more, since its state is another one now. What you typed "
    "is below."
)
NOT_YOURS = "You are signed in, but not with the address that this proposal was submitted under."

router = APIRouter(include_in_schema=False, prefix="/proposals/{proposal_id}")


@dataclass(frozen=True, slots=True)
class Caller:
    """The person who looks: a speaker by the link's token, or signed in with the same address."""

    _c4p: C4p
    visitor: Person | None
    _access_tokens: AccessTokens

    async def belongs_in_back_office(self, proposal_id: UUID) -> bool:
        """Return whether they may see it as organizer or reviewer, and not as its speaker."""
        visitor = self.visitor
        if visitor is None or visitor.roles.isdisjoint(STAFF):
            return False
        c4p = self._c4p.acting_for(self._access_tokens.of(visitor))
        try:
            return not (await c4p.own_proposals(proposal_id)).items
        except ProblemAnswerError as error:
            if error.slug != ADDRESS_NOT_VERIFIED:
                raise
            return True

    def c4p(self, token: str) -> C4p | None:
        """c4p-service for them; None for who has no link and is not signed in."""
        if token:
            return self._c4p
        if self.visitor is None:
            return None
        return self._c4p.acting_for(self._access_tokens.of(self.visitor))


async def get_caller(c4p: TheC4p, visitor: Visitor, access_tokens: TheAccessTokens) -> Caller:
    """Return whoever looks now."""
    return Caller(c4p, visitor, access_tokens)


TheCaller = Annotated[Caller, Depends(get_caller)]


@router.api_route("", methods=READ_METHODS)
async def my_proposal(
    pages: ThePages,
    cache: TheCache,
    caller: TheCaller,
    proposal_id: UUID,
    token: Annotated[str, Query()] = "",
    done: Annotated[str, Query()] = "",
) -> Response:
    """Show where the proposal stands, and the forms that its state allows."""
    if not token and await caller.belongs_in_back_office(proposal_id):
        return RedirectResponse(f"/back-office/proposals/{proposal_id}", 303)
    c4p = caller.c4p(token)
    if c4p is None:
        return _link_page(pages, 403, INCOMPLETE)
    try:
        proposal = await c4p.proposal(proposal_id, token)
    except ProblemAnswerError as error:
        return _link_refused(pages, error)
    around = await _around(caller, cache, proposal_id)
    return _page(pages, proposal, _Attempt(token, proposal.version, _texts(proposal), around), done)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """An action of a speaker, with what every page that answers it needs."""

    token: str
    version: int
    filled: Filled
    around: dict[str, Any]

    def context(self) -> dict[str, Any]:
        return {
            "token": self.token,
            "version": self.version,
            "form": self.filled,
            **self.around,
        }


@router.post("/edit")
async def edit(
    form: TheForm, pages: ThePages, cache: TheCache, caller: TheCaller, proposal_id: UUID
) -> Response:
    """Save the changes, unless someone saved others since the form was opened."""
    token, filled = form.get("token"), fill(EDITABLE, form)
    c4p = caller.c4p(token)
    if c4p is None:
        return _link_page(pages, 403, INCOMPLETE)
    around = await _around(caller, cache, proposal_id)
    attempt = _Attempt(token, _version(form), filled, around)
    refusal: ProblemAnswerError | None = None
    try:
        if not filled.errors:
            await c4p.edit(proposal_id, attempt.version, filled.values, token=token)
            return _see(proposal_id, token, "saved")
    except NeighbourUnavailableError:
        return _unavailable(pages, proposal_id, attempt, NOT_SAVED)
    except SignInRequiredError:
        return _unavailable(pages, proposal_id, attempt, SIGNED_OUT, status=401)
    except ProblemAnswerError as error:
        refusal = error
    final = refusal and _refused_for_good(pages, proposal_id, attempt, refusal)
    return final or await _edit_again(pages, c4p, proposal_id, attempt, refusal)


def _refused_for_good(
    pages: Pages, proposal_id: UUID, attempt: _Attempt, error: ProblemAnswerError
) -> Response | None:
    """The page for an edit that can't be tried again as it is; None where it can."""
    if error.status == 401:
        return _unavailable(pages, proposal_id, attempt, SIGNED_OUT, status=401)
    if error.status in {403, 404}:
        return _link_refused(pages, error)
    if error.slug == "stale-edit":
        current = Proposal.model_validate(error.member("current"))
        if current.state == "submitted":
            return _changed_meanwhile(pages, current, attempt)
    return None


def _changed_meanwhile(pages: Pages, current: Proposal, attempt: _Attempt) -> Response:
    # Whoever saves from this page has seen the current text, so the form names its version.
    seen = replace(attempt, version=current.version)
    return pages.private(
        "changed_meanwhile.html",
        status=412,
        headers=NO_REFERRER,
        current=current,
        proposal_id=current.id,
        **seen.context(),
    )


async def _edit_again(
    pages: Pages,
    c4p: C4p,
    proposal_id: UUID,
    attempt: _Attempt,
    refusal: ProblemAnswerError | None,
) -> Response:
    """The proposal with what is wrong about the attempt, whose text is kept."""
    try:
        proposal = await c4p.proposal(proposal_id, attempt.token)
    except NeighbourUnavailableError:
        return _unavailable(pages, proposal_id, attempt, NOT_SAVED)
    except ProblemAnswerError as error:
        return _link_refused(pages, error)
    errors = attempt.filled.errors
    if refusal:
        errors = refused_fields(refusal, attempt.filled.values)
    again = replace(attempt, filled=attempt.filled.with_errors(errors))
    if proposal.state != "submitted":
        return _page(
            pages, proposal, again, status=409, lead=NOT_EDITABLE, unsaved=attempt.filled.values
        )
    lead = str(refusal) if refusal and not errors else ""
    return _page(pages, proposal, again, status=refusal.status if refusal else 422, lead=lead)


@router.post("/withdrawal")
async def withdraw(
    form: TheForm, pages: ThePages, cache: TheCache, caller: TheCaller, proposal_id: UUID
) -> Response:
    """Take the proposal back for good, after a confirmation."""
    token = form.get("token")
    c4p = caller.c4p(token)
    if c4p is None:
        return _link_page(pages, 403, INCOMPLETE)
    confirmed = bool(form.get("confirm"))
    around = await _around(caller, cache, proposal_id)
    lead = ""
    try:
        if confirmed:
            await c4p.withdraw(proposal_id, token=token)
            return _see(proposal_id, token, "withdrawn")
    except NeighbourUnavailableError:
        attempt = _Attempt(token, 0, Filled(), around)
        return _unavailable(pages, proposal_id, attempt, NOT_WITHDRAWN)
    except ProblemAnswerError as error:
        if error.status in {403, 404}:
            return _link_refused(pages, error)
        lead = str(error)
    try:
        proposal = await c4p.proposal(proposal_id, token)
    except ProblemAnswerError as error:
        return _link_refused(pages, error)
    filled = _texts(proposal).with_errors({} if confirmed else WITHDRAWAL_UNCONFIRMED)
    attempt = _Attempt(token, proposal.version, filled, around)
    return _page(pages, proposal, attempt, status=409 if confirmed else 422, lead=lead)


async def _around(caller: Caller, cache: AgendaCache, proposal_id: UUID) -> dict[str, Any]:
    view = await agenda_or_none(cache)
    listed = view.sessions if view else ()
    is_placed = any(each.proposal_id == proposal_id for each in listed)
    schedule = view.schedule if view else None
    return {"person": caller.visitor, "is_placed": is_placed, **venue(schedule)}


def _page(
    pages: Pages,
    proposal: Proposal,
    attempt: _Attempt,
    done: str = "",
    *,
    status: int = 200,
    lead: str = "",
    unsaved: Mapping[str, str] | None = None,
) -> Response:
    return pages.private(
        "my_proposal.html",
        status=status,
        headers=NO_REFERRER,
        proposal=proposal,
        proposal_id=proposal.id,
        done=done,
        lead=lead,
        unsaved=unsaved,
        **attempt.context(),
    )


def _unavailable(
    pages: Pages, proposal_id: UUID, attempt: _Attempt, lead: str, *, status: int = 503
) -> Response:
    return pages.private(
        "my_proposal_unavailable.html",
        status=status,
        headers=NO_REFERRER,
        proposal_id=proposal_id,
        lead=lead,
        **attempt.context(),
    )


def _link_refused(pages: Pages, error: ProblemAnswerError) -> Response:
    if error.status not in {403, 404}:
        raise error
    reason = NOT_YOURS if error.slug == "role-required" else str(error)
    return _link_page(pages, error.status, reason)


def _link_page(pages: Pages, status: int, reason: str) -> Response:
    return pages.private("link_refused.html", status=status, headers=NO_REFERRER, reason=reason)


def _texts(proposal: Proposal) -> Filled:
    return Filled({each.name: getattr(proposal, each.name) for each in EDITABLE})


def _version(form: Sent) -> int:
    # Whatever else was sent is the version of nothing, so the edit is refused as a stale one.
    return form.number("version") or 0


def _see(proposal_id: UUID, token: str, done: str) -> Response:
    query = urlencode({**({"token": token} if token else {}), "done": done})
    return RedirectResponse(f"/proposals/{proposal_id}?{query}", 303)

"""Rights to see pages, and the clients that call services in a person's name."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request, Response
from starlette.responses import RedirectResponse

from frontend.clients.agenda import Agenda
from frontend.clients.c4p import C4p
from frontend.dependencies import TheAccessTokens, TheAgenda, TheC4p, Visitor
from frontend.domain import (
    ORGANIZER,
    REVIEWER,
    SAFE_METHODS,
    STAFF,
    Person,
    SignInRequiredError,
    safe_next,
)
from frontend.pages.errors import error_page
from frontend.pages.forms import read
from frontend.rendering import HTML
from servicekit.problems import ROLE_REQUIRED, Problem

SIGN_IN_PAGE = "/sign-in"
BACK_OFFICE = "/back-office"
MY_PROPOSALS = "/my-proposals"
LONG_FIELDS = ("message", "comment")
"""What the forms of the back office call that in which people write at length."""


async def demand_signed_in(visitor: Visitor) -> Person:
    """Return whoever is signed in, or SignInRequiredError."""
    if visitor is None:
        raise SignInRequiredError
    return visitor


async def demand_staff(visitor: Visitor) -> Person:
    """Return the organizer or reviewer, or SignInRequiredError, or the 403 of others."""
    return _demand(visitor, STAFF)


async def demand_organizer(visitor: Visitor) -> Person:
    """Return who is signed in as organizer, or SignInRequiredError, or the 403 of all others."""
    return _demand(visitor, frozenset({ORGANIZER}))


def _demand(visitor: Person | None, roles: frozenset[str]) -> Person:
    if visitor is None:
        raise SignInRequiredError
    if visitor.roles.isdisjoint(roles):
        needed = " or ".join(sorted(roles))
        raise Problem(
            ROLE_REQUIRED,
            f"You are signed in as {visitor.name}, and this needs the role {needed}.",
            roles=sorted(roles),
        )
    return visitor


async def demand_reviewer(visitor: Visitor) -> Person:
    """Return who is signed in as reviewer, or SignInRequiredError, or the 403 of all others."""
    return _demand(visitor, frozenset({REVIEWER}))


SignedIn = Annotated[Person, Depends(demand_signed_in)]
"""The type of a route's parameter that demands anybody who is signed in."""
Staff = Annotated[Person, Depends(demand_staff)]
"""The type of a route's parameter that demands an organizer or a reviewer."""
Organizer = Annotated[Person, Depends(demand_organizer)]
Reviewer = Annotated[Person, Depends(demand_reviewer)]
"""The types of a route's parameter that demands one of them."""


async def _own_c4p(c4p: TheC4p, person: SignedIn, access_tokens: TheAccessTokens) -> C4p:
    return c4p.acting_for(access_tokens.of(person))


async def _c4p(c4p: TheC4p, staff: Staff, access_tokens: TheAccessTokens) -> C4p:
    return c4p.acting_for(access_tokens.of(staff))


async def _agenda(agenda: TheAgenda, staff: Staff, access_tokens: TheAccessTokens) -> Agenda:
    return agenda.acting_for(access_tokens.of(staff))


OwnC4p = Annotated[C4p, Depends(_own_c4p)]
StaffC4p = Annotated[C4p, Depends(_c4p)]
StaffAgenda = Annotated[Agenda, Depends(_agenda)]


async def to_sign_in(request: Request, _: Exception) -> Response:
    """Send a person who has to sign in to the page for it, and then back to where they were.

    Who has written something at length is shown it instead, since the form would be empty then.
    """
    if request.method not in SAFE_METHODS and (written := await _written(request)):
        page = error_page(request.app.state.pages, 401, kept=written)
        return Response(page, 401, {"Cache-Control": "no-store"}, HTML)
    path = request.url.path
    wanted = f"{path}?{request.url.query}" if request.url.query else path
    place = BACK_OFFICE if path.startswith(BACK_OFFICE) else MY_PROPOSALS
    # What a form chose is gone by then; the form itself can be found from there.
    after = safe_next(wanted, place) if request.method in SAFE_METHODS else place
    return RedirectResponse(f"{SIGN_IN_PAGE}?next={quote(after, safe='/')}", status_code=303)


async def _written(request: Request) -> str:
    try:
        form = await read(request)
    except Problem:
        return ""
    return next(filter(None, map(form.get, LONG_FIELDS)), "")

"""Who may see which page, and the clients that call services in their name."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request, Response
from starlette.responses import RedirectResponse

from frontend.clients import Agenda, C4p, Email
from frontend.domain import SAFE_METHODS, SignInRequiredError, safe_next
from frontend.parts import TheAgenda, TheC4p, TheEmail, TheWallet
from frontend.session import ORGANIZER, REVIEWER, STAFF, Person, Visitor
from servicekit.problems import ROLE_REQUIRED, Problem

SIGN_IN_PAGE = "/sign-in"
BACK_OFFICE = "/back-office"


async def demand_staff(visitor: Visitor) -> Person:
    """Who is signed in as organizer or reviewer, or SignInRequiredError, or the 403 of others."""
    return _demand(visitor, STAFF)


async def demand_organizer(visitor: Visitor) -> Person:
    """Who is signed in as organizer, or SignInRequiredError, or the 403 of all others."""
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
    """Who is signed in as reviewer, or SignInRequiredError, or the 403 of all others."""
    return _demand(visitor, frozenset({REVIEWER}))


Staff = Annotated[Person, Depends(demand_staff)]
"""The type of a route's parameter that demands an organizer or a reviewer."""
Organizer = Annotated[Person, Depends(demand_organizer)]
Reviewer = Annotated[Person, Depends(demand_reviewer)]
"""The types of a route's parameter that demands one of them."""


async def _token(staff: Staff, wallet: TheWallet) -> str:
    return await wallet.access_token(staff)


_Token = Annotated[str, Depends(_token)]


async def _c4p(c4p: TheC4p, token: _Token) -> C4p:
    return c4p.acting_for(token)


async def _agenda(agenda: TheAgenda, token: _Token) -> Agenda:
    return agenda.acting_for(token)


async def _email(email: TheEmail, token: _Token) -> Email:
    return email.acting_for(token)


StaffC4p = Annotated[C4p, Depends(_c4p)]
StaffAgenda = Annotated[Agenda, Depends(_agenda)]
StaffEmail = Annotated[Email, Depends(_email)]


def to_sign_in(request: Request, _: Exception) -> Response:
    """Send a person who has to sign in to the page for it, and then back to where they were."""
    path = request.url.path
    wanted = f"{path}?{request.url.query}" if request.url.query else path
    # What a form sent is gone by then; the form itself is in the back office.
    after = safe_next(wanted, BACK_OFFICE) if request.method in SAFE_METHODS else BACK_OFFICE
    return RedirectResponse(f"{SIGN_IN_PAGE}?next={quote(after, safe='/')}", status_code=303)

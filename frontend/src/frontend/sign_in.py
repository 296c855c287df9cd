"""The development sign-in: a name, and the passcode that was printed at the start."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from starlette.responses import RedirectResponse

from frontend.domain import actor_header, safe_next
from frontend.forms import Field, Filled, Sent, TheForm
from frontend.pages import READ
from frontend.parts import TheSettings
from frontend.rendering import ThePages
from frontend.session import (
    BACK_OFFICE,
    PasscodeRefusedError,
    Sessions,
    drop_cookie,
    get_sessions,
    put_cookie,
)

NAME = Field("name", "Enter your name.", 80)
MAX_ACTOR_LENGTH = 400
"""What c4p-service takes as the name of who acts, once it is encoded for a header."""

TheSessions = Annotated[Sessions, Depends(get_sessions)]

router = APIRouter(include_in_schema=False)


@router.api_route("/sign-in", methods=READ)
async def sign_in_page(
    pages: ThePages,
    sessions: TheSessions,
    wanted: Annotated[str, Query(alias="next")] = BACK_OFFICE,
) -> Response:
    """The form; it says so where there is no way to sign in."""
    return pages.private(
        "sign_in.html",
        form=Filled(),
        next=safe_next(wanted, BACK_OFFICE),
        can_sign_in=sessions.can_sign_in,
    )


@router.post("/sign-in")
async def sign_in(
    form: TheForm, pages: ThePages, sessions: TheSessions, settings: TheSettings
) -> Response:
    """Give an organizer a session, and lead to where they wanted to go."""
    wanted = safe_next(form.get("next"), BACK_OFFICE)
    name = form.get("name").strip()
    status, errors = 422, _errors(form)
    try:
        if not errors:
            cookie = sessions.sign_in(name, form.get("passcode"), datetime.now(UTC))
            response = RedirectResponse(wanted, 303)
            put_cookie(settings, response, cookie)
            return response
    except PasscodeRefusedError as error:
        status, errors = 403, {"passcode": str(error)}
    return pages.private(
        "sign_in.html",
        status=status,
        # The passcode is not sent back: a page is no place for it.
        form=Filled({"name": name}, errors),
        next=wanted,
        can_sign_in=sessions.can_sign_in,
    )


def _errors(form: Sent) -> dict[str, str]:
    name = form.get("name").strip()
    wrong = NAME.error(name)
    if wrong is None and len(actor_header(name)) > MAX_ACTOR_LENGTH:
        wrong = "Use a shorter name."
    errors = {"name": wrong} if wrong else {}
    return errors if form.get("passcode") else {**errors, "passcode": "Enter the passcode."}


@router.post("/sign-out")
async def sign_out(_: TheForm, settings: TheSettings) -> Response:
    """End the session."""
    response = RedirectResponse("/", 303)
    drop_cookie(settings, response)
    return response

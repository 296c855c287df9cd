"""Who is signed in: a signed cookie, made by the development sign-in for now."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request, Response
from starlette.responses import RedirectResponse

from frontend.domain import SAFE_METHODS, safe_next
from frontend.settings import FrontendSettings
from servicekit.security import LinkRefusedError, Signer

COOKIE = "session"
LIFETIME = timedelta(hours=12)
ORGANIZER = "organizer"
SIGN_IN_PAGE = "/sign-in"
BACK_OFFICE = "/back-office"


class SignInRequiredError(Exception):
    """Only organizers may do this, and nobody is signed in."""

    def __init__(self) -> None:
        super().__init__("Sign in as an organizer first.")


class PasscodeRefusedError(Exception):
    """The passcode is not the organizers'."""

    def __init__(self) -> None:
        super().__init__("That is not the passcode.")


@dataclass(frozen=True, slots=True)
class Organizer:
    """A person who may use the back office."""

    name: str


class Sessions:
    """Signs people in, and recognises them by what it has signed."""

    def __init__(self, key: str, passcode: str | None) -> None:
        self._signer = Signer(key, "session")
        self._passcode = passcode

    @property
    def can_sign_in(self) -> bool:
        """Whether there is a way to sign in at all."""
        return self._passcode is not None

    def sign_in(self, name: str, passcode: str, now: datetime) -> str:
        """The cookie's value for an organizer called `name`, or PasscodeRefusedError.

        Whether the passcode is right can't be told from how long this takes.
        """
        if self._passcode is None or not hmac.compare_digest(
            _bytes(passcode), _bytes(self._passcode)
        ):
            raise PasscodeRefusedError
        return self._signer.sign({"name": name, "roles": [ORGANIZER]}, now + LIFETIME)

    def read(self, cookies: Mapping[str, str], now: datetime) -> Organizer | None:
        """Who sent these cookies; None for a visitor, and for what is forged or expired."""
        text = cookies.get(COOKIE)
        if not text:
            return None
        try:
            value = self._signer.read(text, now)
        except LinkRefusedError:
            return None
        return Organizer(value["name"]) if ORGANIZER in value.get("roles", ()) else None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def put_cookie(settings: FrontendSettings, response: Response, value: str) -> None:
    """Let `response` carry the session, out of reach of scripts and other sites' forms."""
    response.set_cookie(
        COOKIE,
        value,
        max_age=int(LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=_is_secure(settings),
    )


def drop_cookie(settings: FrontendSettings, response: Response) -> None:
    """Let `response` end the session."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=_is_secure(settings))


def _is_secure(settings: FrontendSettings) -> bool:
    # Not by the request: its scheme behind a proxy is what a header says, and anyone can send that.
    return settings.profile == "production"


async def get_sessions(request: Request) -> Sessions:
    """The app's Sessions."""
    sessions: Sessions = request.app.state.sessions
    return sessions


async def get_visitor(request: Request) -> Organizer | None:
    """The signed-in organizer, None for anybody else."""
    sessions = await get_sessions(request)
    return sessions.read(request.cookies, datetime.now(UTC))


async def demand_organizer(
    visitor: Annotated[Organizer | None, Depends(get_visitor)],
) -> Organizer:
    """The signed-in organizer, or SignInRequiredError: a page then sends them to sign in, the
    gateway answers 401.
    """
    if visitor is None:
        raise SignInRequiredError
    return visitor


Visitor = Annotated[Organizer | None, Depends(get_visitor)]
"""The type of a route's parameter that tells who is signed in, if anybody is."""
SignedIn = Annotated[Organizer, Depends(demand_organizer)]
"""The type of a route's parameter that demands an organizer."""


def to_sign_in(request: Request, _: Exception) -> Response:
    """Send a person who has to sign in to the page for it, and then back to where they were."""
    path = request.url.path
    wanted = f"{path}?{request.url.query}" if request.url.query else path
    # What a form sent is gone by then; the form itself is in the back office.
    after = safe_next(wanted, BACK_OFFICE) if request.method in SAFE_METHODS else BACK_OFFICE
    return RedirectResponse(f"{SIGN_IN_PAGE}?next={quote(after, safe='/')}", status_code=303)

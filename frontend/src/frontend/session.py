"""Who is signed in: an encrypted cookie that says who, and a handle for what it must not hold."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request, Response
from pydantic import TypeAdapter

from frontend.openid import Attempt
from frontend.sealing import Seal, restored
from servicekit.identity import Identity

LIFETIME = timedelta(hours=12)
ATTEMPT_LIFETIME = timedelta(minutes=10)
ORGANIZER, REVIEWER = "organizer", "reviewer"
STAFF = frozenset({ORGANIZER, REVIEWER})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in. Their roles decide what pages show; what they may do is decided
    by the services, who read it in the access token.
    """

    subject: str
    name: str
    roles: frozenset[str]
    handle: str
    """Under which the site keeps their tokens; it says nothing to anybody else."""

    @property
    def is_organizer(self) -> bool:
        """Whether they decide."""
        return ORGANIZER in self.roles

    @property
    def is_reviewer(self) -> bool:
        """Whether they review."""
        return REVIEWER in self.roles


_PERSON, _ATTEMPT = TypeAdapter(Person), TypeAdapter(Attempt)


class Sessions:
    """The cookies: who is signed in, and who is just signing in."""

    def __init__(self, key: str, *, secure: bool) -> None:
        """`secure` says that the site is reached by TLS alone."""
        self._secure = secure
        prefix = "__Host-" if secure else ""
        self.cookie, self.attempt_cookie = f"{prefix}session", f"{prefix}sign-in"
        self._session, self._attempt = Seal(key, "session"), Seal(key, "sign-in")

    def begin(self, response: Response, attempt: Attempt, now: datetime) -> None:
        """Let the browser that gets `response` keep the attempt."""
        text = self._attempt.close(asdict(attempt), now + ATTEMPT_LIFETIME)
        self._put(response, self.attempt_cookie, text, ATTEMPT_LIFETIME)

    def attempt(self, cookies: Mapping[str, str], now: datetime) -> Attempt | None:
        """The sign-in that this browser has begun last; None where there is none."""
        return restored(_ATTEMPT, self._attempt.open(cookies.get(self.attempt_cookie, ""), now))

    def start(self, response: Response, identity: Identity, now: datetime) -> Person:
        """Let the browser that gets `response` be `identity` from now on, and end the attempt."""
        handle = secrets.token_urlsafe(32)
        # A cookie has 4 KiB: roles that mean nothing here stay outside.
        person = Person(identity.subject, identity.name, identity.roles & STAFF, handle)
        value = {**asdict(person), "roles": sorted(person.roles)}
        self._put(response, self.cookie, self._session.close(value, now + LIFETIME), LIFETIME)
        self._drop(response, self.attempt_cookie)
        return person

    def read(self, cookies: Mapping[str, str], now: datetime) -> Person | None:
        """Who sent these cookies; None for a visitor, and for what is forged, expired, or made by
        a version of this site with other fields.
        """
        text = cookies.get(self.cookie)
        return restored(_PERSON, self._session.open(text, now)) if text else None

    def end(self, response: Response) -> None:
        """Let the browser that gets `response` be a visitor again."""
        self._drop(response, self.cookie)

    def _put(self, response: Response, name: str, text: str, lifetime: timedelta) -> None:
        # Out of reach of scripts and of other sites' forms.
        response.set_cookie(
            name,
            text,
            max_age=int(lifetime.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )

    def _drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, httponly=True, samesite="lax", secure=self._secure)


async def get_sessions(request: Request) -> Sessions:
    """The app's Sessions."""
    sessions: Sessions = request.app.state.sessions
    return sessions


async def get_visitor(request: Request) -> Person | None:
    """Who is signed in, None for anybody else."""
    return (await get_sessions(request)).read(request.cookies, datetime.now(UTC))


TheSessions = Annotated[Sessions, Depends(get_sessions)]
Visitor = Annotated[Person | None, Depends(get_visitor)]
"""The type of a route's parameter that tells who is signed in, if anybody is."""

"""The session cookie: encrypted, with the person, and a handle for what it must not hold."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from fastapi import Response
from pydantic import TypeAdapter

from frontend.domain import SESSION_LIFETIME, STAFF, Person
from frontend.encryption import Cipher, restored
from frontend.identity.openid import Attempt
from servicekit.identity import Identity

ATTEMPT_LIFETIME = timedelta(minutes=10)
_PERSON, _ATTEMPT = TypeAdapter(Person), TypeAdapter(Attempt)


class Sessions:
    """The cookies: who is signed in, and who is just signing in."""

    def __init__(self, key: str, *, secure: bool) -> None:
        """`secure` says that the site is reached by TLS alone."""
        self._secure = secure
        prefix = "__Host-" if secure else ""
        self.cookie, self.attempt_cookie = f"{prefix}session", f"{prefix}sign-in"
        self._session, self._attempt = Cipher(key, "session"), Cipher(key, "sign-in")

    def begin(self, response: Response, attempt: Attempt, now: datetime) -> None:
        """Let the browser that gets `response` keep the attempt."""
        text = self._attempt.encrypt(asdict(attempt), now + ATTEMPT_LIFETIME)
        self._put(response, self.attempt_cookie, text, ATTEMPT_LIFETIME)

    def attempt(self, cookies: Mapping[str, str], now: datetime) -> Attempt | None:
        """The sign-in that this browser has begun last; None where there is none."""
        return restored(_ATTEMPT, self._attempt.decrypt(cookies.get(self.attempt_cookie, ""), now))

    def start(self, response: Response, identity: Identity, now: datetime) -> Person:
        """Let the browser that gets `response` be `identity` from now on, and end the attempt."""
        handle = secrets.token_urlsafe(32)
        # A cookie has 4 KiB: roles that mean nothing here stay outside.
        person = Person(identity.subject, identity.name, identity.roles & STAFF, handle)
        value = {**asdict(person), "roles": sorted(person.roles)}
        self._put(
            response,
            self.cookie,
            self._session.encrypt(value, now + SESSION_LIFETIME),
            SESSION_LIFETIME,
        )
        self._drop(response, self.attempt_cookie)
        return person

    def read(self, cookies: Mapping[str, str], now: datetime) -> Person | None:
        """Return who sent these cookies; None for a visitor, and for one forged, old, or made
        by a version of this site with other fields.
        """
        text = cookies.get(self.cookie)
        return restored(_PERSON, self._session.decrypt(text, now)) if text else None

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

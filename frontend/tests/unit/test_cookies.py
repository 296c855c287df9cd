"""The cookies: encrypted, so that nobody can read, alter or make one."""

from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import Response

from frontend.domain import SESSION_LIFETIME, Person
from frontend.encryption import Cipher
from frontend.identity.cookies import Sessions
from frontend.identity.openid import Attempt
from servicekit.identity import Identity

KEY = "k" * 32
NOW = datetime(2027, 1, 1, tzinfo=UTC)
SESSIONS = Sessions(KEY, secure=False)
ZOE = Identity("s-1", "Zoë", frozenset({"organizer", "default-roles-conference"}), None, 0)


def cookies(response: Response) -> dict[str, str]:
    """Return what a browser keeps of it."""
    pairs = [each.partition(";")[0] for each in response.headers.getlist("set-cookie")]
    return dict(each.split("=", 1) for each in pairs)


def started(sessions: Sessions = SESSIONS) -> Response:
    response = Response()
    sessions.start(response, ZOE, NOW)
    return response


def test_session_lasts_twelve_hours_and_knows_who_it_is() -> None:
    kept = cookies(started())
    person = SESSIONS.read(kept, NOW + SESSION_LIFETIME - timedelta(seconds=1))
    assert person is not None
    assert (person.subject, person.name) == ("s-1", "Zoë")
    assert person.roles == {"organizer"}
    assert (person.is_organizer, person.is_reviewer) == (True, False)
    assert SESSIONS.read(kept, NOW + SESSION_LIFETIME) is None


def test_session_shows_nothing_of_what_it_holds_and_fits_a_cookie() -> None:
    value = cookies(started())["session"]
    assert len(value) < 1000
    for part in value.split("."):
        assert "Zoë".encode() not in urlsafe_b64decode(part + "=" * (-len(part) % 4))
    assert len(value.split(".")) == 5, "encrypted (RFC 7516), not only signed"


@pytest.mark.parametrize("secure", [True, False])
def test_cookie_is_out_of_reach_and_bound_to_the_host_where_there_is_tls(secure: bool) -> None:
    header = started(Sessions(KEY, secure=secure)).headers["set-cookie"]
    assert header.startswith("__Host-session=" if secure else "session=")
    assert {"httponly", "path=/", "samesite=lax"} <= set(header.lower().split("; "))
    assert ("secure" in header.lower().split("; ")) is secure
    assert "domain" not in header.lower()


@pytest.mark.parametrize("text", ["", "x", "a.b", "a.b.c.d.e", "{}", "é", "\ud800", "." * 4])
def test_read_takes_what_is_forged_for_a_visitor(text: str) -> None:
    assert SESSIONS.read({"session": text}, NOW) is None


@pytest.mark.parametrize("part", range(5))
def test_read_takes_what_was_altered_for_a_visitor(part: int) -> None:
    parts = cookies(started())["session"].split(".")
    letters = parts[part] or "AAAA"
    parts[part] = ("B" if letters[0] != "B" else "C") + letters[1:]
    assert SESSIONS.read({"session": ".".join(parts)}, NOW) is None


def test_read_takes_no_cipher_of_another_purpose_or_another_key() -> None:
    value = {"subject": "s", "name": "Eve", "roles": ["organizer"], "handle": "h"}
    end = NOW + SESSION_LIFETIME
    for cipher in (Cipher(KEY, "sign-in"), Cipher("x" * 32, "session")):
        assert SESSIONS.read({"session": cipher.encrypt(value, end)}, NOW) is None
    assert SESSIONS.read({"session": Cipher(KEY, "session").encrypt(value, end)}, NOW) is not None


OF_NOW = {"subject": "s", "name": "Eve", "roles": ["organizer"], "handle": "h"}


@pytest.mark.parametrize(
    "value",
    [
        {},
        {name: value for name, value in OF_NOW.items() if name != "handle"},
        {**OF_NOW, "roles": None},
        {**OF_NOW, "name": 7},
    ],
)
def test_read_takes_the_session_of_a_version_that_lacks_a_field_for_a_visitor(
    value: dict[str, Any],
) -> None:
    text = Cipher(KEY, "session").encrypt(value, NOW + SESSION_LIFETIME)
    assert SESSIONS.read({"session": text}, NOW) is None


def test_read_leaves_out_what_only_a_newer_version_knows() -> None:
    text = Cipher(KEY, "session").encrypt({**OF_NOW, "picture": "x"}, NOW + SESSION_LIFETIME)
    person = SESSIONS.read({"session": text}, NOW)
    assert person == Person("s", "Eve", frozenset({"organizer"}), "h")


@pytest.mark.parametrize(("change", "is_one"), [({"state": None}, False), ({"hint": "x"}, True)])
def test_attempt_of_another_version_is_one_if_it_has_every_field(
    change: dict[str, Any], is_one: bool
) -> None:
    value = {"state": "s", "nonce": "n", "verifier": "v", "wanted": "/", **change}
    text = Cipher(KEY, "sign-in").encrypt(value, NOW + SESSION_LIFETIME)
    assert (SESSIONS.attempt({"sign-in": text}, NOW) is not None) is is_one


def test_attempt_is_kept_for_ten_minutes_and_ended_by_the_session() -> None:
    attempt = Attempt.to("/back-office")
    response = Response()
    SESSIONS.begin(response, attempt, NOW)
    kept = cookies(response)
    assert SESSIONS.attempt(kept, NOW + timedelta(minutes=9)) == attempt
    assert SESSIONS.attempt(kept, NOW + timedelta(minutes=10)) is None
    assert attempt.is_answered_by(attempt.state)
    assert not attempt.is_answered_by(Attempt.to("/").state)
    assert cookies(started())["sign-in"] == '""'

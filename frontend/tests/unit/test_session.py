"""The signed session."""

from datetime import UTC, datetime, timedelta

import pytest

from frontend.session import COOKIE, LIFETIME, Organizer, PasscodeRefusedError, Sessions
from servicekit.security import Signer

KEY = "k" * 32
NOW = datetime(2027, 1, 1, tzinfo=UTC)
SESSIONS = Sessions(KEY, "open sesame")


def test_sign_in_with_the_passcode_makes_an_organizer_for_twelve_hours() -> None:
    cookies = {COOKIE: SESSIONS.sign_in("Zoë", "open sesame", NOW)}
    assert SESSIONS.read(cookies, NOW + LIFETIME - timedelta(seconds=1)) == Organizer("Zoë")
    assert SESSIONS.read(cookies, NOW + LIFETIME) is None


@pytest.mark.parametrize("passcode", ["", "open", "open sesame ", "öffne dich", "\ud800"])
def test_sign_in_refuses_another_passcode(passcode: str) -> None:
    with pytest.raises(PasscodeRefusedError):
        SESSIONS.sign_in("Eve", passcode, NOW)


@pytest.mark.parametrize("passcode", ["", "anything"])
def test_sign_in_refuses_everybody_where_there_is_no_passcode(passcode: str) -> None:
    sessions = Sessions(KEY, None)
    assert not sessions.can_sign_in
    with pytest.raises(PasscodeRefusedError):
        sessions.sign_in("Eve", passcode, NOW)


@pytest.mark.parametrize("text", ["", "x", "a.b", "{}", "é"])
def test_read_takes_what_is_forged_for_a_visitor(text: str) -> None:
    assert SESSIONS.read({COOKIE: text}, NOW) is None


def test_read_refuses_what_was_signed_for_another_purpose_or_with_another_key() -> None:
    value = {"name": "Eve", "roles": ["organizer"]}
    end = NOW + LIFETIME
    for signer in (Signer(KEY, "proposal"), Signer("x" * 32, "session")):
        assert SESSIONS.read({COOKIE: signer.sign(value, end)}, NOW) is None


def test_read_gives_no_rights_without_the_role() -> None:
    text = Signer(KEY, "session").sign({"name": "Ada", "roles": []}, NOW + LIFETIME)
    assert SESSIONS.read({COOKIE: text}, NOW) is None

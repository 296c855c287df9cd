"""Signed values, and who may send a form."""

from datetime import UTC, datetime, timedelta

import pytest

from servicekit.security import LinkRefusedError, Signer, is_cross_site

NOW = datetime(2027, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SIGNER = Signer("k" * 32, "tickets")


def test_signed_value_is_read_until_its_end() -> None:
    text = SIGNER.sign({"seat": 7}, NOW + HOUR)
    assert SIGNER.read(text, NOW)["seat"] == 7
    with pytest.raises(LinkRefusedError, match="expired"):
        SIGNER.read(text, NOW + HOUR)


@pytest.mark.parametrize(
    "other", [Signer("x" * 32, "tickets"), Signer("k" * 32, "another purpose")]
)
def test_value_signed_otherwise_is_refused(other: Signer) -> None:
    with pytest.raises(LinkRefusedError, match="not one of ours"):
        SIGNER.read(other.sign({"seat": 7}, NOW + HOUR), NOW)


@pytest.mark.parametrize("text", ["", "a", "a.b", "é", "." * 100, "\x00"])
def test_value_that_was_never_signed_is_refused(text: str) -> None:
    with pytest.raises(LinkRefusedError):
        SIGNER.read(text, NOW)


def test_value_changed_by_a_letter_is_refused() -> None:
    text = SIGNER.sign({"seat": 7}, NOW + HOUR)
    with pytest.raises(LinkRefusedError):
        SIGNER.read(text[:3] + ("A" if text[3] != "A" else "B") + text[4:], NOW)


@pytest.mark.parametrize(
    ("headers", "cross"),
    [
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"origin": "https://site.example", "host": "site.example"}, False),
        ({"origin": "https://evil.example", "host": "site.example"}, True),
        ({"origin": "null", "host": "site.example"}, True),
        ({"host": "site.example"}, False),
    ],
)
def test_request_of_another_site_is_recognised(headers: dict[str, str], cross: bool) -> None:
    assert is_cross_site(headers) is cross

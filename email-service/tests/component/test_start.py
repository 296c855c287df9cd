"""A missing or wrong setting stops the start with one sentence; the unit tests know each."""

import pytest

from embedded import services
from embedded.process import refusal
from servicekit.testing import free_port


def refused(settings: dict[str, str]) -> str:
    """What a start says with `settings` over good ones; an empty one counts as missing."""
    nobody = services.Identities("http://127.0.0.1:1")
    url = "redis://127.0.0.1:1/0"
    return refusal(services.email(free_port(), free_port(), url, 1, nobody, settings))


@pytest.mark.parametrize("name", ["PORT", "VALKEY_URL", "OIDC_ISSUER"])
def test_missing_setting_stops_the_start(name: str) -> None:
    (said,) = refused({name: ""}).splitlines()
    assert said.startswith(f"The setting {name} is missing: it is ")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"SMTP_TLS": "yes"}, "The setting SMTP_TLS is wrong"),
        ({"MAIL_FROM": "nobody"}, "The setting MAIL_FROM is wrong"),
        ({"SMTP_TIMEOUT_SECONDS": "20"}, "SENDING_LEASE_SECONDS must be at least twice"),
    ],
)
def test_wrong_setting_stops_the_start(settings: dict[str, str], sentence: str) -> None:
    (said,) = refused(settings).splitlines()
    assert said.startswith(sentence)

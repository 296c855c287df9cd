"""What stops the start of the real process; the unit tests know each setting."""

from pathlib import Path

import pytest

from embedded import services
from embedded.process import refusal
from servicekit.testing import free_port

PRODUCTION = {
    "PROFILE": "production",
    "PUBLIC_URL": "http://conference.example.org",
    "OIDC_ISSUER": "https://id.example.org",
    "OIDC_CLIENT_SECRET": "a secret of its own",
    "FORWARDED_ALLOW_IPS": "none",
}


@pytest.mark.parametrize(
    ("changed", "sentences"),
    [
        (
            {"C4P_URL": "", "SESSION_KEY": "short"},
            ["The setting C4P_URL is missing: ", "The setting SESSION_KEY is wrong ("],
        ),
        (PRODUCTION, ["The setting PUBLIC_URL must be an https:// address"]),
    ],
)
def test_start_ends_with_a_sentence_for_each_setting(
    tmp_path: Path, changed: dict[str, str], sentences: list[str]
) -> None:
    program = services.frontend(
        free_port(),
        free_port(),
        urls=dict.fromkeys(("agenda", "c4p", "email", "public"), "http://127.0.0.1:1"),
        data=tmp_path,
        valkey_url="redis://127.0.0.1:1/0",
        session_key="k" * 32,
        identities=services.Identities("http://127.0.0.1:1"),
        env=changed,
    )
    said = refusal(program).splitlines()
    assert len(said) == len(sentences)
    assert all(map(str.startswith, said, sentences)), said

"""Settings that stop the start of the real process; the unit tests know each setting."""

from collections.abc import Callable
from pathlib import Path

import pytest

from testkit.process import Program, refusal

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
    tmp_path: Path,
    make_frontend: Callable[..., Program],
    changed: dict[str, str],
    sentences: list[str],
) -> None:
    nowhere = "http://127.0.0.1:1"
    urls = dict.fromkeys(("agenda", "c4p", "email"), nowhere)
    env = {"OIDC_ISSUER": nowhere, "PUBLIC_URL": nowhere, **changed}
    program = make_frontend(tmp_path, "redis://127.0.0.1:1/0", urls, **env)
    said = refusal(program).splitlines()
    assert len(said) == len(sentences)
    assert all(map(str.startswith, said, sentences)), said

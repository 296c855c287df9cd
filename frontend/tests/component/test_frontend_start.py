"""What stops the start of the real process."""

from pathlib import Path

import pytest

from embedded import services
from embedded.process import refusal
from servicekit.testing import free_port

PRODUCTION = {
    "PROFILE": "production",
    "PUBLIC_URL": "https://conference.example.org",
    "OIDC_ISSUER": "https://id.example.org",
    "OIDC_CLIENT_SECRET": "a secret of its own",
    "FORWARDED_ALLOW_IPS": "none",
}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"C4P_URL": ""}, "The setting C4P_URL is missing"),
        ({"VALKEY_URL": "valkey"}, "The setting VALKEY_URL is wrong"),
        ({"FORWARDED_ALLOW_IPS": "*"}, "The setting FORWARDED_ALLOW_IPS is wrong"),
        ({"FORWARDED_ALLOW_IPS": "10.0.0.1/8"}, "The setting FORWARDED_ALLOW_IPS is wrong"),
        ({"FORWARDED_ALLOW_IPS": "none, 10.0.0.1"}, "The setting FORWARDED_ALLOW_IPS is wrong"),
        ({"FORWARDED_ALLOW_IPS": "10.0.0.1, proxy"}, "The setting FORWARDED_ALLOW_IPS is wrong"),
        ({"SUBMISSIONS_PER_TEN_MINUTES": "0"}, "The setting SUBMISSIONS_PER_TEN_MINUTES is wrong"),
        ({"SESSION_KEY": "short"}, "The setting SESSION_KEY is wrong"),
        ({"OIDC_ISSUER": ""}, "The setting OIDC_ISSUER is missing"),
        ({**PRODUCTION, "OIDC_ISSUER": "http://x.org"}, "OIDC_ISSUER must be an https://"),
        ({**PRODUCTION, "PUBLIC_URL": "http://x.org"}, "PUBLIC_URL must be an https:// address"),
        ({**PRODUCTION, "FORWARDED_ALLOW_IPS": ""}, "FORWARDED_ALLOW_IPS is missing: production"),
        ({**PRODUCTION, "SESSION_KEY": f"development-{'k' * 32}"}, "SESSION_KEY is an example"),
        ({**PRODUCTION, "OIDC_CLIENT_SECRET": "development-secret"}, "OIDC_CLIENT_SECRET is an"),
    ],
)
def test_start_ends_with_one_sentence(
    tmp_path: Path, changed: dict[str, str], sentence: str
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
    (said,) = refusal(program).splitlines()
    assert sentence in said

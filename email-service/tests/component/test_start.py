"""A missing or wrong setting stops the start with one sentence; the unit tests know each."""

import subprocess

import pytest

from embedded import services
from servicekit.testing import free_port


def start(**settings: str) -> subprocess.CompletedProcess[str]:
    """A start with `settings` over good ones; an empty one counts as missing."""
    program = services.email(free_port(), free_port(), "redis://127.0.0.1:1/0", 1, settings)
    return subprocess.run(
        program.command,
        env=program.environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize("name", ["PORT", "VALKEY_URL"])
def test_missing_setting_stops_the_start(name: str) -> None:
    ended = start(**{name: ""})
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"The setting {name} is missing: it is ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"SMTP_TLS": "yes"}, "The setting SMTP_TLS is wrong"),
        ({"MAIL_FROM": "nobody"}, "The setting MAIL_FROM is wrong"),
        ({"SMTP_TIMEOUT_SECONDS": "20"}, "SENDING_LEASE_SECONDS must be at least twice"),
    ],
)
def test_wrong_setting_stops_the_start(settings: dict[str, str], sentence: str) -> None:
    ended = start(**settings)
    assert ended.returncode == 1
    assert ended.stderr.startswith(sentence)
    assert ended.stderr.count("\n") == 1

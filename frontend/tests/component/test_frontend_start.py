"""What stops the start of the real process."""

from pathlib import Path

import pytest

from embedded import services
from embedded.process import refusal
from servicekit.testing import free_port


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"C4P_URL": ""}, "The setting C4P_URL is missing"),
        ({"SESSION_KEY": "short"}, "The setting SESSION_KEY is wrong"),
        ({"PROFILE": "production"}, "there is no sign-in outside development yet"),
    ],
)
def test_start_ends_with_one_sentence(
    tmp_path: Path, changed: dict[str, str], sentence: str
) -> None:
    program = services.frontend(
        free_port(),
        free_port(),
        urls=dict.fromkeys(("agenda", "c4p", "email"), "http://127.0.0.1:1"),
        data=tmp_path,
        secrets={"session": "k" * 32, "passcode": "open sesame"},
        env=changed,
    )
    (said,) = refusal(program).splitlines()
    assert sentence in said

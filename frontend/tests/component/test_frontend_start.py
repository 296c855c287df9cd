"""What stops the start of the real process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from servicekit.testing import free_port


def start(folder: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": os.environ["PATH"],
        "PROFILE": "development",
        "PORT": str(free_port()),
        "METRICS_PORT": str(free_port()),
        "AGENDA_URL": "http://127.0.0.1:1",
        "C4P_URL": "http://127.0.0.1:1",
        "EMAIL_URL": "http://127.0.0.1:1",
        "SESSION_KEY": "k" * 32,
        "SIGN_IN_PASSCODE": "open sesame",
        "DATA_DIR": str(folder),
        "CONFERENCE_NAME": "Example Conference",
        **changed,
    }
    command = [sys.executable, "-m", "frontend.main"]
    return subprocess.run(command, env=env, text=True, capture_output=True, timeout=20, check=False)


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
    ended = start(tmp_path, **changed)
    assert ended.returncode == 1
    assert sentence in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert ended.stdout == ""

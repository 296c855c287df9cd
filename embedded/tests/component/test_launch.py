"""A forked process ends as the Python program that it has become would."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SEEN = "import os, sys; print(os.environ['WORD'], sys.argv[1], len(os.environ), flush=True)\n"


@pytest.mark.parametrize(
    ("end", "status", "last_words"),
    [
        ("", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('No such thing.')", 1, "No such thing."),
        ("raise ValueError('no')", 1, "ValueError: no"),
    ],
)
def test_module_ends_as_a_program_of_its_own_would(
    tmp_path: Path, end: str, status: int, last_words: str
) -> None:
    (tmp_path / "some_module.py").write_text(SEEN + end)
    order = tmp_path / "order.json"
    command = [sys.executable, "-m", "some_module", "argument"]
    order.write_text(
        json.dumps({"command": command, "environment": {"WORD": "canary"}, "end_signal": 15})
    )
    code = f"from embedded import launch; launch.become({str(order)!r})"
    # Its parent holds the other end, as long as it lives.
    reading, held = os.pipe()
    try:
        ended = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            stdin=reading,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(reading)
        os.close(held)
    assert (ended.returncode, ended.stdout) == (status, "canary argument 1\n")
    assert ended.stderr.strip().endswith(last_words)

"""A terminal in which the commands of the documentation are typed."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.documentation.commands import ROOT

LAST_LINE = "Ctrl-C stops it"


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return what somebody at a shell has, and nothing of the make that runs the tests."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "CONFERENCE_HOME": str(folder),
        **more,
    }


def shell(command: str, env: Mapping[str, str], cwd: Path = ROOT) -> str:
    """Return what a command prints; it has to succeed."""
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, f"{command}\n{ended.stdout}"
    return ended.stdout


class Terminal:
    """A terminal in which a `make up` runs until Ctrl-C."""

    def __init__(self, command: str, env: Mapping[str, str]) -> None:
        self._child = subprocess.Popen(
            ["bash", "-c", command],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A process group of its own, as a shell makes it: Ctrl-C reaches all of it.
            start_new_session=True,
        )
        assert self._child.stdout is not None
        self.text = ""
        for line in self._child.stdout:
            self.text += line
            if LAST_LINE in line:
                return
        pytest.fail(f"{command} has ended: {self.text}")

    def address(self, name: str) -> str:
        """Return the address that the banner has in its line `name`."""
        found = re.search(rf"^  {name} +(http://127\.0\.0\.1:\d+)", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]

    def addresses(self) -> list[str]:
        """Return all addresses of the banner."""
        return re.findall(r"http://127\.0\.0\.1:\d+[a-z./-]*", self.text)

    @property
    def passcode(self) -> str:
        """The passcode that the banner has."""
        found = re.search(r"passcode  (\S+)$", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]

    def press_ctrl_c(self) -> None:
        """Stop it, and see that everything has stopped in order."""
        if self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGINT)
        rest, _ = self._child.communicate(timeout=60)
        assert rest.endswith("Stopped.\n"), rest

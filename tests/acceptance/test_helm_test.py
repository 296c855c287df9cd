"""The script that `helm test` runs does on every platform what it says."""

import subprocess
import sys
from pathlib import Path

from tests.acceptance.office import Office
from tests.acceptance.site import Site

SCRIPT = Path(__file__).parents[2] / "charts" / "conference" / "submit_proposal.py"


def run(address: str) -> subprocess.CompletedProcess[str]:
    """The script, as the chart calls it."""
    command = [sys.executable, str(SCRIPT), address]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_script_hands_in_a_proposal(site: Site, office: Office) -> None:
    ended = run(site.url)
    assert ended.returncode == 0, ended.stderr
    identity = ended.stdout.split("/")[-1].strip()
    assert office.proposal(identity)["state"] == "submitted"
    office.withdraw(office.proposal(identity))


def test_script_fails_where_nothing_is_taken(site: Site) -> None:
    ended = run(f"{site.url}/nothing")
    assert ended.returncode != 0
    assert "404" in ended.stderr

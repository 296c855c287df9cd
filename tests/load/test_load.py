"""A short conference day by locust: no request fails, and what was acknowledged is there."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.acceptance.office import Office
from tests.acceptance.site import Site
from tests.load.counted import Counted

from embedded.platform import Platform
from testkit.waiting import wait_for

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
PEOPLE = {"Reader": 17, "Speaker": 5, "Organizer": 3}
"""More of the few than on a real day, since the day is short."""
SECONDS = 15
HASTE = 8.0
"""With that, they make about 30 requests a second: enough to overlap, easy on two cores."""
FEWEST_REQUESTS = 100


@pytest.fixture
def office(platform: Platform) -> Iterator[Office]:
    site = Site(platform.urls.site, platform.urls.mail, platform.passcode)
    made = Office(site.url, site.sign_in("Otto Organizer", "organizer"))
    yield made
    made.close()


def run_locust(platform: Platform, acknowledged: Path) -> Counted:
    """Let people in for a while; what locust counted."""
    host = platform.urls.site
    # Nobody else's platform may ever get this load.
    assert ip_address(urlsplit(host).hostname or "").is_loopback
    options = {
        "-f": LOCUSTFILE,
        "--host": host,
        "--users": sum(PEOPLE.values()),
        "--spawn-rate": sum(PEOPLE.values()),
        "--config-users": json.dumps(
            [{"user_class_name": kind, "fixed_count": number} for kind, number in PEOPLE.items()]
        ),
        "--run-time": f"{SECONDS}s",
        "--stop-timeout": 30,
        "--haste": HASTE,
        "--acknowledged": acknowledged,
    }
    arguments = [str(each) for option in options.items() for each in option]
    env = {"PATH": os.environ["PATH"], "PASSCODE": platform.passcode}
    ended = subprocess.run(
        [sys.executable, "-m", "locust", "--headless", "--only-summary", *arguments],
        env={**env, "MAIL_URL": platform.urls.mail},
        capture_output=True,
        text=True,
        timeout=SECONDS + 120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    return Counted.read(acknowledged.read_text())


def test_what_was_acknowledged_on_a_busy_day_is_there(
    platform: Platform, office: Office, tmp_path: Path
) -> None:
    counted = run_locust(platform, tmp_path / "acknowledged.json")
    print(counted)
    assert not counted.failures
    assert sum(counted.requests.values()) > FEWEST_REQUESTS
    counted.assert_everybody_came()
    titles, decisions = counted.titles, counted.decisions
    proposals = {each: office.proposal(each) for each in titles}
    assert {each: proposal["title"] for each, proposal in proposals.items()} == titles
    for title in titles.values():
        assert len(office.found(title.rpartition("(")[2].rstrip(")"))) == 1
    assert {each: office.proposal(each)["state"] for each in decisions} == decisions
    office.wait_until_all_is_told(60)
    accepted = {each for each, decision in decisions.items() if decision == "accepted"}
    wait_for(lambda: accepted <= agenda(office).keys(), "every accepted talk on the agenda", 60)
    slots = list(agenda(office).values())
    assert len(set(slots)) == len(slots)


def agenda(office: Office) -> dict[str, str]:
    """The slots of the agenda, by the proposals that are in them."""
    sessions = office.client.get("/sessions").json()["items"]
    return {each["proposal_id"]: each["slot"]["id"] for each in sessions}

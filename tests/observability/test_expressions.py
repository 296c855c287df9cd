"""A real Prometheus reads a platform with some traffic: every expression has data."""

import json
import math
import re
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import psycopg
import pytest
from tests.acceptance.office import Answer, Office
from tests.acceptance.site import Site
from tests.observability.failing import outage
from tests.observability.relay import UNKNOWN
from tests.observability.test_rules import ROOT, rules

from embedded.platform import Platform
from embedded.prometheus import find
from testkit.waiting import wait_for

RATE_INTERVAL = "5m"
"""What Grafana might put for $__rate_interval: longer than all of these tests take."""
ALL = ".*"
"""What it would put for $namespace and $version."""
# An alert compares with a number; what is before that must have data, whatever the number.
COMPARISON = re.compile(r"(?P<what>.+?)\s*[<>=!]=?\s*[\d.]+", re.DOTALL)


def panels() -> Iterator[tuple[str, str]]:
    """Each query of each dashboard, with its place."""
    for file in sorted((ROOT / "observability" / "dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                place = f"{file.stem}: {panel['title']}: {target['legendFormat']}"
                yield (
                    place,
                    target["expr"]
                    .replace("$__rate_interval", RATE_INTERVAL)
                    .replace("$namespace", ALL)
                    .replace("$version", ALL),
                )


def alerts() -> Iterator[tuple[str, str]]:
    """Return what each alert looks at, with its name."""
    for rule in rules("alert"):
        compared = COMPARISON.fullmatch(rule["expr"])
        assert compared is not None, f"{rule['alert']} does not end with a comparison"
        yield rule["alert"], compared["what"]


RECORDED = [(rule["record"], rule["expr"]) for rule in rules("record")]
NAMES = [(f"as {name}", name) for name, _ in RECORDED]
EXPRESSIONS = [*panels(), *alerts(), *RECORDED, *NAMES]


class Prometheus:
    """The server, as one asks it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def values(self, expression: str) -> list[float]:
        """Return what an expression gives now; without what is no number."""
        answer = httpx2.get(f"{self.url}/api/v1/query", params={"query": expression})
        assert answer.status_code == 200, f"{expression}: {answer.text}"
        found = answer.json()["data"]["result"]
        numbers = [float(each["value"][1]) for each in found]
        return [each for each in numbers if not math.isnan(each)]


@pytest.fixture(scope="module")
def prometheus(platform: Platform, site: Site) -> Prometheus:
    """Reading a platform on which everything has happened that is counted."""
    made = Prometheus(platform.url("prometheus"))
    office = Office(site.url, site.sign_in("Otto Organizer", "organizer"))
    wait_for(lambda: made.values("sum(up)") == [4.0], "the first reading", 60, 0.1)
    accepted_without_a_word = make_traffic(office)
    forget_a_delivery(platform, accepted_without_a_word["id"])
    # It looks when it starts, and each minute.
    platform.kill("consistency-job")
    forgotten = accepted_without_a_word["id"]
    wait_for(lambda: is_reported(office, forgotten), "a report, before nothing can be asked", 90)
    with outage(platform, "postgres"):
        assert office.client.get("/proposals").status_code == 503
    # What appears with 1 has not grown, as a rate sees it: it is read before it happens again.
    wait_for(lambda: made.values('decisions_total{decision="rejected"} > 0'), "a reading", 60, 0.1)
    make_traffic(office)
    office.close()
    return made


def make_traffic(office: Office) -> Answer:
    """Submissions, decisions of both kinds, mails that go and that don't, the agenda.

    Returns a proposal on which nobody has decided.
    """
    mark = uuid.uuid4().hex[:12]
    talk = {
        "title": f"Figures {mark}",
        "abstract": "What is counted.",
        "speaker_name": "Ada Lovelace",
        "speaker_email": f"ada-{mark}@example.org",
    }
    accepted, rejected, undecided = [office.submit(talk) for _ in range(3)]
    office.decide(accepted, "accepted")
    office.decide(rejected, "rejected")
    office.submit({**talk, "speaker_email": f"{UNKNOWN}{talk['speaker_email']}"})
    assert office.client.post("/proposals", json={}).status_code == 422
    office.wait_for_session(accepted)
    for proposal in (accepted, rejected):
        office.wait_until_told(proposal)
    return undecided


def forget_a_delivery(platform: Platform, proposal_id: str) -> None:
    """Leave something that does not fit and that can't be repaired: accepted, and told nobody."""
    before = datetime.now(UTC) - timedelta(hours=1)
    with psycopg.connect(platform.url("postgres")) as database:
        database.execute(
            "UPDATE proposals SET state = 'accepted', decided_at = %s, updated_at = %s"
            " WHERE id = %s",
            [before, before, proposal_id],
        )


def is_reported(office: Office, proposal_id: str) -> bool:
    """Return whether the consistency job has found something about a proposal."""
    reports = office.client.get("/consistency-reports").json()["items"]
    return any(each["subject"] == proposal_id for report in reports for each in report["findings"])


@pytest.mark.parametrize(
    ("place", "expression"), EXPRESSIONS, ids=[each for each, _ in EXPRESSIONS]
)
def test_expression_has_data(prometheus: Prometheus, place: str, expression: str) -> None:
    wait_for(lambda: prometheus.values(expression), f"data of {place}: {expression}", 60, 0.2)


def test_alert_that_sees_its_case_is_pending_or_fires(prometheus: Prometheus) -> None:
    def states() -> dict[str, str]:
        groups = httpx2.get(f"{prometheus.url}/api/v1/rules").json()["data"]["groups"]
        told = [rule for group in groups for rule in group["rules"] if rule["type"] == "alerting"]
        return {rule["name"]: rule["state"] for rule in told}

    expected = {
        "DeliveriesGivenUp": "firing",
        "ConsistencyFindings": "pending",
        "ServiceDown": "inactive",
        "ServiceAbsent": "inactive",
    }
    wait_for(lambda: expected.items() <= states().items(), f"the alerts {expected}", 60, 0.2)


@pytest.mark.parametrize("part", ["site", "c4p", "agenda", "email"])
def test_metrics_are_named_as_prometheus_wants(
    platform: Platform, prometheus: Prometheus, part: str
) -> None:
    del prometheus  # for its traffic, which brings every metric into being
    text = httpx2.get(f"http://127.0.0.1:{platform.ports[f'{part}_metrics']}/metrics").content
    done = subprocess.run(
        [find("promtool"), "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()

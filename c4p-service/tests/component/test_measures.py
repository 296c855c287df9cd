"""Metrics of proposals, decisions, the outbox and the consistency job."""

import uuid
from collections.abc import Callable
from typing import Any

import httpx2

from testkit.process import Process
from testkit.waiting import wait_for

Submit = Callable[..., dict[str, Any]]


def figures(service: Process) -> dict[str, float]:
    """The value of each series."""
    text = httpx2.get(f"http://127.0.0.1:{service.program.env['METRICS_PORT']}/metrics").text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_decision_is_counted_once_however_often_it_is_made(
    service: Process, client: httpx2.Client, submit: Submit
) -> None:
    before = figures(service)
    accepted, rejected = submit(), submit()
    for proposal, decision in ((accepted, "accepted"), (rejected, "rejected")):
        for _ in range(2):
            path = f"/proposals/{proposal['id']}/decision"
            assert client.post(path, json={"decision": decision}).status_code == 200
    assert client.post(path, json={"decision": "submitted"}).status_code == 422
    after = figures(service)
    for decision in ("accepted", "rejected"):
        series = f'decisions_total{{decision="{decision}"}}'
        assert after[series] - before[series] == 1


def test_proposals_are_told_by_state(
    service: Process, client: httpx2.Client, submit: Submit
) -> None:
    submit()
    counts = client.get("/proposals?limit=1").json()["counts"]
    told = {f'proposals{{state="{state}"}}': number for state, number in counts.items()}
    wait_for(lambda: told.items() <= figures(service).items(), f"the figures {told}")


def test_findings_are_those_of_the_newest_report_that_could_ask_everybody(
    service: Process, client: httpx2.Client
) -> None:
    finding = {"subject": "s", "detail": "d", "cure": "c"}

    def report(at: str, *findings: tuple[str, bool], complete: bool = True) -> None:
        found = [{**finding, "check": check, "repaired": done} for check, done in findings]
        body = {"id": str(uuid.uuid4()), "checked_at": at, "complete": complete, "findings": found}
        client.put("/consistency-reports", json=body).raise_for_status()

    def series() -> dict[str, float]:
        return {
            name: value
            for name, value in figures(service).items()
            if name.startswith("consistency_findings{")
        }

    report("2027-01-01T00:00:00Z", ("old", False))
    report("2027-01-02T00:00:00Z", ("two in one slot", False), ("two in one slot", False))
    report("2027-01-03T00:00:00Z", complete=False)
    expected = {'consistency_findings{check="two in one slot",repaired="false"}': 2.0}
    wait_for(lambda: series() == expected, "the findings")
    assert figures(service)["consistency_report_timestamp_seconds"] == 1798848000
    report("2027-01-04T00:00:00Z", ("two in one slot", True))
    expected = {'consistency_findings{check="two in one slot",repaired="true"}': 1.0}
    wait_for(lambda: series() == expected, "the repair")
    report("2027-01-05T00:00:00Z")
    wait_for(lambda: not series(), "no finding")

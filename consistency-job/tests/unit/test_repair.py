"""A repair looks after what it has tried."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from structlog.testing import capture_logs

from consistency import repair
from consistency.clients import Services
from consistency.domain import Finding, RetryDelivery, Tolerances

ID = UUID(int=1)
DELIVERY_ID = UUID(int=2)
FINDING = Finding("a check", ID, "It is wrong.", "Repair it.", RetryDelivery(DELIVERY_ID))
OTHER = Finding("a check", UUID(int=3), "It is wrong too.", "Ask somebody.")
REFUSED_ID = UUID(int=4)
REFUSED = Finding("a check", ID, "It is wrong.", "Repair it.", RetryDelivery(REFUSED_ID))
TOLERANCES = Tolerances(settle=timedelta(seconds=30), stuck=timedelta(minutes=15))
LONG_AGO = "2027-01-10T09:00:00Z"


class Platform:
    """All services in one.

    A delivery that was given up, and once it is tried again arrives at the `patience`-th question
    for it; and beside it a mail whose retry is answered by the status `refusal`.
    """

    def __init__(self, patience: int, target: str = "agenda", refusal: int | None = None) -> None:
        self.asked: list[str] = []
        self._patience = patience
        self._target = target
        self._refusal = refusal
        self._state = "failed"

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        asked = f"{request.method} {request.url.raw_path.decode()}"
        self.asked.append(asked)
        if request.method == "POST":
            return httpx2.Response(self._retried(request.url.path))
        if request.url.path == f"/proposals/{ID}":
            return httpx2.Response(200, json=self._proposal())
        items = self._deliveries() if request.url.path == "/deliveries" else []
        return httpx2.Response(200, json={"items": items, "next_cursor": None})

    def _retried(self, path: str) -> int:
        if self._refusal is not None and str(REFUSED_ID) in path:
            return self._refusal
        self._state = "waiting"
        return 202

    def _proposal(self) -> dict[str, Any]:
        return {
            "id": str(ID),
            "title": "Outboxes",
            "speaker_name": "Ada",
            "state": "submitted",
            "version": 1,
            "updated_at": LONG_AGO,
        }

    def _deliveries(self) -> list[dict[str, Any]]:
        self._patience -= 1
        if self._state == "waiting" and self._patience <= 0:
            self._state = "delivered"
        found = [self._delivery(DELIVERY_ID, self._target, self._state)]
        if self._refusal is not None:
            found.append(self._delivery(REFUSED_ID, "email", "failed"))
        return found

    def _delivery(self, delivery_id: UUID, target: str, state: str) -> dict[str, Any]:
        return {
            "id": str(delivery_id),
            "proposal_id": str(ID),
            "target": target,
            "kind": "session" if target == "agenda" else "received",
            "state": state,
            "created_at": LONG_AGO,
            "next_attempt_at": None,
            "delivered_at": None,
            "last_error": None,
        }


async def attempt(
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    limit: float,
    findings: Sequence[Finding] = (FINDING, OTHER),
) -> set[Finding]:
    monkeypatch.setattr(repair, "PAUSE_SECONDS", 0)
    urls = ("http://c4p", "http://agenda", "http://email")
    transport = httpx2.MockTransport(platform)
    async with Services(*urls, timeout_seconds=1, transport=transport) as services:
        return await repair.repair_findings(services, findings, TOLERANCES, limit)


async def test_repair_waits_and_asks_only_for_what_was_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    platform = Platform(patience=4)
    assert await attempt(platform, monkeypatch, limit=10) == {FINDING}
    deliveries = f"GET /deliveries?limit=200&proposal_id={ID}"
    look = ["GET /sessions", f"GET /proposals/{ID}", deliveries]
    assert platform.asked == [deliveries, f"POST /deliveries/{DELIVERY_ID}/retry", *look * 3]


async def test_repair_that_did_not_help_is_called_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with capture_logs() as lines:
        assert await attempt(Platform(patience=1000), monkeypatch, limit=0.05) == set()
    assert [line["event"] for line in lines] == ["tried"]


@pytest.mark.parametrize("refusal", [404, 409, 500])
async def test_repair_goes_on_where_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    platform = Platform(patience=2, refusal=refusal)
    cured = await attempt(platform, monkeypatch, limit=10, findings=[REFUSED, FINDING, REFUSED])
    assert cured == {FINDING}


async def test_repair_of_a_mail_cures_whatever_found_it_and_sends_it_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    platform = Platform(patience=2, target="email")
    findings = [FINDING, replace(FINDING, check="another check")]
    assert await attempt(platform, monkeypatch, limit=10, findings=findings) == set(findings)
    assert platform.asked.count(f"POST /deliveries/{DELIVERY_ID}/retry") == 1

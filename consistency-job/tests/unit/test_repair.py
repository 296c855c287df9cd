"""How a repair looks after what it has tried."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from structlog.testing import capture_logs

from consistency import repair
from consistency.clients import Services
from consistency.domain import Finding, Patience, RetryDelivery

ID = UUID(int=1)
DELIVERY_ID = UUID(int=2)
FINDING = Finding("a check", ID, "It is wrong.", "Repair it.", RetryDelivery(DELIVERY_ID))
OTHER = Finding("a check", UUID(int=3), "It is wrong too.", "Ask somebody.")
PATIENCE = Patience(settle=timedelta(seconds=30), stuck=timedelta(minutes=15))
LONG_AGO = "2027-01-10T09:00:00Z"


class Platform:
    """All services in one: a delivery that arrives at the `patience`-th question for it."""

    def __init__(self, patience: int) -> None:
        self.asked: list[str] = []
        self._patience = patience

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        asked = f"{request.method} {request.url.raw_path.decode()}"
        self.asked.append(asked)
        if request.method == "POST":
            return httpx2.Response(202)
        if request.url.path == f"/proposals/{ID}":
            return httpx2.Response(200, json=self._proposal())
        items = [self._delivery()] if request.url.path == "/deliveries" else []
        return httpx2.Response(200, json={"items": items, "next_cursor": None})

    def _proposal(self) -> dict[str, Any]:
        return {
            "id": str(ID),
            "title": "Outboxes",
            "speaker_name": "Ada",
            "state": "submitted",
            "version": 1,
            "updated_at": LONG_AGO,
        }

    def _delivery(self) -> dict[str, Any]:
        self._patience -= 1
        return {
            "id": str(DELIVERY_ID),
            "proposal_id": str(ID),
            "target": "agenda",
            "kind": "session",
            "state": "waiting" if self._patience > 0 else "delivered",
            "created_at": LONG_AGO,
            "next_attempt_at": None,
            "delivered_at": None,
            "last_error": None,
        }


async def attempt(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, limit: float
) -> set[Finding]:
    monkeypatch.setattr(repair, "PAUSE_SECONDS", 0)
    urls = ("http://c4p", "http://agenda", "http://email")
    transport = httpx2.MockTransport(platform)
    async with Services(*urls, timeout_seconds=1, transport=transport) as services:
        return await repair.repair(services, [FINDING, OTHER], PATIENCE, limit)


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

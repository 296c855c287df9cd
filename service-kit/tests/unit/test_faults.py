"""Faults on purpose: how many requests they reach, and which they leave alone."""

import asyncio
from itertools import cycle

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import REGISTRY
from pydantic import ValidationError
from structlog.testing import capture_logs

from servicekit.app import create_app
from servicekit.faults import EXEMPT, Faults
from servicekit.settings import ServerSettings
from testkit.problems import problem

SETTINGS = {"profile": "development", "port": 1, "metrics_port": 1}
router = APIRouter()


@router.get("/talks/{number}")
async def talk(number: int) -> int:
    return number


def client(app: FastAPI | Faults) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app)
    return httpx2.AsyncClient(transport=transport, base_url="http://service")


def faulty(error_ratio: float, delay_seconds: float, *draws: float) -> Faults:
    app = FastAPI()
    app.include_router(router)
    drawn = cycle(draws)
    return Faults(app, router.routes, error_ratio, delay_seconds, lambda: next(drawn))


def injected(kind: str) -> float:
    found = REGISTRY.get_sample_value("faults_injected_total", {"kind": kind})
    assert found is not None
    return found


async def test_faults_answer_their_share_of_requests_with_a_problem() -> None:
    app = faulty(0.25, 0, 0.0, 0.24, 0.25, 0.99)
    before = injected("error")
    with capture_logs() as lines:
        async with client(app) as asking:
            answers = [await asking.get(f"/talks/{number}") for number in range(8)]
    assert [each.status_code for each in answers] == [500, 500, 200, 200] * 2
    assert problem(answers[0]) == (500, "internal-error")
    assert injected("error") == before + 4
    assert [(each["event"], each["kind"]) for each in lines] == [("fault injected", "error")] * 4


async def test_faults_delay_each_request() -> None:
    app = faulty(0, 60, 0.0)
    before = injected("delay")
    async with client(app) as asking:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asking.get("/talks/1"), 0.05)
    assert injected("delay") == before + 1


@pytest.mark.parametrize("path", sorted(EXEMPT))
async def test_faults_leave_alone_what_tells_the_state_of_the_process(path: str) -> None:
    settings = ServerSettings.model_validate(
        {**SETTINGS, "fault_error_ratio": 1, "fault_delay_seconds": 60}
    )
    app = create_app("example", settings, [router])
    async with client(app) as asking:
        assert (await asking.get(path)).status_code != 500


async def test_faults_are_off_by_default() -> None:
    settings = ServerSettings.model_validate(SETTINGS)
    app = create_app("example", settings, [router])
    async with client(app) as asking:
        assert (await asking.get("/talks/7")).json() == 7


@pytest.mark.parametrize("name", ["fault_error_ratio", "fault_delay_seconds"])
def test_faults_are_refused_by_name_in_production(name: str) -> None:
    with pytest.raises(ValidationError, match=name.upper()):
        ServerSettings.model_validate({**SETTINGS, "profile": "production", name: 0.5})


@pytest.mark.parametrize(
    ("name", "value"),
    [("fault_error_ratio", 1.1), ("fault_error_ratio", -0.1), ("fault_delay_seconds", 61)],
)
def test_faults_beyond_their_bounds_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValidationError, match=name):
        ServerSettings.model_validate({**SETTINGS, name: value})

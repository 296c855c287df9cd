from typing import Any

import httpx2
import pytest

from frontend.pages.errors import wants_page
from frontend.rendering import csp

from .conftest import ISSUER, PROPOSAL_ID, Neighbours


@pytest.mark.parametrize(
    ("path", "accept", "expected"),
    [
        ("/agenda", "text/html,*/*", True),
        ("/apiary", "text/html", True),
        ("/api", "text/html", False),
        ("/api/nothing", "text/html", False),
        ("/info", "text/html", False),
        ("/agenda", "application/json", False),
        ("/agenda", "*/*", False),
        ("/agenda", "", False),
    ],
)
def test_people_get_pages_and_programs_get_problems(path: str, accept: str, expected: bool) -> None:
    assert wants_page(path, accept) is expected


@pytest.mark.parametrize(
    ("method", "path", "status", "heading"),
    [
        ("GET", "/nothing", 404, "There is nothing here"),
        ("DELETE", "/agenda", 405, "Not in this way"),
        ("GET", "/agenda/not-an-id", 404, "There is nothing here"),
        ("GET", "/call-for-proposals/received?reference=x", 422, "That is not valid"),
    ],
)
async def test_an_error_is_a_page(
    browser: httpx2.AsyncClient, method: str, path: str, status: int, heading: str
) -> None:
    answer = await browser.request(method, path)

    assert answer.status_code == status
    assert f"<h1>{heading}</h1>" in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


async def test_an_error_that_nobody_expected_is_a_page_and_a_line_in_the_log(
    browser: httpx2.AsyncClient, logged: list[Any]
) -> None:
    answer = await browser.get("/broken")

    assert answer.status_code == 500
    assert "<h1>Something went wrong here</h1>" in answer.text
    assert answer.headers["content-security-policy"] == csp(ISSUER)
    assert "a fault of ours" not in answer.text
    assert [str(each["exc_info"]) for each in logged if each["log_level"] == "error"] == [
        "a fault of ours"
    ]


async def test_a_program_gets_the_problem(browser: httpx2.AsyncClient, logged: list[Any]) -> None:
    for path, status in (("/nothing", 404), ("/broken", 500)):
        answer = await browser.get(path, headers={"Accept": "application/json"})

        assert answer.status_code == status
        assert answer.json()["status"] == status
    assert logged


async def test_a_neighbour_that_is_unavailable_is_a_503_page(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.fail("GET", "/consistency-reports")
    answer = await organizer.get("/back-office/consistency")

    assert answer.status_code == 503
    assert "c4p is unavailable just now." in answer.text
    assert answer.headers["retry-after"]


async def test_a_refusal_of_a_neighbour_keeps_its_status(
    organizer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.refuse("GET", f"/proposals/{PROPOSAL_ID}", "proposal-not-found", 404)
    answer = await organizer.get(f"/back-office/proposals/{PROPOSAL_ID}")

    assert answer.status_code == 404
    assert "<h1>There is nothing here</h1>" in answer.text

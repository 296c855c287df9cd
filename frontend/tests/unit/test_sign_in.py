import httpx2
import pytest
from fastapi import FastAPI

from frontend.session import Sessions

FORM = {"name": "Olga", "passcode": "open sesame", "next": "/back-office?state=accepted"}


async def test_the_right_passcode_opens_the_page_that_was_wanted(
    browser: httpx2.AsyncClient,
) -> None:
    answer = await browser.post("/sign-in", data=FORM)

    assert answer.status_code == 303
    assert answer.headers["location"] == FORM["next"]
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "evil.example",
        "",
    ],
)
async def test_no_link_leads_away_from_the_site(browser: httpx2.AsyncClient, wanted: str) -> None:
    answer = await browser.post("/sign-in", data={**FORM, "next": wanted})
    assert answer.headers["location"] == "/back-office"

    page = await browser.get("/sign-in", params={"next": wanted})
    assert 'name="next" value="/back-office"' in page.text


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"passcode": "wrong"}, 403, "That is not the passcode."),
        ({"passcode": "\u00e9"}, 403, "That is not the passcode."),
        ({"passcode": ""}, 422, "Enter the passcode."),
        ({"name": " "}, 422, "Enter your name."),
        ({"name": "a\x00"}, 422, "control characters are not allowed"),
        ({"name": "\u4e16" * 80}, 422, "Use a shorter name."),
    ],
)
async def test_a_refusal_says_why_and_forgets_the_passcode(
    browser: httpx2.AsyncClient, change: dict[str, str], status: int, message: str
) -> None:
    answer = await browser.post("/sign-in", data={**FORM, **change})

    assert answer.status_code == status
    assert message in answer.text
    assert "set-cookie" not in answer.headers
    assert "open sesame" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("profile", "is_secure"), [("production", True), ("development", False)])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_cookie_is_secure_by_the_profile_whatever_the_request_says(
    app: FastAPI,
    browser: httpx2.AsyncClient,
    profile: str,
    is_secure: bool,
    scheme: str,
) -> None:
    app.state.settings = app.state.settings.model_copy(update={"profile": profile})
    for path in ("/sign-in", "/sign-out"):
        answer = await browser.post(f"{scheme}://site{path}", data=FORM)
        assert ("secure" in answer.headers["set-cookie"].lower()) is is_secure


async def test_where_there_is_no_sign_in_the_page_says_so(
    app: FastAPI, browser: httpx2.AsyncClient
) -> None:
    app.state.sessions = Sessions("k" * 32, None)

    assert "There is no sign-in here" in (await browser.get("/sign-in")).text
    assert (await browser.post("/sign-in", data=FORM)).status_code == 403


async def test_sign_out_ends_the_session(organizer: httpx2.AsyncClient) -> None:
    answer = await organizer.post("/sign-out")

    assert answer.headers["location"] == "/"
    assert "max-age=0" in answer.headers["set-cookie"].lower()

import re
from urllib.parse import urlencode

import httpx2
import pytest
from fastapi.routing import APIRoute

from frontend import routes
from frontend.pages.forms import Field, Sent, fill

from .conftest import PROPOSAL_ID

LINE = Field("title", "Enter a title.", 10)
TEXT = Field("abstract", "Write an abstract.", 10, is_long=True)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("fine", None),
        ("  fine  ", None),
        ("", "Enter a title."),
        (" \n ", "Enter a title."),
        ("x" * 11, "Use at most 10 characters; these are 11."),
        ("a\x00b", "This cannot be stored: control characters are not allowed."),
        ("a\nb", "This cannot be stored: it must be a single line."),
        ("a\u202eb", "This cannot be stored: control characters are not allowed."),
    ],
)
def test_a_line_says_what_is_wrong(text: str, error: str | None) -> None:
    assert LINE.error(text) == error


def test_a_long_text_may_have_lines_but_no_control_characters() -> None:
    assert TEXT.error("a\nb") is None
    assert TEXT.error("a\x00b") is not None


def test_fill_keeps_what_was_typed_beside_the_errors() -> None:
    filled = fill([LINE, TEXT], Sent([("title", " x "), ("title", "y"), ("other", "z")]))

    assert filled.values == {"title": " x ", "abstract": ""}
    assert filled.errors == {"abstract": "Write an abstract."}


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("12", 12), ("", None), ("-1", None), ("1.5", None), ("9" * 10, None), ("²", None)],
)
def test_a_number_is_a_whole_one_or_none(text: str, number: int | None) -> None:
    assert Sent([("n", text)]).number("n") == number


def test_line_breaks_of_a_form_become_line_feeds() -> None:
    assert Sent([("a", "1\r\n2")]).get("a") == "1\n2"


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"title=%ff", FORM, 400),
        (b"title=\xff", FORM, 400),
        (b"&".join(b"a=1" for _ in range(600)), FORM, 400),
        (b"{}", {"Content-Type": "application/json"}, 415),
        (b"x", {}, 415),
        (b"a=" + b"x" * 70_000, FORM, 413),
        (b"", {}, 422),
        (b"%00=%00&title=%00", FORM, 422),
        (urlencode({"title": "\ud800"}, errors="surrogatepass").encode(), FORM, 400),
    ],
)
async def test_whatever_is_sent_gets_a_page(
    browser: httpx2.AsyncClient, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = await browser.post("/call-for-proposals", content=body, headers=headers)

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


UNSAFE = [
    re.sub(r"\{\w+\}", str(PROPOSAL_ID), route.path)
    for router in routes.ROUTERS
    for route in router.routes
    # What OpenAPI describes is the gateway's, which has tests of its own for this.
    if isinstance(route, APIRoute)
    and not route.include_in_schema
    and "POST" in (route.methods or ())
]


@pytest.mark.parametrize("path", UNSAFE)
async def test_no_page_takes_a_form_of_another_site(
    organizer: httpx2.AsyncClient, path: str
) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = await organizer.post(path, data={"a": "b"}, headers=headers)

    assert answer.status_code == 403
    assert "Another site sent this form" in answer.text

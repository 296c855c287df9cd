import re
from html.parser import HTMLParser
from importlib.resources import files

import httpx2
import pytest

from frontend.clients.schemas import Schedule
from frontend.rendering import STATIC, csp, venue

from .conftest import ISSUER, SCHEDULE


async def test_a_static_file_may_be_kept_for_ever(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get(STATIC["style.css"].address)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_a_static_file_of_another_version_may_not_be_kept(
    browser: httpx2.AsyncClient,
) -> None:
    answer = await browser.get("/static/0123456789ab/style.css")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["nothing.css", "..%2frendering.py", "%00"])
async def test_no_other_file_is_served(browser: httpx2.AsyncClient, name: str) -> None:
    assert (await browser.get(f"/static/0123456789ab/{name}")).status_code == 404


async def test_pages_carry_the_strict_policy(browser: httpx2.AsyncClient) -> None:
    for path in ("/", "/nothing", "/agenda"):
        assert (await browser.get(path)).headers["content-security-policy"] == csp(ISSUER)


class _InlineCode(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith("on")]


@pytest.mark.parametrize(
    "template", [each.name for each in files("frontend").joinpath("templates").iterdir()]
)
def test_no_template_has_inline_style_or_script(template: str) -> None:
    source = files("frontend").joinpath("templates", template).read_text()
    parser = _InlineCode()
    parser.feed(re.sub(r"\{[%{#].*?[#%}]\}", "", source, flags=re.DOTALL))

    assert parser.found == []
    assert "| safe" not in source


def test_the_script_stays_small() -> None:
    assert STATIC["script.js"].content.count(b"\n") <= 80


def test_a_track_has_a_class_and_an_unknown_one_none() -> None:
    track_class = venue(Schedule.model_validate(SCHEDULE))["track_class"]

    assert track_class("Platform") == "track-1"
    assert track_class("People") == "track-2"
    assert track_class("x' onload='") == ""


def test_without_a_schedule_times_are_utc() -> None:
    assert venue(None)["zone"].key == "UTC"

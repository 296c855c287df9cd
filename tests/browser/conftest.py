"""Browsers for the tests: each page is watched, and a fault in any of them fails its test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.acceptance.site import Site
from tests.browser.chromium import Faults, chromium

from embedded.platform import Platform

PATIENCE_MILLISECONDS = 60_000

NewPage = Callable[..., Page]


@pytest.fixture(scope="session")
def site(platform: Platform) -> Site:
    """Always a platform of our own: some of these tests stop parts of it."""
    return Site(platform.urls.site, platform.urls.mail, platform.passcode)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser process; each page of a test has cookies of its own."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with chromium() as running:
        yield running


@pytest.fixture
def new_page(browser: Browser, site: Site) -> Iterator[NewPage]:
    """Makes an empty page; takes the options of playwright's `new_context`."""
    faults = Faults()
    with ExitStack() as stack:

        def make(**options: Any) -> Page:
            page = open_page(browser, site, faults, **options)
            stack.callback(page.context.close)
            return page

        yield make
    faults.assert_none()


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def page(new_page: NewPage, request: pytest.FixtureRequest) -> Page:
    """A visitor's page."""
    return new_page(java_script_enabled=request.param)


@pytest.fixture
def office_page(new_page: NewPage, page: Page, site: Site) -> Page:
    """The page of an organizer who is signed in, with JavaScript where `page` has it."""
    own = new_page(java_script_enabled=has_java_script(page))
    be_somebody(own, site, "Olga Organizer", "organizer")
    return own


def open_page(browser: Browser, site: Site, faults: Faults, **options: Any) -> Page:
    """An empty page in a context of its own, which takes the options of `new_context`."""
    context = browser.new_context(base_url=site.url, reduced_motion="reduce", **options)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    faults.watch(context)
    return context.new_page()


def has_java_script(page: Page) -> bool:
    """True when scripts of the page itself run there."""
    page.goto("/agenda")
    return page.get_by_role("button", name="Print").is_visible()


def be_somebody(page: Page, site: Site, name: str, *roles: str, email: str = "") -> None:
    """Let `page` be that of somebody who has signed in."""
    cookie = site.sign_in(name, *roles, email=email)
    page.context.add_cookies([{"name": "session", "value": cookie, "url": site.url}])

"""Every page in every state: nothing for axe to find, nothing cut off, nothing in the console."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Browser, Page, ViewportSize, expect
from tests.acceptance.mails import Mails
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.site import Site
from tests.browser.chromium import Faults
from tests.browser.conftest import open_page
from tests.browser.scene import Scene
from tests.browser.states import STATES

from embedded.platform import Platform
from testkit.waiting import wait_for

DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}
NARROW: ViewportSize = {"width": 320, "height": 640}
VIOLATIONS: Mapping[str, Any] = {"resultTypes": ["violations"]}
# WCAG 2.2 asks for targets that a thumb can hit; axe looks at them only where it is told to.
TARGETS = {"target-size": {"enabled": True}}
ALL_RULES = {**VIOLATIONS, "rules": TARGETS}
# Each look is judged by what differs in it: the mark-up is the same in the dark, the colours are
# the same on a phone.
COLOURS = {**VIOLATIONS, "runOnly": ["color-contrast", "link-in-text-block"]}
NO_COLOURS = {**VIOLATIONS, "rules": {**TARGETS, "color-contrast": {"enabled": False}}}
LOOKS: Mapping[str, tuple[ViewportSize, Literal["light", "dark"], Mapping[str, Any]]] = {
    "light": (DESK, "light", ALL_RULES),
    "dark": (DESK, "dark", COLOURS),
    "on a phone": (PHONE, "light", NO_COLOURS),
}
OVERFLOW = """() => [...document.querySelectorAll("body *")]
    .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
    .map(each => each.outerHTML.slice(0, 200))"""
WIDTH = "document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def watched(browser: Browser, site: Site) -> Iterator[tuple[Page, Faults]]:
    """One page for all of these tests: a new one for each would double their time."""
    faults = Faults()
    page = open_page(browser, site, faults)
    yield page, faults
    page.context.close()


@pytest.fixture
def scene(
    watched: tuple[Page, Faults],
    site: Site,
    office: Office,
    mails: Mails,
    mark: str,
    new_talk: Callable[[], Talk],
    window: Answer,
) -> Iterator[Scene]:
    page, faults = watched
    page.context.clear_cookies()
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")
    yield Scene(page, site, office, mails, mark, new_talk)
    faults.assert_none()


def assert_good(page: Page) -> None:
    """Look at the page in every way."""
    page.evaluate(AXE_SCRIPT)
    for look, (size, scheme, rules) in LOOKS.items():
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        found = AxeResults(page.evaluate("rules => axe.run(rules)", rules))
        assert not found.violations_count, f"{look}: {found.generate_report()}"
        assert_not_wider(page, size)
    page.set_viewport_size(NARROW)
    assert_not_wider(page, NARROW)


def assert_not_wider(page: Page, size: ViewportSize) -> None:
    """Nothing sticks out to the right, where it could be reached by scrolling sideways only."""
    assert page.evaluate(WIDTH) <= size["width"], page.evaluate(OVERFLOW)


@pytest.mark.parametrize("name", STATES)
def test_page_is_good_for_everybody(scene: Scene, name: str) -> None:
    STATES[name](scene)
    assert_good(scene.page)


def test_page_is_good_while_services_are_unavailable(scene: Scene, platform: Platform) -> None:
    accepted, waiting = scene.accepted(), scene.submitted()
    links = {each["id"]: scene.mails.link_to(each["speaker_email"]) for each in (accepted, waiting)}
    with ExitStack() as away:
        _stop(platform, "agenda-service", away)
        _stop(platform, "email-service", away)
        wait_for(lambda: _shows_saved_agenda(scene), "the saved agenda")
        assert_good(scene.page)
        scene.as_organizer(f"/back-office/proposals/{accepted['id']}")
        expect(scene.page.get_by_text("The agenda service can")).to_be_visible()
        assert_good(scene.page)
        scene.open(f"/agenda/{accepted['id']}")
        expect(scene.page.get_by_text("The abstract can")).to_be_visible()
        assert_good(scene.page)

        late = scene.submitted()
        wait_for(lambda: _shows_untold(scene), "the mail that waits")
        assert_good(scene.page)
        scene.open(f"/back-office/proposals/{late['id']}")
        expect(scene.page.get_by_text("The mail service can")).to_be_visible()
        assert_good(scene.page)

        scene.open(links[waiting["id"]])
        _stop(platform, "c4p-service", away)
        scene.press("Save changes", abstract="Typed in vain?")
        expect(scene.page.get_by_label("Abstract")).to_have_value("Typed in vain?")
        assert_good(scene.page)
        scene.open("/call-for-proposals?generate=1")
        scene.press("Submit proposal", title=scene.mark)
        expect(scene.page.get_by_role("alert")).to_contain_text("It cannot be confirmed")
        expect(scene.page.get_by_label("Title")).to_have_value(scene.mark)
        assert_good(scene.page)
        for address in ("/", "/about", "/back-office", "/back-office/window"):
            scene.open(address)
            assert_good(scene.page)


def test_page_is_good_while_the_agenda_is_full(scene: Scene) -> None:
    with full_agenda(scene) as too_late:
        scene.as_organizer(f"/back-office/proposals/{too_late}")
        expect(scene.page.get_by_text("If no slot is free, make one")).to_be_visible()
        assert_good(scene.page)
        scene.open(f"/back-office?q={scene.office.proposal(too_late)['title']}")
        given_up = scene.page.get_by_role("status").filter(has_text="could not be told to others")
        expect(given_up).to_be_visible()
        assert_good(scene.page)
        scene.open("/agenda")
        assert_good(scene.page)


@contextmanager
def full_agenda(scene: Scene) -> Iterator[str]:
    """Accept one more than there are slots; gives the proposal that finds none."""
    office, talk = scene.office, scene.new_talk()
    slots = office.client.get("/schedule").json()["slots"]
    proposals = [
        office.submit({**talk, "title": f"{talk['title']} {number}"})
        for number in range(len(slots) + 1)
    ]
    decisions = [{"proposal_id": each["id"], "decision": "accepted"} for each in proposals]
    office.client.post("/proposals/decisions", json={"decisions": decisions})

    def given_up() -> str:
        params = {"state": "failed", "limit": "200"}
        failed = office.client.get("/deliveries", params=params).json()["items"]
        ours = {each["id"] for each in proposals} & {each["proposal_id"] for each in failed}
        return next(iter(ours), "")

    try:
        yield wait_for(given_up, "the agenda to be full", 60)
    finally:
        for each in proposals:
            office.withdraw(each)
        # The tests that follow need slots.
        for each in proposals:
            office.wait_until_off_the_agenda(each)


def _shows_saved_agenda(scene: Scene) -> bool:
    scene.open("/agenda")
    return scene.page.get_by_role("status").filter(has_text="saved at").is_visible()


def _shows_untold(scene: Scene) -> bool:
    scene.open(f"/back-office?q={scene.mark}")
    return scene.page.get_by_text("not told yet").is_visible()


def _stop(platform: Platform, part: str, away: ExitStack) -> None:
    away.callback(platform.start, part)
    platform.stop(part)

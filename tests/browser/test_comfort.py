"""Use beyond seeing and clicking: the keyboard alone, paper, and the comfort of JavaScript."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.site import Site
from tests.browser.conftest import NewPage, be_somebody

MOST_TABS = 60
FOCUSED = """() => {
    const element = document.activeElement;
    return element.labels?.[0]?.textContent.trim() || element.textContent.trim();
}"""

WHY_NOT_SEEN = """() => {
    const element = document.activeElement;
    if (getComputedStyle(element).outlineStyle === "none") return "there is no outline";
    const box = element.getClientRects()[0];
    const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return element === there || element.contains(there) ? "" : `${there?.outerHTML} covers it`;
}"""


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """With JavaScript, which these tests are about or don't mind."""
    return new_page()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what is called `name` has the focus; each stop on the way must be seen."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        hidden = page.evaluate(WHY_NOT_SEEN)
        assert not hidden, f"{page.evaluate(FOCUSED)!r} has the focus, and {hidden}"
        if page.evaluate(FOCUSED) == name:
            return
    raise AssertionError(f"{MOST_TABS} tabs do not lead to {name!r}")


def test_proposal_is_handed_in_by_keyboard_alone(
    page: Page, talk: Talk, office: Office, mark: str
) -> None:
    page.goto("/")
    tab_to(page, "Call for Proposals")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title")).to_be_visible()
    for label, text in {
        "Title": talk["title"],
        "Abstract": "By keyboard.",
        "Your name": talk["speaker_name"],
        "Email": talk["speaker_email"],
    }.items():
        tab_to(page, label)
        page.keyboard.type(text)
    tab_to(page, "Submit proposal")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Thank you, your proposal is in")).to_be_visible()
    (proposal,) = office.found(mark)
    assert {name: proposal[name] for name in talk} == {**talk, "abstract": "By keyboard."}


def test_proposal_is_accepted_by_keyboard_alone(
    page: Page, site: Site, submitted: Answer, office: Office
) -> None:
    be_somebody(page, site, "Olga Organizer", "organizer")
    page.goto(f"/back-office?q={submitted['title'].split()[1]}")
    tab_to(page, f"Select “{submitted['title']}”")
    page.keyboard.press("Space")
    tab_to(page, "Accept")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="1 of 1 decided")).to_be_focused()
    assert office.proposal(submitted["id"])["state"] == "accepted"


def test_list_is_gone_through_by_keyboard_without_losing_sight(
    page: Page, site: Site, new_talk: Callable[[], Talk], mark: str, office: Office
) -> None:
    first, *_ = [office.submit(new_talk()) for _ in range(15)]
    be_somebody(page, site, "Olga Organizer", "organizer")
    page.set_viewport_size({"width": 1280, "height": 640})
    page.goto(f"/back-office?q={mark}")
    tab_to(page, first["title"])


def test_first_tab_offers_to_skip_what_every_page_has(page: Page) -> None:
    page.goto("/agenda")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).not_to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_errors_take_the_focus_and_lead_to_their_fields(page: Page) -> None:
    page.goto("/call-for-proposals")
    page.get_by_role("button", name="Submit proposal").click()
    alert = page.get_by_role("alert")
    expect(alert).to_be_focused()
    expect(alert.get_by_role("link")).to_have_count(4)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_agenda_on_paper_is_the_agenda_alone_and_white(
    new_page: NewPage, accepted: Answer, scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    page.goto("/agenda")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="Agenda", level=1)).to_be_visible()
    expect(page.get_by_role("link", name=accepted["title"])).to_be_visible()
    for unneeded in ("Main", "Filter the agenda"):
        expect(page.get_by_role("navigation", name=unneeded)).to_have_count(0)
    expect(page.get_by_role("contentinfo")).to_have_count(0)
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    table = page.get_by_role("table").first
    expect(table).to_be_visible()
    paper = page.pdf(prefer_css_page_size=True)
    # A4 in landscape, in points; a first page of another form would hold nothing but the heading.
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)
    assert sizes
    assert all(float(width) > float(height) for width, height in sizes), sizes


def test_countdown_counts(page: Page, window: Answer, office: Office) -> None:
    closes_at = datetime.now(UTC) + timedelta(minutes=50)
    office.set_window(None, closes_at.isoformat())
    page.goto("/call-for-proposals")
    countdown = page.locator("[data-countdown]")
    expect(countdown).to_have_text(re.compile(r"^4\d minutes( \d+ seconds?)?$"))
    expect(countdown).not_to_have_text(countdown.inner_text())


def test_all_on_a_page_are_selected_at_once(
    page: Page, site: Site, new_talk: Callable[[], Talk], mark: str, office: Office
) -> None:
    talks = [new_talk() for _ in range(3)]
    for each in talks:
        office.submit(each)
    be_somebody(page, site, "Olga Organizer", "organizer")
    page.goto(f"/back-office?q={mark}")
    boxes = [page.get_by_label(f"Select “{each['title']}”") for each in talks]
    every = page.get_by_label("Select all on this page")
    every.check()
    for box in boxes:
        expect(box).to_be_checked()
    boxes[0].uncheck()
    expect(every).not_to_be_checked()
    assert every.evaluate("box => box.indeterminate")

"""The main stories in a real browser, with JavaScript and without: the platform needs none."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

from playwright.sync_api import Locator, Page, expect
from tests.acceptance.mails import Mails
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.site import Site
from tests.browser.conftest import be_somebody

from c4p.links import Links
from embedded.platform import Platform
from testkit.waiting import wait_for

SAVED = re.compile(r"^saved at \d\d:\d\d, the live agenda is unavailable$")


def hand_in(page: Page, talk: Talk) -> None:
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role(
        "link", name="Call for Proposals"
    ).click()
    page.get_by_label("Title").fill(talk["title"])
    page.get_by_label("Abstract").fill(talk["abstract"])
    page.get_by_label("Your name").fill(talk["speaker_name"])
    page.get_by_label("Email").fill(talk["speaker_email"])
    page.get_by_role("button", name="Submit proposal").click()
    expect(page.get_by_role("heading", name="Thank you, your proposal is in")).to_be_visible()


def test_organizer_signs_in_and_out(page: Page, site: Site) -> None:
    page.goto("/back-office?state=accepted")
    page.get_by_label("Name").fill("Olga Organizer")
    page.get_by_label("Passcode").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("That is not the passcode.")
    page.get_by_label("Passcode").fill(site.passcode)
    page.get_by_role("button", name="Sign in").click()
    expect(heading(page, "Proposals")).to_be_visible()
    expect(page).to_have_url(f"{site.url}/back-office?state=accepted")
    page.get_by_role("button", name="Sign out").click()
    expect(heading(page, "Example Conference 2027")).to_be_visible()
    expect(page).to_have_url(f"{site.url}/")
    page.goto("/back-office")
    expect(heading(page, "Sign in")).to_be_visible()


def test_reviewer_reviews_what_an_organizer_then_reads(
    page: Page, office_page: Page, site: Site, submitted: Answer
) -> None:
    be_somebody(page, site, "Rita Reviewer", "reviewer")
    page.goto(f"/back-office/proposals/{submitted['id']}")
    page.get_by_label("Score").select_option("5")
    page.get_by_label("Comment").fill("Clear, and new.")
    page.get_by_role("button", name="Save the review").click()
    expect(status(page, "Your review is saved.")).to_be_visible()
    office_page.goto(f"/back-office/proposals/{submitted['id']}")
    expect(office_page.get_by_text("5.0 of 5 on average")).to_be_visible()
    expect(office_page.get_by_text("Clear, and new.")).to_be_visible()


def heading(page: Page, name: str) -> Locator:
    return page.get_by_role("heading", name=name, exact=True, level=1)


def status(page: Page, text: str | re.Pattern[str]) -> Locator:
    return page.get_by_role("status").filter(has_text=text)


def test_talk_from_submission_over_acceptance_to_withdrawal(
    page: Page, office_page: Page, talk: Talk, mails: Mails, office: Office
) -> None:
    title = talk["title"]
    hand_in(page, talk)

    office_page.goto("/back-office")
    office_page.get_by_role("searchbox", name="Search the proposals").fill(title)
    office_page.get_by_role("button", name="Search").click()
    office_page.get_by_role("link", name=title, exact=True).click()
    office_page.get_by_label("Message to the speaker (optional)").fill("We look forward to it.")
    office_page.get_by_role("button", name="Accept").click()
    expect(status(office_page, "The proposal is accepted.")).to_be_visible()
    (proposal,) = office.found(title)
    office.wait_for_session(proposal)

    page.goto(mails.link_to(talk["speaker_email"]))
    expect(page.get_by_text("We look forward to it.")).to_be_visible()
    page.get_by_role("link", name="See when and where").click()
    expect(heading(page, title)).to_be_visible()
    page.goto("/agenda")
    page.get_by_role("link", name=title).click()
    expect(heading(page, title)).to_be_visible()

    page.goto(mails.link_to(talk["speaker_email"]))
    page.get_by_label("Yes, I want to withdraw it").check()
    page.get_by_role("button", name="Withdraw proposal").click()
    expect(status(page, "Your proposal is withdrawn.")).to_be_visible()
    office.wait_until_off_the_agenda(proposal)
    page.goto("/agenda")
    expect(page.get_by_role("link", name=title)).to_have_count(0)


def test_expired_link_says_so_and_what_to_do(
    page: Page, platform: Platform, site: Site, submitted: Answer
) -> None:
    links = Links(platform.home.secrets().link_key, site.url, days=1)
    now = datetime.now(UTC)
    page.goto(links.link(UUID(submitted["id"]), now))
    expect(heading(page, submitted["title"])).to_be_visible()

    answer = page.goto(links.link(UUID(submitted["id"]), now - timedelta(days=2)))
    assert answer is not None
    assert answer.status == 403
    expect(heading(page, "This link does not open the proposal")).to_be_visible()
    expect(page.get_by_text("The link has expired.")).to_be_visible()
    expect(page.get_by_text("open the link in the latest mail")).to_be_visible()
    expect(page.get_by_text("answer to that mail")).to_be_visible()
    expect(page.get_by_text(submitted["title"])).to_have_count(0)


def test_speaker_corrects_and_changes_a_proposal(
    page: Page, talk: Talk, mails: Mails, office: Office, mark: str
) -> None:
    page.goto("/call-for-proposals?generate=1")
    page.get_by_label("Title").fill(talk["title"])
    page.get_by_label("Email").fill("nobody")
    page.get_by_role("button", name="Submit proposal").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter an address")
    expect(page.get_by_label("Email")).to_have_accessible_description(re.compile("Enter an"))
    expect(page.get_by_label("Title")).to_have_value(talk["title"])
    page.get_by_label("Email").fill(talk["speaker_email"])
    page.get_by_role("button", name="Submit proposal").click()
    expect(page.get_by_role("heading", name="Thank you, your proposal is in")).to_be_visible()

    page.goto(mails.link_to(talk["speaker_email"]))
    page.get_by_label("Abstract").fill("Shorter.")
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Your changes are saved.")).to_be_visible()
    expect(page.get_by_label("Abstract")).to_have_value("Shorter.")
    (proposal,) = office.found(mark)
    assert proposal["abstract"] == "Shorter."


def test_many_are_decided_at_once_with_a_result_for_each(
    office_page: Page, new_talk: Callable[[], Talk], mark: str, office: Office
) -> None:
    proposals = [office.submit(new_talk()) for _ in range(3)]
    office_page.goto(f"/back-office?q={mark}")
    for each in proposals:
        office_page.get_by_label(f"Select “{each['title']}”").check()
    office.decide(proposals[0], "accepted")
    office_page.get_by_label("Message to the selected speakers").fill("So many talks.")
    office_page.get_by_role("button", name="Reject").click()
    results = status(office_page, "2 of 3 decided")
    expect(results).to_contain_text("refused, since it is accepted.")
    expect(results.get_by_role("listitem")).to_have_count(3)
    assert sorted(each["state"] for each in office.found(mark)) == [
        *("accepted", "rejected", "rejected")
    ]


def test_session_moves_to_a_free_slot_and_not_to_a_taken_one(
    office_page: Page, new_talk: Callable[[], Talk], office: Office
) -> None:
    first, second = (office.decide(office.submit(new_talk()), "accepted") for _ in range(2))
    for each in (first, second):
        office.wait_for_session(each)
    office_page.goto(f"/back-office/proposals/{first['id']}")
    slots = office_page.get_by_label("Move to")
    free = slots.locator("option").filter(has_not_text=re.compile(r"taken|\(now\)")).last
    slot = free.get_attribute("value")
    assert slot is not None
    slots.select_option(slot)
    office_page.get_by_role("button", name="Move").click()
    expect(status(office_page, "The session is moved.")).to_be_visible()
    expect(office_page.get_by_label("Move to")).to_have_value(slot)

    office_page.goto(f"/back-office/proposals/{second['id']}")
    office_page.get_by_label("Move to").select_option(slot)
    office_page.get_by_role("button", name="Move").click()
    expect(office_page.get_by_role("alert")).to_contain_text(first["title"])
    expect(office_page.get_by_role("alert")).to_contain_text("The session stays where it is.")


@contextmanager
def without(platform: Platform, part: str) -> Iterator[None]:
    """Stop a part for a while."""
    platform.stop(part)
    try:
        yield
    finally:
        platform.start(part)


def test_agenda_is_a_saved_one_while_its_service_is_unavailable(
    page: Page, accepted: Answer, platform: Platform
) -> None:
    notice = page.get_by_role("status").filter(has_text=SAVED)

    def reloaded(*, has_notice: bool) -> bool:
        page.goto("/agenda")
        return notice.is_visible() is has_notice

    wait_for(lambda: reloaded(has_notice=False), "the live agenda")
    with without(platform, "agenda-service"):
        wait_for(lambda: reloaded(has_notice=True), "the notice")
        page.get_by_role("link", name=accepted["title"]).click()
        expect(heading(page, accepted["title"])).to_be_visible()
        expect(notice).to_be_visible()
        expect(
            status(page, "The abstract can\N{RIGHT SINGLE QUOTATION MARK}t be shown")
        ).to_be_visible()
        page.goto("/")
        expect(notice).to_be_visible()
    wait_for(lambda: reloaded(has_notice=False), "the live agenda again", 30)
    expect(page.get_by_role("link", name=accepted["title"])).to_be_visible()

"""Scenes: states of the platform in which a page is looked at, and the steps to them."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page
from tests.acceptance.mails import Mails
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.site import Site
from tests.browser.conftest import be_somebody


@dataclass(frozen=True, slots=True)
class Scene:
    """The tools to get to a state; `page` is then on it."""

    page: Page
    site: Site
    office: Office
    mails: Mails
    mark: str
    new_talk: Callable[[], Talk]

    def open(self, address: str) -> None:
        """Go to an address."""
        self.page.goto(address)

    def press(self, button: str, **fields: str) -> None:
        """Fill in fields, by their ids, and press a button."""
        for name, text in fields.items():
            self.page.locator(f"#{name}").fill(text)
        # Begun before the press: the page that was left is loaded as well.
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button, exact=True).click()

    def submitted(self, **changed: str) -> Answer:
        """A new proposal."""
        return self.office.submit({**self.new_talk(), **changed})

    def accepted(self, **changed: str) -> Answer:
        """A proposal on the agenda."""
        proposal = self.office.decide(self.submitted(**changed), "accepted", "Very welcome.")
        self.office.wait_for_session(proposal)
        return proposal

    def as_speaker(self, proposal: Answer) -> None:
        """Open the speaker's own page."""
        self.open(self.mails.link_to(proposal["speaker_email"]))

    def as_organizer(self, address: str) -> None:
        """Sign in and open a page of the back office."""
        self.as_somebody(address, "Olga Organizer", "organizer")

    def as_somebody(self, address: str, name: str, *roles: str, email: str = "") -> None:
        """Sign in with these roles and open a page."""
        be_somebody(self.page, self.site, name, *roles, email=email)
        self.open(address)

    def as_organizer_of(self, proposal: Answer) -> None:
        """Open the organizers' page of a proposal once all is told."""
        self.office.wait_until_told(proposal)
        self.as_organizer(f"/back-office/proposals/{proposal['id']}")

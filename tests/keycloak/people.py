"""Steps of people at Keycloak's own page."""

from playwright.sync_api import Locator, Page, expect


def at_keycloak(page: Page) -> Locator:
    """The field by which a person knows that Keycloak asks who they are."""
    return page.get_by_label("Username or email")


def enter(page: Page, name: str, password: str) -> None:
    """Fill in the form that Keycloak shows, and send it."""
    at_keycloak(page).fill(name)
    # A button beside the field, which shows what was typed, has a label with the same word.
    page.get_by_role("textbox", name="Password").fill(password)
    page.get_by_role("button", name="Sign In").click()


def sign_in(page: Page, name: str, password: str) -> None:
    """Let `page` be that of somebody who has signed in; it shows the site's home page."""
    page.goto("/sign-in?next=/")
    enter(page, name, password)
    expect(page.get_by_role("heading", name="Example Conference 2027", level=1)).to_be_visible()

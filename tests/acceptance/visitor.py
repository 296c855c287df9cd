"""A person with a browser that knows no JavaScript: opens pages, follows links, sends forms."""

from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urljoin

import httpx2
from tests.acceptance.document import Fields, Page
from tests.acceptance.programs import program
from tests.acceptance.site import Site

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Visitor:
    """One person; `page` is what they look at, `cookies` what their browser keeps."""

    def __init__(self, site: str) -> None:
        self.page = Page(0, "about:blank", "")
        self._client = program(
            site,
            headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"},
            follow_redirects=True,
        )
        self._origin = {"Origin": site, "Sec-Fetch-Site": "same-origin"}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that their browser has."""
        return dict(self._client.cookies)

    def open(self, address: str) -> Page:
        """Enter an address, or use one from a mail."""
        return self._see(self._client.get(address))

    def follow(self, link: str) -> Page:
        """Follow a link of this page by its name."""
        return self.open(self.page.link(link))

    def press(self, button: str, fields: Fields | None = None) -> Page:
        """Fill in `fields` and send the form of this page by its button."""
        form = self.page.form(button)
        pairs = form.filled(fields or {})
        action = urljoin(self.page.url, form.action)
        if form.method == "get":
            return self.open(f"{action}?{urlencode(pairs)}")
        return self.send(action, urlencode(pairs).encode())

    def send(self, address: str, body: bytes) -> Page:
        """Send a form as it is."""
        headers = {**FORM, **self._origin}
        return self._see(self._client.post(address, content=body, headers=headers))

    def _see(self, answer: httpx2.Response) -> Page:
        assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.headers
        self.page = Page(answer.status_code, str(answer.url), answer.text)
        return self.page


def sign_in(
    visitor: Visitor,
    site: Site,
    name: str,
    *,
    email: str = "",
    organizer: bool = True,
    reviewer: bool = False,
) -> None:
    """Fill in the form of the development provider, to which the visitor was led."""
    assert visitor.page.heading == "Sign in", visitor.page.text
    said = {"Name": name, "Email (optional)": email, "Passcode": site.passcode}
    visitor.press("Sign in", {**said, "Organizer": organizer, "Reviewer": reviewer})

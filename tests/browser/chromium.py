"""A real browser, and all that goes wrong in its pages without being seen."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    sync_playwright,
)
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Request as BrowserRequest
from tests.browser.install_browser import find

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """The Chromium that `install_browser` finds, without a window."""
    path = find()
    assert path is not None, "There is no Chromium; run `python tests/browser/install_browser.py`."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Faults:
    """Collects what a person does not see: console errors, refused content, missing files."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        """Note every fault in the pages of `context` from now on."""
        context.on("page", self._watch)

    def _watch(self, page: Page) -> None:
        page.on("console", self._of_console)
        page.on("pageerror", self._of_script)
        page.on("response", self._of_response)
        page.on("requestfailed", self._of_request)

    def assert_none(self) -> None:
        """AssertionError that tells all that were found since the last time."""
        found, self._found = self._found, []
        assert not found, "\n".join(found)

    def _of_console(self, message: ConsoleMessage) -> None:
        # A page that is an error by its status is no fault; a missing file is, see _of_response.
        if message.text.startswith("Failed to load resource: the server responded with"):
            return
        if message.type in {"error", "warning"}:
            self._found.append(f"{message.type} in the console: {message.text}")

    def _of_script(self, error: PlaywrightError) -> None:
        self._found.append(f"exception: {error}")

    def _of_response(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            self._found.append(f"{response.status} for {response.url}")

    def _of_request(self, request: BrowserRequest) -> None:
        # Whoever leaves a page cuts off what it was still loading.
        if request.failure != "net::ERR_ABORTED":
            self._found.append(f"{request.failure} for {request.url}")

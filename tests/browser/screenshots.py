"""Takes the pictures of docs/pictures, of a platform filled by the demo data.

Run it as a module from the project folder: `python -m tests.browser.screenshots`.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx2
from playwright.sync_api import Browser, Page, ViewportSize
from tests.acceptance.office import Office
from tests.acceptance.site import Site
from tests.browser.chromium import chromium
from tests.browser.conftest import be_somebody

from embedded.demo import fill
from embedded.platform import Platform
from embedded.signing_in import sign_in
from testkit.waiting import wait_for

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SIZE: ViewportSize = {"width": 1280, "height": 800}
MOST_BYTES = 200_000


def main() -> None:
    """Fill a platform of its own, take each picture, and say what was written."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="pictures-") as folder,
        Platform(Path(folder)) as platform,
        chromium() as browser,
    ):
        site = Site(platform.urls.site, platform.urls.mail, platform.passcode)
        office = Office(site.url, site.sign_in("Olga Petrova", "organizer"))
        _fill(platform, office)
        for name, show in pictures(site).items():
            _take(browser, site, name, show)
        office.close()


def _fill(platform: Platform, office: Office) -> None:
    with httpx2.Client(base_url=platform.urls.site, timeout=30, trust_env=False) as client:
        sign_in(client, "Demo Organizer", platform.passcode)
        accepted = fill(client)["accepted"]

    office.wait_until_all_is_told(60)
    wait_for(lambda: len(office.client.get("/sessions").json()["items"]) == accepted, "the agenda")


def pictures(site: Site) -> dict[str, Callable[[Page], None]]:
    """Return what to show on each picture, by its name."""

    def agenda(page: Page) -> None:
        page.goto("/agenda")

    def back_office(page: Page) -> None:
        be_somebody(page, site, "Olga Organizer", "organizer")
        page.goto("/back-office")

    return {"agenda": agenda, "back-office": back_office}


def _take(browser: Browser, site: Site, name: str, show: Callable[[Page], None]) -> None:
    context = browser.new_context(
        base_url=site.url, viewport=SIZE, device_scale_factor=1, color_scheme="light"
    )
    page = context.new_page()
    show(page)
    file = PICTURES / f"{name}.png"
    page.screenshot(path=file)
    context.close()
    size = file.stat().st_size
    assert size < MOST_BYTES, f"{file} has {size} bytes"
    print(f"{file.relative_to(PICTURES.parents[1])}: {size // 1024} KiB")


if __name__ == "__main__":
    main()

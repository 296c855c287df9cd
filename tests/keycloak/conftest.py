"""The whole platform with a real Keycloak, and who uses them."""

from collections.abc import Iterator

import pytest
from tests.acceptance.office import Office
from tests.acceptance.programs import program
from tests.browser.conftest import browser, new_page, site
from tests.keycloak.realm import Realm

from embedded.platform import Platform
from embedded.signing_in import sign_in_at_keycloak

__all__ = ["browser", "new_page", "site"]
"""The fixtures by which the browser tests have pages, on the platform of this folder."""


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Every service and what it needs, and Keycloak in the place of the development provider."""
    with Platform(tmp_path_factory.mktemp("platform"), auth="keycloak") as running:
        yield running


@pytest.fixture(scope="session")
def realm(platform: Platform) -> Iterator[Realm]:
    """The conference's realm."""
    made = Realm(platform.identities, platform.passcode, platform.urls.site)
    yield made
    made.close()


@pytest.fixture
def office(platform: Platform) -> Iterator[Office]:
    """An organizer's program; each test has one that has just signed in."""
    with program(platform.urls.site) as client:
        sign_in_at_keycloak(client, "olga", platform.passcode)
        made = Office(platform.urls.site, client.cookies["session"])
    yield made
    made.close()

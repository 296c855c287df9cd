"""Fixtures of several folders: the running platform, and data of their own on it.

The acceptance tests run on any platform: BASE_URL is the site's address, MAIL_URL that of the mail
sink, PASSCODE that of its development provider. Without BASE_URL one is started; with it, what
looks behind the site is skipped.
"""

import os
import uuid
from collections.abc import Callable, Iterator

import pytest
from tests.acceptance.mails import Mails
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.site import Site
from tests.patience import PATIENT

from embedded.platform import Platform


@pytest.fixture(scope="session")
def platform(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """Every service and what it needs, empty at first; for all tests of a session."""
    if "BASE_URL" in os.environ:
        pytest.skip("this looks behind the site, which only a platform of our own lets it")
    request.getfixturevalue("few_authorities")
    with Platform(tmp_path_factory.mktemp("platform"), env=PATIENT) as running:
        yield running


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest) -> Site:
    """The platform that the environment names, else one of our own."""
    if url := os.environ.get("BASE_URL"):
        mail_url, passcode = os.environ["MAIL_URL"], os.environ["PASSCODE"]
        return Site(url.rstrip("/"), mail_url.rstrip("/"), passcode)
    platform: Platform = request.getfixturevalue("platform")
    return Site(platform.urls.site, platform.urls.mail, platform.passcode)


@pytest.fixture(scope="session")
def mails(site: Site) -> Iterator[Mails]:
    """The mails that came since the first test."""
    made = Mails(site.mail_url)
    yield made
    made.close()


@pytest.fixture
def office(site: Site) -> Iterator[Office]:
    """An organizer's program."""
    made = Office(site.url, site.sign_in("Otto Organizer", "organizer"))
    yield made
    made.close()


@pytest.fixture
def mark(office: Office) -> Iterator[str]:
    """A word that only this test's proposals have; their slots are given back at the end."""
    word = uuid.uuid4().hex[:12]
    yield word
    for proposal in office.found(word, "accepted"):
        office.withdraw(proposal)


@pytest.fixture
def new_talk(mark: str) -> Callable[[], Talk]:
    """Makes talks that nobody else has."""
    letters = iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

    def make() -> Talk:
        letter = next(letters)
        return {
            "title": f"Canaries {mark} {letter}",
            "abstract": f"What a canary tells, and what it keeps to itself.\n\nPart {letter}.",
            "speaker_name": f"Ada {letter} Lovelace",
            "speaker_email": f"ada-{letter.lower()}-{mark}@example.org",
        }

    return make


@pytest.fixture
def talk(new_talk: Callable[[], Talk]) -> Talk:
    """A talk that nobody else has."""
    return new_talk()


@pytest.fixture
def submitted(office: Office, talk: Talk) -> Answer:
    """A proposal that was handed in, with `talk`."""
    return office.submit(talk)


@pytest.fixture
def accepted(office: Office, submitted: Answer) -> Answer:
    """A proposal that is accepted, and on the agenda."""
    proposal = office.decide(submitted, "accepted")
    office.wait_for_session(proposal)
    return proposal


@pytest.fixture
def window(office: Office) -> Iterator[Answer]:
    """The window of the call; what a test sets is set back."""
    before = office.window()
    yield before
    office.set_window(before["opens_at"], before["closes_at"])

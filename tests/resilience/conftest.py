"""Two platforms for all tests here: one as it is, and one whose ways a test can disturb."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from embedded.home import Home
from embedded.platform import Platform
from embedded.ports import random_free_ports
from testkit.backing import postgres

# Before it is imported, so that its assertions tell what they have compared.
pytest.register_assert_rewrite("tests.resilience.support")

from tests.resilience.haste import HASTY  # noqa: E402 - see above
from tests.resilience.proxy import Proxy  # noqa: E402 - see above
from tests.resilience.support import Conference  # noqa: E402 - see above

# More slots than any test accepts proposals.
SCHEDULE = """\
timezone = "Europe/Berlin"
days = ["2027-06-14", "2027-06-15", "2027-06-16", "2027-06-17", "2027-06-18"]
times = [["09:00", "09:45"], ["10:00", "10:45"], ["11:15", "12:00"], ["13:30", "14:15"]]
rooms = [
    {id = "main", name = "Main Hall", track = "Platform"},
    {id = "harbour", name = "Harbour Room", track = "Development"},
    {id = "garden", name = "Garden Room", track = "People"},
]
"""


@pytest.fixture(scope="session")
def schedule(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("schedule") / "conference.toml"
    file.write_text(SCHEDULE)
    return file


@pytest.fixture(scope="session")
def platform(
    tmp_path_factory: pytest.TempPathFactory, schedule: Path, few_authorities: None
) -> Iterator[Platform]:
    home = tmp_path_factory.mktemp("platform")
    with Platform(home, env=HASTY, schedule=schedule) as running:
        # It would repair what a test is to find.
        running.stop("consistency-job")
        yield running


@pytest.fixture
def conference(platform: Platform) -> Iterator[Conference]:
    """Empty at first, and whole again afterwards."""
    yield from _fresh(platform)


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways between the parts of a platform, by who asks whom."""

    site_agenda: Proxy
    site_c4p: Proxy
    c4p_postgres: Proxy
    c4p_agenda: Proxy
    c4p_email: Proxy
    agenda_valkey: Proxy
    email_valkey: Proxy
    email_relay: Proxy


@pytest.fixture(scope="session")
def disturbed_platform(
    tmp_path_factory: pytest.TempPathFactory, schedule: Path, few_authorities: None
) -> Iterator[tuple[Platform, Ways]]:
    home = Home(tmp_path_factory.mktemp("disturbed"))
    ports = random_free_ports()
    with ExitStack() as stack:

        def to(name: str) -> Proxy:
            proxy = Proxy(ports[name])
            proxy.start()
            stack.callback(proxy.stop)
            return proxy

        ways = Ways(*(to(name) for name in _TARGETS))
        env = _through(ways, postgres(home.data / "postgres", ports["postgres"]).url)
        platform = Platform(
            home,
            choose_ports=lambda: ports,
            env={part: {**HASTY[part], **env[part]} for part in HASTY},
            schedule=schedule,
        )
        stack.enter_context(platform)
        platform.stop("consistency-job")
        yield platform, ways


_TARGETS = ("agenda", "c4p", "postgres", "agenda", "email", "valkey", "valkey", "smtp")


def _through(ways: Ways, database_url: str) -> dict[str, dict[str, str]]:
    database = urlsplit(database_url)
    host = database.netloc.replace(str(database.port), str(ways.c4p_postgres.port))
    return {
        "c4p-service": {
            "DATABASE_URL": database._replace(netloc=host).geturl(),
            "AGENDA_URL": f"http://127.0.0.1:{ways.c4p_agenda.port}",
            "EMAIL_URL": f"http://127.0.0.1:{ways.c4p_email.port}",
        },
        "agenda-service": {"VALKEY_URL": f"redis://127.0.0.1:{ways.agenda_valkey.port}/0"},
        "email-service": {
            "VALKEY_URL": f"redis://127.0.0.1:{ways.email_valkey.port}/0",
            "SMTP_PORT": str(ways.email_relay.port),
        },
        "frontend": {
            "AGENDA_URL": f"http://127.0.0.1:{ways.site_agenda.port}",
            "C4P_URL": f"http://127.0.0.1:{ways.site_c4p.port}",
        },
    }


@pytest.fixture
def ways(disturbed_platform: tuple[Platform, Ways]) -> Ways:
    return disturbed_platform[1]


@pytest.fixture
def disturbed(disturbed_platform: tuple[Platform, Ways]) -> Iterator[Conference]:
    """The conference on the platform whose ways can be disturbed."""
    yield from _fresh(disturbed_platform[0])


def _fresh(platform: Platform) -> Iterator[Conference]:
    with Conference(platform) as conference:
        conference.forget_everything()
        yield conference

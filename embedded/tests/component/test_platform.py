from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import psutil
import pytest

from embedded.demo import fill
from embedded.platform import Platform, PlatformError
from embedded.signing_in import bearer_of_person, sign_in
from testkit.process import answers
from testkit.waiting import wait_for


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("platform")


@pytest.fixture(scope="module")
def platform(home: Path) -> Iterator[Platform]:
    with Platform(home) as running:
        yield running


def test_platform_starts_a_part_again_that_was_killed(platform: Platform) -> None:
    before = platform.pid("agenda-service")
    platform.kill("agenda-service")
    platform.wait_until_ready("agenda-service")
    assert platform.pid("agenda-service") not in {0, before}


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_platform_starts_a_store_again_that_was_killed(platform: Platform, name: str) -> None:
    platform.kill(name)
    platform.wait_until_ready(name)


def test_platform_keeps_a_stopped_part_stopped_until_it_is_started(platform: Platform) -> None:
    platform.stop("agenda-service")
    assert platform.pid("agenda-service") == 0
    assert not answers(f"{platform.urls.agenda}/livez")
    platform.start("agenda-service")
    wait_for(lambda: answers(f"{platform.urls.agenda}/livez"), "agenda-service")


def test_platform_freezes_and_thaws_a_part(platform: Platform) -> None:
    platform.freeze("c4p-service")
    assert not answers(f"{platform.urls.c4p}/livez")
    platform.thaw("c4p-service")
    wait_for(lambda: answers(f"{platform.urls.c4p}/livez"), "c4p-service")


def test_demo_run_twice_fills_once(platform: Platform) -> None:
    expected = {"submitted": 5, "accepted": 24, "rejected": 8, "withdrawn": 3}
    with httpx2.Client(base_url=platform.urls.site, timeout=30) as client:
        sign_in(client, "Demo Organizer", platform.passcode)
        assert [fill(client), fill(client)] == [expected, expected]


def test_platform_finds_its_data_after_a_restart(platform: Platform) -> None:
    passcode, total = platform.passcode, _total(platform)
    platform.down()
    platform.up()
    assert (platform.passcode, _total(platform)) == (passcode, total)


def _total(platform: Platform) -> int:
    headers = bearer_of_person(platform, "organizer")
    page = httpx2.get(f"{platform.urls.c4p}/proposals", headers=headers).json()
    return sum(page["counts"].values())


def test_nothing_is_left_when_supervisor_is_killed(
    platform: Platform, home: Path, wait_for_the_end: Callable[[list[psutil.Process]], None]
) -> None:
    supervisor = psutil.Process(int((home / "supervisord.pid").read_text()))
    left = supervisor.children(recursive=True)
    assert len(left) > 8
    supervisor.kill()
    wait_for_the_end(left)


def test_platform_says_which_part_does_not_start_and_why(tmp_path: Path) -> None:
    platform = Platform(tmp_path, env={"email-service": {"SMTP_PORT": "none"}})
    with pytest.raises(
        PlatformError, match=r"(?s)email-service does not start.*SMTP_PORT is wrong"
    ):
        platform.up()

"""The pytest side of the pacts: the fixture that records them, and the option that keeps them."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from testkit.contract.consumer import RecordedPact

_WRITE = "--write-pacts"
_RECORDED = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --write-pacts."""
    parser.addoption(
        _WRITE, action="store_true", help="replace the committed pacts by those of this run"
    )


@pytest.fixture(scope="session")
def recorded_pacts(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """The folder with the pacts that the consumer tests of this run have recorded so far."""
    folder = tmp_path_factory.mktemp("pacts")
    pytestconfig.stash[_RECORDED] = folder
    return folder


@pytest.fixture
def pact(request: pytest.FixtureRequest, recorded_pacts: Path) -> "RecordedPact":
    """Return the pact of the test's consumer with the provider that its file is named after.

    `frontend/tests/contract/test_c4p_service_….py` is about frontend and c4p-service.
    """
    # Imported here, since every test run loads this plugin.
    from testkit.contract.consumer import RecordedPact

    named = re.match(r"test_([a-z0-9]+_service)(_|$)", request.path.stem)
    assert named is not None, f"{request.path.name} does not name a provider"
    consumer, provider = request.path.parents[2].name, named[1].replace("_", "-")
    return RecordedPact(consumer, provider, recorded_pacts)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Keep what was recorded if that was asked for and every test has passed."""
    recorded = session.config.stash.get(_RECORDED, None)
    if recorded is None or not session.config.getoption(_WRITE) or exitstatus != pytest.ExitCode.OK:
        return
    from testkit.contract.files import keep

    keep(recorded)

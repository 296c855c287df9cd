"""Generated requests, good and bad, against what each service says of itself in OpenAPI.

No request may make a server error, and every answer must be one that the description promises.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.patience import PATIENT

from embedded.platform import Platform
from embedded.services import SCOPES
from embedded.signing_in import bearer_of_person, bearer_of_program, sign_in

EXAMPLES = 16
"""Of each operation: what fits into a minute or so for all services, without other work."""
CONFIG = Path(__file__).with_name("schemathesis.toml")
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with Platform(tmp_path_factory.mktemp("openapi"), env=PATIENT) as running:
        yield running


def address(platform: Platform, service: str) -> str:
    return str(getattr(platform.urls, service))


def check(url: str, folder: Path, *options: str) -> None:
    """Let schemathesis loose on a service, with the same requests in every run."""
    options = (
        f"--max-examples={EXAMPLES}",
        "--generation-deterministic",
        # A well-formed request may still be refused: an unknown slot, a used key, a closed window.
        # One of several ways to show who asks may be no good, beside the one that is given here:
        # `assert_closed` has the tests of that.
        "--exclude-checks=positive_data_acceptance,ignored_auth",
        # How fast requests can be made up says something of this machine alone.
        "--suppress-health-check=all",
        "--request-timeout=30",
        "--warnings=off",
        "--no-color",
        *options,
    )
    ended = subprocess.run(
        [str(SCHEMATHESIS), f"--config-file={CONFIG}", "run", f"{url}/openapi.json", *options],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr
    # It exits with 0 as well when it has found nothing to test.
    assert "No issues found" in ended.stdout, ended.stdout[-2000:]


@pytest.mark.parametrize(
    ("service", "who"),
    [
        ("agenda", "c4p-service"),
        ("agenda", "people"),
        ("c4p", "people"),
        ("c4p", "consistency-job"),
        ("email", "c4p-service"),
        ("site", "people"),
    ],
)
def test_service_keeps_its_description(
    platform: Platform, service: str, who: str, tmp_path: Path
) -> None:
    people = bearer_of_person(platform, "organizer", "reviewer")
    scope = SCOPES[service == "email"]
    shown = people if who == "people" else bearer_of_program(platform, who, scope)
    header = f"Authorization: {shown['Authorization']}"
    check(address(platform, service), tmp_path, "--header", header)


def test_gateway_keeps_its_description_without_a_sign_in(
    platform: Platform, tmp_path: Path
) -> None:
    check(platform.urls.site, tmp_path)


def test_gateway_keeps_its_description_for_organizers(platform: Platform, tmp_path: Path) -> None:
    with httpx2.Client(base_url=platform.urls.site) as client:
        signed_in = sign_in(client, "Olga", platform.passcode)
    cookie = f"Cookie: session={signed_in.cookies['session']}"
    check(platform.urls.site, tmp_path, "--header", cookie)


@pytest.mark.parametrize("service", ["agenda", "c4p", "email", "site"])
def test_service_describes_its_operations(platform: Platform, service: str) -> None:
    paths = httpx2.get(f"{address(platform, service)}/openapi.json").json()["paths"]
    assert {"/info", "/livez", "/readyz"} < set(paths)

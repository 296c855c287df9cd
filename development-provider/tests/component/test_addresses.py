"""A provider that browsers reach under a path of a site, and programs at its own address."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest

from servicekit.identity import Verifier
from servicekit.provider import Provider
from testkit.process import Process, Program, running
from testkit.service import Identities

ISSUER = "http://site.example:8088/provider"
DISCOVERY = "/provider/.well-known/openid-configuration"
SECRETS = Identities(ISSUER, "a key of tests")


@pytest.fixture(scope="module")
def service(folder: Path, make_provider: Callable[..., Program]) -> Iterator[Process]:
    program = make_provider(folder / "prefixed", "http://site.example:8088", ISSUER=ISSUER)
    with running(program, folder) as process:
        yield process


async def test_program_gets_tokens_of_the_issuer_at_the_address_that_it_asks(
    service: Process,
) -> None:
    async with Provider(ISSUER, f"{service.url}{DISCOVERY}") as provider:
        found = await provider.metadata()
        assert found.authorization_endpoint == f"{ISSUER}/authorize"
        assert found.end_session_endpoint == f"{ISSUER}/end-session"
        assert found.revocation_endpoint == f"{service.url}/provider/revoke"
        client = "c4p-service"
        grant = {"grant_type": "client_credentials", "client_id": client, "scope": "conference"}
        answer = await provider.grant({**grant, "client_secret": SECRETS.secret(client)})
        assert (await Verifier(provider, "conference").identity(answer.access_token)).name == client


def test_description_names_the_issuer_alone_to_who_asks_there(service: Process) -> None:
    headers = {"Host": "site.example:8088"}
    found = httpx2.get(f"{service.url}{DISCOVERY}", headers=headers).json()
    programs_ask = ("token_endpoint", "jwks_uri", "revocation_endpoint")
    assert [found[each] for each in programs_ask] == [
        f"{ISSUER}/token",
        f"{ISSUER}/jwks",
        f"{ISSUER}/revoke",
    ]


def test_pages_have_their_style_under_the_path_of_the_issuer(service: Process) -> None:
    address = f"{service.url}/provider/end-session"
    (style,) = re.findall(r'rel="stylesheet" href="([^"]+)"', httpx2.get(address).text)
    assert urljoin(address, style) == f"{service.url}/provider/static/style.css"
    assert httpx2.get(urljoin(address, style)).is_success


def test_endpoints_are_nowhere_else(service: Process) -> None:
    assert httpx2.get(f"{service.url}/jwks").status_code == 404
    assert httpx2.get(f"{service.url}/readyz").is_success

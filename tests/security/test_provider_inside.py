"""A provider whose public address leads nowhere from where the services are, as in a cluster."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.acceptance.office import Office
from tests.patience import PATIENT

from embedded.platform import Platform
from embedded.ports import random_free_ports
from embedded.signing_in import sign_in
from testkit.ports import free_port
from testkit.waiting import wait_for

TALK = {
    "title": "Inside and outside",
    "abstract": "One provider, two addresses.",
    "speaker_name": "Ada Lovelace",
    "speaker_email": "ada@example.org",
}
SERVICES = ("agenda-service", "c4p-service", "email-service", "consistency-job", "frontend")


class Gateway(httpx2.HTTPTransport):
    """The way from a browser to a provider that listens at a port of its own."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        # The Host header stays, as it does at a proxy.
        request.url = request.url.copy_with(port=self._port)
        return super().handle_request(request)


@pytest.fixture
def issuer() -> str:
    return f"http://127.0.0.1:{free_port()}/provider"


@pytest.fixture
def inside(tmp_path: Path, issuer: str) -> Iterator[Platform]:
    ports = random_free_ports()
    here = f"http://127.0.0.1:{ports['provider']}{urlsplit(issuer).path}"
    discovery = f"{here}/.well-known/openid-configuration"
    addresses = {"OIDC_ISSUER": issuer, "OIDC_DISCOVERY_URL": discovery}
    env = {name: {**addresses, **PATIENT.get(name, {})} for name in SERVICES}
    env["development-provider"] = {"ISSUER": issuer}
    with Platform(tmp_path, choose_ports=lambda: ports, env=env) as running:
        yield running


def test_people_and_services_use_a_provider_at_two_addresses(inside: Platform, issuer: str) -> None:
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(issuer)
    mounts = {issuer.removesuffix("/provider"): Gateway(inside.ports["provider"])}
    with httpx2.Client(base_url=inside.urls.site, mounts=mounts, timeout=30) as browser:
        sign_in(browser, "Olga", inside.passcode)
        office = Office(inside.urls.site, browser.cookies["session"])
    proposal = office.decide(office.submit(TALK), "accepted")
    office.wait_for_session(proposal)
    office.wait_until_told(proposal)
    assert "accepted" in office.mails(proposal)
    # That the job has asked every service shows in what it has put down.
    wait_for(lambda: office.client.get("/consistency-reports").json()["items"], "a report", 90)
    office.close()

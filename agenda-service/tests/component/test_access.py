"""Rights of callers, and the record of what they did."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trustme

from testkit.access import assert_closed
from testkit.issuer import Issuer, running_issuer
from testkit.problems import problem
from testkit.process import Process, Program, running

Put = Callable[..., httpx2.Response]
NewId = Callable[[], str]


def test_every_route_but_the_agenda_itself_wants_a_role(service: Process, issuer: Issuer) -> None:
    with httpx2.Client(base_url=service.url, timeout=10) as nobody:
        assert_closed(
            nobody,
            issuer,
            ("GET", "/sessions"),
            ("GET", "/sessions/00000000-0000-0000-0000-000000000001"),
            ("GET", "/schedule"),
        )


@pytest.mark.parametrize(
    ("role", "method", "suffix", "allowed"),
    [
        ("agenda-writer", "PUT", "", True),
        ("agenda-writer", "DELETE", "", True),
        ("agenda-writer", "PUT", "/slot", False),
        ("repairer", "DELETE", "", True),
        ("repairer", "PUT", "", False),
        ("repairer", "PUT", "/slot", False),
        ("organizer", "PUT", "/slot", True),
        ("organizer", "GET", "/move", True),
        ("organizer", "PUT", "", False),
        ("organizer", "DELETE", "", False),
        ("auditor", "GET", "/move", True),
        ("auditor", "DELETE", "", False),
        ("reviewer", "PUT", "/slot", False),
    ],
)
def test_role_allows_its_own_and_no_more(
    client: httpx2.Client,
    put: Put,
    new_id: NewId,
    issuer: Issuer,
    talk: Callable[..., dict[str, Any]],
    role: str,
    method: str,
    suffix: str,
    allowed: bool,
) -> None:
    proposal_id = new_id()
    slot = put(proposal_id).json()["slot"]["id"]
    body = {"slot_id": slot} if suffix else talk(version=2)
    answer = client.request(
        method,
        f"/sessions/{proposal_id}{suffix}",
        json=body if method == "PUT" else None,
        headers=issuer.bearer(role),
    )
    assert answer.is_success is allowed, answer.text
    if not allowed:
        assert problem(answer) == (403, "role-required")


def test_token_for_another_audience_opens_nothing(
    client: httpx2.Client, new_id: NewId, issuer: Issuer
) -> None:
    headers = issuer.bearer("agenda-writer", aud="another")
    answer = client.delete(f"/sessions/{new_id()}", headers=headers)
    assert problem(answer) == (401, "sign-in-required")


def test_last_move_names_who_made_it(
    client: httpx2.Client, put: Put, new_id: NewId, issuer: Issuer
) -> None:
    proposal_id = new_id()
    session = put(proposal_id).json()
    path = f"/sessions/{proposal_id}"
    assert client.get(f"{path}/move").json() == {"moved": None}
    free = next(
        slot["id"]
        for slot in client.get("/schedule").json()["slots"]
        if slot["id"] != session["slot"]["id"]
    )
    olga = issuer.bearer("organizer", name="Olga")
    client.put(f"{path}/slot", json={"slot_id": free}, headers=olga).raise_for_status()
    moved = client.get(f"{path}/move").json()["moved"]
    assert (moved["name"], moved["subject"]) == ("Olga", "subject-of-Olga")
    # Moving it to where it is moves nothing.
    otto = issuer.bearer("organizer", name="Otto")
    client.put(f"{path}/slot", json={"slot_id": free}, headers=otto).raise_for_status()
    assert client.get(f"{path}/move").json()["moved"] == moved
    client.delete(path).raise_for_status()
    assert problem(client.get(f"{path}/move")) == (404, "session-not-found")


@pytest.mark.usefixtures("valkey")
@pytest.mark.parametrize("trusted", [True, False])
def test_provider_is_believed_only_when_its_certificate_is_trusted(
    valkey_server: Process,
    make_agenda_service: Callable[..., Program],
    new_id: NewId,
    talk: Callable[..., dict[str, Any]],
    tmp_path: Path,
    trusted: bool,
) -> None:
    authorities = [trustme.CA(), trustme.CA()]
    authorities[not trusted].cert_pem.write_to_path(tmp_path / "authority.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authorities[0].issue_cert("127.0.0.1").configure_cert(context)
    env = {"SSL_CERT_FILE": str(tmp_path / "authority.pem")}
    with running_issuer(context) as issuer:
        program = make_agenda_service(valkey_server.url, OIDC_ISSUER=issuer.url, **env)
        with running(program, tmp_path) as service:
            answer = httpx2.put(
                f"{service.url}/sessions/{new_id()}",
                json=talk(),
                headers=issuer.bearer("agenda-writer"),
                timeout=30,
            )
    if trusted:
        assert answer.status_code == 201
    else:
        assert problem(answer) == (503, "unavailable")
        assert not issuer.asked

"""Signing in at the provider, and what each of its endpoints refuses."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from development_provider.domain import FREE_ATTEMPTS
from servicekit.http import NeighbourUnavailableError
from servicekit.identity import TokenRefusedError, Verifier
from servicekit.provider import Provider, challenge_of
from testkit.process import Process, Program, refusal
from testkit.service import Identities
from testkit.waiting import wait_for

PASSCODE = "open sesame"
SITE = "http://site.example"
CALLBACK = f"{SITE}/sign-in/callback"
SCOPES = ("conference", "conference-mail")
VERIFIER = "v" * 43
SECRETS = Identities("", "a key of tests")
ASKED = {
    "response_type": "code",
    "client_id": "frontend",
    "redirect_uri": CALLBACK,
    "scope": "openid profile email",
    "state": "s",
    "nonce": "n",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}
FORM = {"name": "Olga", "email": "olga@example.org", "role": "organizer", "passcode": PASSCODE}
CLIENT = {"client_id": "frontend", "client_secret": SECRETS.secret("frontend")}


def code(client: httpx2.Client, **form: str) -> str:
    answer = client.post("/authorize", params=ASKED, data={**FORM, **form})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(f"{CALLBACK}?")
    returned = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert returned["state"] == "s"
    return returned["code"]


def exchange(client: httpx2.Client, **form: str) -> httpx2.Response:
    grant = {
        **CLIENT,
        "grant_type": "authorization_code",
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    return client.post("/token", data={**grant, **form})


@pytest.fixture
def tokens(client: httpx2.Client) -> Mapping[str, Any]:
    answer = exchange(client, code=code(client))
    assert answer.headers["cache-control"] == "no-store"
    found: Mapping[str, Any] = answer.raise_for_status().json()
    return found


async def test_person_signs_in_and_is_who_they_said(
    service: Process, tokens: Mapping[str, Any]
) -> None:
    provider = Provider(service.url)
    verifier = Verifier(provider, "conference")
    found = await verifier.identity(tokens["access_token"])
    assert (found.name, found.email) == ("Olga", "olga@example.org")
    assert found.roles == {"organizer"}
    said = await verifier.claims(tokens["id_token"], "frontend")
    assert (said["nonce"], said["sub"]) == ("n", found.subject)
    with pytest.raises(TokenRefusedError):
        await verifier.identity(tokens["id_token"])
    with pytest.raises(TokenRefusedError):
        await verifier.identity(tokens["refresh_token"])
    await provider.close()


async def test_program_gets_its_own_roles(service: Process) -> None:
    provider = Provider(service.url)
    client = "consistency-job"
    grant = {"grant_type": "client_credentials", "client_id": client}
    shown = {**grant, "client_secret": SECRETS.secret(client)}
    for scope in SCOPES:
        answer = await provider.grant({**shown, "scope": scope})
        found = await Verifier(provider, scope).identity(answer.access_token)
        assert found.name == client
        assert found.roles == {"auditor", "repairer", "mail-sender"}
        for other in {*SCOPES} - {scope}:
            with pytest.raises(TokenRefusedError):
                await Verifier(provider, other).identity(answer.access_token)
    for scope in ("", "frontend", " ".join(SCOPES)):
        with pytest.raises(NeighbourUnavailableError, match="invalid_scope"):
            await provider.grant({**shown, "scope": scope})
    with pytest.raises(NeighbourUnavailableError, match="invalid_client"):
        await provider.grant({**grant, "client_secret": "guessed"})
    await provider.close()


def test_form_asks_for_what_it_needs_and_may_lead_to_the_site(client: httpx2.Client) -> None:
    answer = client.get("/authorize", params=ASKED)
    assert f"form-action 'self' {SITE}" in answer.headers["content-security-policy"]
    assert "script" not in answer.text
    assert re.findall(r'name="(\w+)"', answer.text.partition("<form")[2]) == [
        "name",
        "email",
        "role",
        "role",
        "passcode",
    ]


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"passcode": "wrong"}, 403, "That is not the passcode."),
        ({"passcode": "é"}, 403, "That is not the passcode."),
        ({"name": " "}, 422, "Enter a name"),
        ({"name": "x" * 81}, 422, "Enter a name"),
        ({"email": "nobody"}, 422, "Enter an address"),
    ],
)
def test_form_that_is_refused_says_why_and_keeps_all_but_the_passcode(
    client: httpx2.Client, change: dict[str, str], status: int, message: str
) -> None:
    answer = client.post("/authorize", params=ASKED, data={**FORM, **change})
    assert answer.status_code == status
    assert message in answer.text
    assert PASSCODE not in answer.text
    assert ('value="organizer" checked') in answer.text


def test_passcodes_can_not_be_guessed_without_end(client: httpx2.Client) -> None:
    def attempt(passcode: str) -> httpx2.Response:
        return client.post("/authorize", params=ASKED, data={**FORM, "passcode": passcode})

    def held_back() -> httpx2.Response | None:
        for number in range(FREE_ATTEMPTS + 1):
            assert attempt(f"guess {number}").status_code == 403
        # The right one is not told from others meanwhile. It is let in if the wait is over, as
        # it may be on a busy machine, and then all begins anew.
        answer = attempt(PASSCODE)
        return answer if answer.status_code == 429 else None

    answer = wait_for(held_back, "a wait")
    assert answer.headers["retry-after"] == "1"
    assert "Too many were wrong. Try again in 1 s." in answer.text
    wait_for(lambda: attempt(PASSCODE).status_code == 303, "the end of the wait")


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "another"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": f"{CALLBACK}/../x"},
        {"response_type": "token"},
        {"scope": "profile"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
    ],
)
def test_request_that_is_not_a_good_one_leads_nowhere(
    client: httpx2.Client, change: dict[str, str]
) -> None:
    for method in ("GET", "POST"):
        answer = client.request(method, "/authorize", params={**ASKED, **change})
        assert answer.status_code == 400
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": "x" * 43},
        {"redirect_uri": SITE},
        {"client_id": "c4p-service", "client_secret": SECRETS.secret("c4p-service")},
        {"code": "guessed"},
    ],
)
def test_code_is_worth_nothing_to_who_did_not_ask_for_it(
    client: httpx2.Client, change: dict[str, str]
) -> None:
    refused = exchange(client, **{"code": code(client), **change})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_code_is_good_once(client: httpx2.Client) -> None:
    given = code(client)
    assert exchange(client, code=given).is_success
    assert exchange(client, code=given).status_code == 400


def refresh(client: httpx2.Client, token: str) -> httpx2.Response:
    return client.post(
        "/token", data={**CLIENT, "grant_type": "refresh_token", "refresh_token": token}
    )


def test_session_goes_on_until_it_is_ended(
    client: httpx2.Client, tokens: Mapping[str, Any]
) -> None:
    again = refresh(client, tokens["refresh_token"]).raise_for_status().json()
    assert again["access_token"] != tokens["access_token"]
    params = {**CLIENT, "id_token_hint": again["id_token"], "post_logout_redirect_uri": f"{SITE}/"}
    ended = client.get("/end-session", params=params)
    assert (ended.status_code, ended.headers["location"]) == (303, f"{SITE}/")
    for each in (tokens, again):
        assert refresh(client, each["refresh_token"]).status_code == 400


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_session_whose_token_is_revoked_gets_no_more(
    client: httpx2.Client, tokens: Mapping[str, Any], kind: str
) -> None:
    named = client.get("/.well-known/openid-configuration").json()["revocation_endpoint"]
    again = refresh(client, tokens["refresh_token"]).raise_for_status().json()
    revoked = client.post(named, data={**CLIENT, "token": again[kind], "token_type_hint": kind})
    assert (revoked.status_code, revoked.content) == (200, b"")
    for each in (tokens, again):
        assert refresh(client, each["refresh_token"]).json()["error"] == "invalid_grant"


def test_token_is_revoked_by_its_own_client_alone(
    client: httpx2.Client, tokens: Mapping[str, Any]
) -> None:
    other = {"client_id": "c4p-service", "client_secret": SECRETS.secret("c4p-service")}
    form = {"token": tokens["refresh_token"]}
    assert client.post("/revoke", data={**other, **form}).status_code == 200
    guessed = client.post("/revoke", data={**CLIENT, "client_secret": "guessed", **form})
    assert (guessed.status_code, guessed.json()["error"]) == (401, "invalid_client")
    assert client.post("/revoke", data={**CLIENT, "token": "nonsense"}).status_code == 200
    assert refresh(client, tokens["refresh_token"]).is_success


def test_end_of_the_session_leads_to_no_other_site(client: httpx2.Client) -> None:
    params = {**CLIENT, "post_logout_redirect_uri": "https://evil.example/"}
    answer = client.get("/end-session", params=params)
    assert answer.status_code == 200
    assert "You are signed out" in answer.text


@pytest.mark.parametrize("body", [b"\xff", b"grant_type=password", b"", b"a=%ff"])
def test_nonsense_is_refused(client: httpx2.Client, body: bytes) -> None:
    answer = client.post("/token", content=body)
    assert answer.status_code == 401
    assert client.post("/token", data={**CLIENT, "grant_type": "password"}).status_code == 400


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"PROFILE": "production"}, "it runs with PROFILE=development only"),
        ({"PASSCODE": "short"}, "The setting PASSCODE is wrong"),
        ({"ISSUER": "http://site.example/provider/"}, "it must not end with a slash"),
        ({"CLIENTS": '[{"id": "x"}]'}, "The setting CLIENTS is wrong"),
        ({"CLIENTS": "x"}, 'A setting is not JSON: error parsing value for field "clients"'),
    ],
)
def test_start_ends_with_one_sentence(
    tmp_path: Path,
    make_provider: Callable[..., Program],
    changed: dict[str, str],
    sentence: str,
) -> None:
    assert sentence in refusal(make_provider(tmp_path, SITE, **changed))

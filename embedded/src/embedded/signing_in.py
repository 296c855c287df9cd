"""Signing in at the development provider or Keycloak: as a browser does it, and as programs do."""

import re
import secrets
from collections.abc import Mapping, Sequence
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx2

from embedded.platform import Platform
from embedded.services import CALLBACK, SCOPES
from servicekit.provider import challenge_of


class SignInError(Exception):
    """The site or its provider lets nobody in; a sentence says why."""


def sign_in(
    client: httpx2.Client,
    name: str,
    passcode: str,
    *,
    roles: Sequence[str] = ("organizer",),
    email: str = "",
    wanted: str = "/",
) -> httpx2.Response:
    """Make `client`, whose base is the site, somebody's; the answer leads on to `wanted`."""
    form = {"name": name, "email": email, "passcode": passcode, "role": list(roles)}
    told = client.post(_provider_address(client, wanted), data=form)
    if told.status_code == 403:
        raise SignInError("The passcode is not the one of the development provider.")
    if told.status_code != 303:
        raise SignInError(f"The provider is no development provider: {told.status_code}.")
    return _returned(client, told.headers["location"])


def sign_in_at_keycloak(client: httpx2.Client, username: str, password: str) -> httpx2.Response:
    """Make `client`, whose base is the site, somebody's whom the realm knows."""
    return _returned(client, fill_in(client, _provider_address(client, "/"), username, password))


def fill_in(client: httpx2.Client, address: str, username: str, password: str) -> str:
    """Return where the form that Keycloak shows at `address` leads who enters this."""
    page = client.get(address)
    form = re.search(r'<form [^>]*action="([^"]+)"', page.text)
    if form is None:
        raise SignInError(f"The provider shows no form of Keycloak's: {page.status_code}.")
    # They are for TLS alone; browsers take 127.0.0.1 for as safe as that, and programs don't.
    cookies = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    entered = {"username": username, "password": password}
    told = client.post(unescape(form[1]), data=entered, headers={"Cookie": cookies})
    if told.status_code != 302:
        raise SignInError("The name or the password is not one of Keycloak's people.")
    return str(told.headers["location"])


def _provider_address(client: httpx2.Client, wanted: str) -> str:
    asked = client.get("/sign-in", params={"next": wanted})
    if asked.status_code != 303:
        raise SignInError(f"The site does not lead to a sign-in: {asked.status_code}.")
    return str(asked.headers["location"])


def _returned(client: httpx2.Client, address: str) -> httpx2.Response:
    signed_in = client.get(address)
    if signed_in.status_code != 303:
        raise SignInError(f"The site does not take the answer: {signed_in.status_code}.")
    return signed_in


def bearer_of_person(
    platform: Platform, *roles: str, name: str = "Olga", email: str = ""
) -> Mapping[str, str]:
    """Return the header with an access token of somebody who has these roles.

    For calls past the site, at the development provider only.
    """
    urls, secret = platform.urls, platform.identities.secret("frontend")
    form = {"name": name, "email": email, "passcode": platform.passcode, "role": list(roles)}
    return {"Authorization": f"Bearer {person_token(urls.site, urls.provider, secret, form)}"}


def person_token(
    site: str, provider: str, client_secret: str, form: Mapping[str, str | Sequence[str]]
) -> str:
    """Return an access token for whoever fills in the development provider's `form`.

    It is asked for as the frontend at `site` does, whose secret is `client_secret`. The form has
    name, email, passcode, and the roles as `role`.
    """
    verifier, callback = secrets.token_urlsafe(32), f"{site}{CALLBACK}"
    asked = {
        "response_type": "code",
        "client_id": "frontend",
        "redirect_uri": callback,
        "scope": "openid",
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    told = httpx2.post(f"{provider}/authorize", params=asked, data=form)
    code = parse_qs(urlsplit(told.headers["location"]).query)["code"][0]
    grant = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    return _token(provider, "frontend", client_secret, {**grant, "redirect_uri": callback})


def bearer_of_program(platform: Platform, client: str, scope: str = SCOPES[0]) -> Mapping[str, str]:
    """Return the header with an access token of one of the platform's own programs."""
    grant = {"grant_type": "client_credentials", "scope": scope}
    secret = platform.identities.secret(client)
    return {"Authorization": f"Bearer {_token(platform.urls.provider, client, secret, grant)}"}


def _token(provider: str, client: str, secret: str, grant: Mapping[str, str]) -> str:
    shown = {"client_id": client, "client_secret": secret}
    answer = httpx2.post(f"{provider}/token", data={**grant, **shown})
    return str(answer.raise_for_status().json()["access_token"])

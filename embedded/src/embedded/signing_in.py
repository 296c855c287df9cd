"""Signing in at the development provider: as a browser does it, and as programs do."""

import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlsplit

import httpx2

from embedded.platform import Platform
from embedded.services import CALLBACK
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
    asked = client.get("/sign-in", params={"next": wanted})
    if asked.status_code != 303:
        raise SignInError(f"The site does not lead to a sign-in: {asked.status_code}.")
    form = {"name": name, "email": email, "passcode": passcode, "role": list(roles)}
    told = client.post(asked.headers["location"], data=form)
    if told.status_code == 403:
        raise SignInError("The passcode is not the one of the development provider.")
    if told.status_code != 303:
        raise SignInError(f"The provider is no development provider: {told.status_code}.")
    signed_in = client.get(told.headers["location"])
    if signed_in.status_code != 303:
        raise SignInError(f"The site does not take the answer: {signed_in.status_code}.")
    return signed_in


def bearer_of_person(
    platform: Platform, *roles: str, name: str = "Olga", email: str = ""
) -> Mapping[str, str]:
    """The header with an access token of somebody who has these roles; for calls past the site."""
    verifier, callback = secrets.token_urlsafe(32), f"{platform.urls.site}{CALLBACK}"
    asked = {
        "response_type": "code",
        "client_id": "frontend",
        "redirect_uri": callback,
        "scope": "openid",
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    form = {"name": name, "email": email, "passcode": platform.passcode, "role": list(roles)}
    told = httpx2.post(f"{platform.urls.provider}/authorize", params=asked, data=form)
    code = parse_qs(urlsplit(told.headers["location"]).query)["code"][0]
    grant = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    return _bearer(platform, "frontend", {**grant, "redirect_uri": callback})


def bearer_of_program(platform: Platform, client: str) -> Mapping[str, str]:
    """The header with an access token of one of the platform's own programs."""
    return _bearer(platform, client, {"grant_type": "client_credentials"})


def _bearer(platform: Platform, client: str, grant: Mapping[str, str]) -> Mapping[str, str]:
    shown = {"client_id": client, "client_secret": platform.identities.secret(client)}
    answer = httpx2.post(f"{platform.urls.provider}/token", data={**grant, **shown})
    return {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}

"""The realm of the conference, as programs and its administrator use it over HTTP."""

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from tests.acceptance.programs import program

from embedded.keycloak import ADMINISTRATOR
from embedded.services import CALLBACK, SCOPES, SERVICE_ROLES
from embedded.signing_in import fill_in
from servicekit.provider import challenge_of
from testkit.service import Identities

ADMINISTRATORS_CLIENT = "admin-cli"
"""Keycloak's own, in its realm `master`."""


class Realm:
    """Gives out tokens, and changes what an administrator may change while all goes on."""

    def __init__(self, identities: Identities, password: str, site: str) -> None:
        self.issuer = identities.issuer
        self.callback = f"{site}{CALLBACK}"
        """Where the site takes codes."""
        self._secrets = {client: identities.secret(client) for client in SERVICE_ROLES}
        self._password = password
        keycloak, _, name = self.issuer.rpartition("/realms/")
        self._master = f"{keycloak}/realms/master"
        self._program = program(keycloak)
        self._admin = program(f"{keycloak}/admin/realms/{name}")

    def close(self) -> None:
        """Give the connections back."""
        self._program.close()
        self._admin.close()

    def ask_for_code(self, **changes: str) -> httpx2.Response:
        """Return what a browser gets that asks to sign in, with `changes`, of which "" omits."""
        return self._program.get(self._code_address(**changes))

    def _code_address(self, **changes: str) -> str:
        asked = {
            "response_type": "code",
            "client_id": "frontend",
            "redirect_uri": self.callback,
            "scope": "openid profile email",
            "state": "any",
            "code_challenge": "a" * 43,
            "code_challenge_method": "S256",
            **changes,
        }
        wanted = urlencode({name: value for name, value in asked.items() if value})
        return f"{self.issuer}/protocol/openid-connect/auth?{wanted}"

    def of_person(self, name: str, callback: str = "") -> Mapping[str, str]:
        """The tokens of somebody who signs in at the frontend: access_token, id_token, …"""
        verifier = secrets.token_urlsafe(48)
        redirect_uri = callback or self.callback
        address = self._code_address(
            code_challenge=challenge_of(verifier), redirect_uri=redirect_uri
        )
        with program(self.issuer) as browser:
            back = fill_in(browser, address, name, self._password)
        (code,) = parse_qs(urlsplit(back).query)["code"]
        answer = self.grant(
            "frontend",
            grant_type="authorization_code",
            code=code,
            redirect_uri=redirect_uri,
            code_verifier=verifier,
        )
        tokens: Mapping[str, str] = answer.raise_for_status().json()
        return tokens

    def of_client(self, client: str, scope: str = SCOPES[0]) -> str:
        """The access token of a service; an empty `scope` for a client that has none to ask for."""
        asked = {"scope": scope} if scope else {}
        answer = self.grant(client, grant_type="client_credentials", **asked)
        return str(answer.raise_for_status().json()["access_token"])

    def grant(self, client: str, **form: str) -> httpx2.Response:
        """The answer to a client that asks for tokens and knows its secret."""
        known = {"client_id": client, "client_secret": self._secrets[client]}
        return self._program.post(
            f"{self.issuer}/protocol/openid-connect/token", data={**known, **form}
        )

    def of_other_realm(self) -> str:
        """An access token that the same Keycloak has signed as another issuer."""
        form = {
            "grant_type": "password",
            "client_id": ADMINISTRATORS_CLIENT,
            "username": ADMINISTRATOR,
            "password": self._password,
        }
        answer = self._program.post(f"{self._master}/protocol/openid-connect/token", data=form)
        return str(answer.raise_for_status().json()["access_token"])

    def add_organizer(self, client: str, *, audience: str, token_seconds: int = 300) -> None:
        """A new client that is an organizer, for `audience`, as long as its tokens live."""
        self._secrets[client] = secrets.token_hex(16)
        roles = {"claim.name": "roles", "claim.value": '["organizer"]', "jsonType.label": "JSON"}
        self._administer(
            "POST",
            "/clients",
            {
                "clientId": client,
                "secret": self._secrets[client],
                "standardFlowEnabled": False,
                "serviceAccountsEnabled": True,
                "attributes": {"access.token.lifespan": str(token_seconds)},
                "defaultClientScopes": ["basic"],
                "protocolMappers": [
                    _mapper("oidc-audience-mapper", {"included.custom.audience": audience}),
                    _mapper("oidc-hardcoded-claim-mapper", roles),
                ],
            },
        )

    def set_token_seconds(self, seconds: int) -> None:
        """Return how long the access tokens live that are given out from now on."""
        self._administer("PUT", "", {"accessTokenLifespan": seconds})

    def rotate_keys(self) -> None:
        """From now on tokens are signed by a new key; the old one still verifies."""
        settings = {"priority": ["200"], "algorithm": ["RS256"], "keySize": ["2048"]}
        self._administer(
            "POST",
            "/components",
            {
                "name": f"rotated-{secrets.token_hex(4)}",
                "providerId": "rsa-generated",
                "providerType": "org.keycloak.keys.KeyProvider",
                "config": settings,
            },
        )

    @property
    def keys(self) -> Mapping[str, Any]:
        """The key set that it publishes."""
        answer = self._program.get(f"{self.issuer}/protocol/openid-connect/certs")
        found: Mapping[str, Any] = answer.raise_for_status().json()
        return found

    def _administer(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        headers = {"Authorization": f"Bearer {self.of_other_realm()}"}
        self._admin.request(method, path, json=body, headers=headers).raise_for_status()


def _mapper(kind: str, settings: Mapping[str, str]) -> Mapping[str, Any]:
    config = {"access.token.claim": "true", **settings}
    return {"name": kind, "protocol": "openid-connect", "protocolMapper": kind, "config": config}

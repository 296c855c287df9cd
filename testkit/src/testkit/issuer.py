"""An OpenID provider for tests, whose people and services are what a test says."""

import json
import ssl
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
from joserfc import jws
from joserfc.jwk import ECKey

from servicekit.provider import challenge_of
from testkit.fake import Answer, Call, fake_neighbour

Claims = dict[str, Any]


class Issuer:
    """An OpenID provider that says of everybody what a test wants, once `answer` is reached.

    `person` is who signs in at its authorization endpoint, without being asked.
    """

    audience = "conference"

    def __init__(self, url: str = "http://issuer.example") -> None:
        self.url = url
        self.lifetime_seconds = 3600.0
        self.person: Claims = {}
        self.client_roles: Mapping[str, Collection[str]] = {}
        self.asked: list[str] = []
        """The paths that were asked for."""
        self.refuses_refresh = False
        self.revoked: list[str] = []
        """Refresh tokens that were taken back."""
        self.rotate()
        self._codes: dict[str, dict[str, str]] = {}

    def rotate(self) -> None:
        """Sign with a new key from now on, and publish no other."""
        kid = uuid.uuid4().hex
        self.key = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})

    def claims(self, *roles: str, name: str = "Olga Organizer", **claims: Any) -> Claims:
        """Return what a good access token says; `claims` adds to it or overrides it."""
        now = int(time.time())
        said = {
            "iss": self.url,
            "aud": self.audience,
            "sub": f"subject-of-{name}",
            "iat": now,
            "exp": now + self.lifetime_seconds,
            "name": name,
            "roles": list(roles),
        }
        return {**said, **claims}

    def token(self, *roles: str, **claims: Any) -> str:
        """An access token; the arguments are those of `claims`."""
        return self.sign(self.claims(*roles, **claims))

    def bearer(self, *roles: str, **claims: Any) -> dict[str, str]:
        """The header that carries such a token."""
        return {"Authorization": f"Bearer {self.token(*roles, **claims)}"}

    def sign(self, claims: Claims) -> str:
        """A token that says exactly this."""
        header = {"alg": "ES256", "kid": self.key.kid, "typ": "JWT"}
        # In ASCII, since a forger may send half of a surrogate pair.
        return jws.serialize_compact(header, json.dumps(claims), self.key, algorithms=["ES256"])

    def answer(self, path: str, body: str = "") -> tuple[int, Claims]:
        """The status and the JSON with which it answers; a 303 has `location`."""
        parts = urlsplit(path)
        self.asked.append(parts.path)
        match parts.path:
            case "/.well-known/openid-configuration":
                return 200, {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "jwks_uri": f"{self.url}/jwks",
                    "end_session_endpoint": f"{self.url}/end-session",
                    "revocation_endpoint": f"{self.url}/revoke",
                }
            case "/jwks":
                return 200, {"keys": [self.key.as_dict(private=False)]}
            case "/authorize":
                return 303, {"location": self._authorize(dict(parse_qsl(parts.query)))}
            case "/token":
                return self._grant(dict(parse_qsl(body)))
            case "/revoke":
                self.revoked.append(dict(parse_qsl(body))["token"])
                return 200, {}
        return 404, {}

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        """The same for `httpx2.MockTransport`."""
        status, document = self.answer(request.url.raw_path.decode(), request.content.decode())
        return httpx2.Response(status, json=document)

    def _authorize(self, asked: dict[str, str]) -> str:
        code = uuid.uuid4().hex
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def _grant(self, form: dict[str, str]) -> tuple[int, Claims]:
        refused = (400, {"error": "invalid_grant"})
        match form["grant_type"]:
            case "client_credentials":
                client = form["client_id"]
                roles = self.client_roles.get(client, ())
                audience = form.get("scope", self.audience)
                return 200, self._tokens(self.token(*roles, name=client, aud=audience))
            case "authorization_code":
                asked = self._codes.pop(form["code"], None)
                if asked is None or asked["code_challenge"] != challenge_of(form["code_verifier"]):
                    return refused
                said = {**self.person, "aud": asked["client_id"], "nonce": asked["nonce"]}
                id_token = self.token(**said)
                return 200, self._tokens(self.token(**self.person), id_token=id_token)
            case "refresh_token" if not (
                self.refuses_refresh or form["refresh_token"] in self.revoked
            ):
                return 200, self._tokens(self.token(**self.person))
        return refused

    def _tokens(self, access_token: str, **more: str) -> Claims:
        lifetime = self.lifetime_seconds
        refresh = {"refresh_token": uuid.uuid4().hex}
        return {"access_token": access_token, "expires_in": lifetime, **refresh, **more}


@contextmanager
def running_issuer(tls: ssl.SSLContext | None = None) -> Iterator[Issuer]:
    """Run an OpenID provider on a port of its own; with `tls` it answers by HTTPS only."""
    with fake_neighbour(tls) as fake:
        made = Issuer(fake.url)

        def answer(call: Call) -> Answer:
            status, document = made.answer(call.path, call.body or "")
            return Answer(status, document, document if status == 303 else {})

        fake.answer = answer
        yield made

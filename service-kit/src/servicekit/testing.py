"""For tests: wait for a condition, never for a time; read problems; say who somebody is."""

import json
import secrets
import socket
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
from joserfc import jws
from joserfc.jwk import ECKey

from servicekit.problems import MEDIA_TYPE
from servicekit.provider import challenge_of

T = TypeVar("T")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is this process's until it ends, for a server still to start.

    It lies below the ports that systems give to outgoing connections (from 32768 on Linux, from
    49152 by RFC 6335), any of which may be taken by a client before the server binds it, and above
    those that databases and the like usually have. The UDP port of the same number is held
    meanwhile, so that no other process is given it here.
    """
    while True:
        port = secrets.randbelow(15_000) + 17_000
        claim = socket.socket(type=socket.SOCK_DGRAM)
        with suppress(OSError):
            claim.bind(("127.0.0.1", port))
            if is_free(port):
                # Open until the process ends.
                claim.detach()
                return port
        claim.close()


def is_free(port: int) -> bool:
    """Whether a server can listen at this TCP port of 127.0.0.1 just now."""
    with socket.socket() as probe:
        # As the servers do: connections that are still being closed don't hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wait_for(
    condition: Callable[[], T | None], what: str, timeout_seconds: float = 30, pause: float = 0.05
) -> T:
    """The first truthy result of `condition`, or an AssertionError that says `what` is missing."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        if result := condition():
            return result
        assert time.monotonic() < deadline, f"waited {timeout_seconds} s for {what}"
        time.sleep(pause)


def problem(response: httpx2.Response) -> tuple[int, str]:
    """The status and the last part of the type of what must be a whole problem."""
    assert response.headers["content-type"] == MEDIA_TYPE
    body = response.json()
    assert {"type", "title", "status", "detail"} <= body.keys()
    assert body["status"] == response.status_code
    return response.status_code, body["type"].removeprefix("urn:problem:")


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
        """What a good access token says; `claims` adds to it or overrides it."""
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


def operations(openapi: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every method and path that a description has, with an id where the path wants one."""
    for template, methods in openapi["paths"].items():
        path = template
        while "{" in path:
            before, _, after = path.partition("{")
            path = f"{before}{uuid.UUID(int=1)}{after.partition('}')[2]}"
        for method in methods:
            yield method.upper(), path


OPEN = frozenset({("GET", "/info"), ("GET", "/livez"), ("GET", "/readyz")})
"""What anybody may ask of any service, beside its /openapi.json."""


def assert_closed(
    client: httpx2.Client,
    issuer: Issuer,
    *also_open: tuple[str, str],
    audience: str = Issuer.audience,
) -> None:
    """Every route of a service but OPEN and `also_open` wants a token, and a role in it."""
    found = set(operations(client.get("/openapi.json").json()))
    assert found >= OPEN | set(also_open), "the list of open routes names one that is not there"
    closed = found - OPEN - set(also_open)
    assert closed
    for method, path in sorted(closed):
        nobody = client.request(method, path)
        assert problem(nobody) == (401, "sign-in-required"), (method, path)
        assert nobody.headers["www-authenticate"].startswith("Bearer")
        somebody = client.request(method, path, headers=issuer.bearer("somebody", aud=audience))
        assert problem(somebody) == (403, "role-required"), (method, path)

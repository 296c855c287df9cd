"""The key, and everything that is signed with it."""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jwt import JWTClaimsRegistry

from development_provider.domain import Client, CodeRequest, OAuthError, Person
from development_provider.settings import ProviderSettings
from servicekit.provider import challenge_of

ALGORITHM = "ES256"
CODE_SECONDS = 60
_INVALID_GRANT = "invalid_grant"


def key_in(folder: Path) -> ECKey:
    """The key in this folder, made the first time; only the owner may read it."""
    file = folder / "key.json"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = ECKey.generate_key(
            "P-256", {"kid": secrets.token_hex(8), "use": "sig", "alg": ALGORITHM}
        )
        new = file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(made.as_dict(private=True)))
        new.replace(file)
    return ECKey.import_key(json.loads(file.read_text()))


@dataclass(frozen=True, slots=True)
class _Promise:
    """What a code stands for, until it is exchanged once."""

    request: CodeRequest
    person: Person
    ends_at: float


class Tokens:
    """Makes tokens, and knows those of its own."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self._key = key_in(settings.data_dir)
        self._codes: dict[str, _Promise] = {}
        self._signed_out: set[str] = set()
        """The sessions that have ended, as long as this process lives: it is for development."""

    @property
    def public_keys(self) -> Mapping[str, Any]:
        """The key set that everybody may have."""
        return {"keys": [self._key.as_dict(private=False)]}

    def code(self, request: CodeRequest, person: Person) -> str:
        """A code for `person`, good once and for a minute."""
        now = time.monotonic()
        self._codes = {code: each for code, each in self._codes.items() if each.ends_at > now}
        code = secrets.token_urlsafe(32)
        self._codes[code] = _Promise(request, person, now + CODE_SECONDS)
        return code

    def exchange(self, client: Client, form: Mapping[str, str]) -> Mapping[str, Any]:
        """The tokens for a code, or OAuthError."""
        promise = self._codes.pop(form.get("code", ""), None)
        if promise is None or promise.ends_at <= time.monotonic():
            raise OAuthError(_INVALID_GRANT, "The code is not known, or not any more.")
        request = promise.request
        if request.client != client or request.redirect_uri != form.get("redirect_uri"):
            raise OAuthError(_INVALID_GRANT, "The code was given for another request.")
        if not secrets.compare_digest(
            challenge_of(form.get("code_verifier", "")), request.challenge
        ):
            raise OAuthError(_INVALID_GRANT, "The code_verifier does not fit.")
        session = secrets.token_hex(16)
        return self._answer(client, promise.person, session, nonce=request.nonce)

    def refresh(self, client: Client, form: Mapping[str, str]) -> Mapping[str, Any]:
        """New tokens for a refresh token, or OAuthError."""
        said = self._read(form.get("refresh_token", ""), self._settings.issuer)
        if said is None or said["client_id"] != client.id or said["sid"] in self._signed_out:
            raise OAuthError(_INVALID_GRANT, "The refresh token is not good, or not any more.")
        person = Person(**{**said["person"], "roles": tuple(said["person"]["roles"])})
        return self._answer(client, person, said["sid"], session_ends_at=said["exp"])

    def of_client(self, client: Client, scope: str) -> Mapping[str, Any]:
        """The token of a program itself, for the audience that `scope` names, or OAuthError."""
        if scope not in client.scopes:
            raise OAuthError("invalid_scope", "The client may not ask for that.")
        claims = {"sub": f"client:{client.id}", "name": client.id, "roles": list(client.roles)}
        seconds = self._settings.token_seconds
        token = self._sign(scope, time.time() + seconds, claims)
        return {"access_token": token, "token_type": "Bearer", "expires_in": seconds}

    def sign_out(self, id_token: str, client_id: str) -> None:
        """Let the session that `id_token` was made in get no more tokens; it may have expired."""
        said = self._read(id_token, client_id, may_be_over=True)
        if said is not None:
            self._signed_out.add(said["sid"])

    def revoke(self, client: Client, token: str) -> None:
        """Let the session of a refresh or access token of `client` get no more tokens (RFC 7009).

        A token that is not good, or another client's, changes nothing.
        """
        for audience in (self._settings.issuer, self._settings.audience):
            said = self._read(token, audience)
            if said is not None and said.get("client_id") == client.id:
                self._signed_out.add(said["sid"])

    def _answer(
        self,
        client: Client,
        person: Person,
        session: str,
        *,
        nonce: str = "",
        session_ends_at: float | None = None,
    ) -> Mapping[str, Any]:
        settings, now = self._settings, time.time()
        ends_at = now + settings.token_seconds
        claims = {
            "sub": person.subject,
            "name": person.name,
            "sid": session,
            "client_id": client.id,
            **({"email": person.email, "email_verified": True} if person.email else {}),
        }
        kept = {"sid": session, "client_id": client.id, "person": asdict(person)}
        session_ends_at = session_ends_at or now + settings.session_seconds
        return {
            "access_token": self._sign(
                settings.audience, ends_at, {**claims, "roles": list(person.roles)}
            ),
            "id_token": self._sign(client.id, ends_at, {**claims, "nonce": nonce}),
            "refresh_token": self._sign(settings.issuer, session_ends_at, kept),
            "token_type": "Bearer",
            "expires_in": settings.token_seconds,
        }

    def _sign(self, audience: str, ends_at: float, claims: Mapping[str, Any]) -> str:
        common = {"iss": self._settings.issuer, "aud": audience, "iat": int(time.time())}
        # Two tokens of one second differ all the same.
        common |= {"exp": int(ends_at), "jti": secrets.token_hex(8)}
        header = {"alg": ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, {**common, **claims}, self._key, algorithms=[ALGORITHM])

    def _read(
        self, token: str, audience: str, *, may_be_over: bool = False
    ) -> Mapping[str, Any] | None:
        expected = JWTClaimsRegistry(
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": audience},
        )
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            expected.validate({**claims, "exp": 2**40} if may_be_over else claims)
        except (JoseError, ValueError):
            return None
        return claims

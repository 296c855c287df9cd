"""The tokens of the provider: signed for people and programs, and read back."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jwt import JWTClaimsRegistry

from development_provider.domain import ALGORITHM, Client, Person
from development_provider.settings import ProviderSettings


class Tokens:
    """A maker and reader of signed tokens, with one key."""

    def __init__(self, settings: ProviderSettings, key: ECKey) -> None:
        self._settings = settings
        self._key = key

    @property
    def public_keys(self) -> Mapping[str, Any]:
        """The key set (RFC 7517) by which anybody can verify the tokens."""
        return {"keys": [self._key.as_dict(private=False)]}

    def for_person(
        self,
        client: Client,
        person: Person,
        session_id: str,
        *,
        nonce: str = "",
        session_ends_at: float | None = None,
    ) -> Mapping[str, Any]:
        """Return the body of a token response: access, id and refresh token of a person.

        `session_ends_at` is in seconds since 1970; None lets a new session begin now.
        """
        settings, now = self._settings, time.time()
        expires_at = now + settings.token_seconds
        claims = {
            "sub": person.subject,
            "name": person.name,
            "sid": session_id,
            "client_id": client.id,
            **({"email": person.email, "email_verified": True} if person.email else {}),
        }
        session = {"sid": session_id, "client_id": client.id, "person": asdict(person)}
        session_ends_at = session_ends_at or now + settings.session_seconds
        return {
            "access_token": self._sign(
                settings.audience, expires_at, {**claims, "roles": list(person.roles)}
            ),
            "id_token": self._sign(client.id, expires_at, {**claims, "nonce": nonce}),
            "refresh_token": self._sign(settings.issuer, session_ends_at, session),
            "token_type": "Bearer",
            "expires_in": settings.token_seconds,
        }

    def for_client(self, client: Client, audience: str) -> Mapping[str, Any]:
        """Return the body of a token response: the access token of a program in its own name."""
        claims = {"sub": f"client:{client.id}", "name": client.id, "roles": list(client.roles)}
        seconds = self._settings.token_seconds
        token = self._sign(audience, time.time() + seconds, claims)
        return {"access_token": token, "token_type": "Bearer", "expires_in": seconds}

    def read_refresh_token(self, token: str) -> Mapping[str, Any] | None:
        """Return the claims of a refresh token, or None if it is not valid."""
        return self._read(token, self._settings.issuer)

    def read_access_token(self, token: str) -> Mapping[str, Any] | None:
        """Return the claims of a person's access token, or None if it is not valid."""
        return self._read(token, self._settings.audience)

    def read_id_token(self, token: str, client_id: str) -> Mapping[str, Any] | None:
        """Return the claims of an id token, which may have expired, or None if it is not valid."""
        return self._read(token, client_id, allow_expired=True)

    def _sign(self, audience: str, expires_at: float, claims: Mapping[str, Any]) -> str:
        common = {"iss": self._settings.issuer, "aud": audience, "iat": int(time.time())}
        # The random jti makes two tokens of the same second differ.
        common |= {"exp": int(expires_at), "jti": secrets.token_hex(8)}
        header = {"alg": ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, {**common, **claims}, self._key, algorithms=[ALGORITHM])

    def _read(
        self, token: str, audience: str, *, allow_expired: bool = False
    ) -> Mapping[str, Any] | None:
        expected = JWTClaimsRegistry(
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": audience},
        )
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            expected.validate({**claims, "exp": 2**40} if allow_expired else claims)
        except (JoseError, ValueError):
            return None
        return claims

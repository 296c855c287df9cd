"""Signing in at the OpenID provider: the authorization code flow with PKCE, and what follows."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode

from frontend.domain import Tokens
from servicekit.identity import Identity, TokenRefusedError, Verifier
from servicekit.provider import Provider, TokenAnswer, challenge_of, replace_after

SCOPE = "openid profile email"
ERRORS = frozenset(
    {
        # RFC 6749, 4.1.2.1
        "access_denied",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
        # OpenID Connect Core 1.0, 3.1.2.6
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request_object",
        "invalid_request_uri",
        "login_required",
        "registration_not_supported",
        "request_not_supported",
        "request_uri_not_supported",
    }
)
"""What a provider may say through the browser instead of a code."""
CALLBACK = "/sign-in/callback"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that has begun; the browser that began it keeps it, encrypted, and nobody else."""

    state: str
    nonce: str
    verifier: str
    wanted: str
    """The page to which it leads."""

    @classmethod
    def to(cls, wanted: str) -> "Attempt":
        """A new one."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, wanted)

    def is_answered_by(self, state: str) -> bool:
        """Return whether an answer with `state` is for this attempt."""
        return compare_digest(self.state.encode(), state.encode("utf-8", "surrogatepass"))


class OpenId:
    """The provider, for the client that this site is. Its methods raise NeighbourUnavailableError
    while the provider is unavailable, and GrantRefusedError when it says no.
    """

    def __init__(
        self,
        provider: Provider,
        verifier: Verifier,
        *,
        client_id: str,
        client_secret: str,
        site: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._provider = provider
        self._verifier = verifier
        self._client = {"client_id": client_id, "client_secret": client_secret}
        self._client_id = client_id
        self._site = site
        self._now = now

    async def address(self, attempt: Attempt) -> str:
        """Return where the visitor signs in."""
        # Asked now: a visitor is not to be sent where nobody answers.
        metadata = await self._provider.discover()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": f"{self._site}{CALLBACK}",
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge_of(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return _with_query(metadata.authorization_endpoint, asked)

    async def exchange(self, code: str, attempt: Attempt) -> tuple[Identity, Tokens]:
        """Return who has signed in, as services see it; TokenRefusedError for a false answer."""
        answer = await self._provider.grant(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": f"{self._site}{CALLBACK}",
                "code_verifier": attempt.verifier,
                **self._client,
            }
        )
        said = await self._verifier.claims(answer.id_token or "", self._client_id)
        identity = await self._verifier.identity(answer.access_token)
        if said.get("nonce") != attempt.nonce or said["sub"] != identity.subject:
            raise TokenRefusedError("The tokens are not for this sign-in.")
        if not _is_for(self._client_id, said):
            raise TokenRefusedError("The ID token was made for another client.")
        return identity, self._tokens(answer)

    async def refresh(self, tokens: Tokens) -> Tokens:
        """New tokens for the same session."""
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh or ""}
        return self._tokens(await self._provider.grant({**form, **self._client}), tokens)

    async def revoke(self, refresh_token: str) -> None:
        """Let nobody who has a copy of it get tokens for the session any more."""
        asked = {"token": refresh_token, "token_type_hint": "refresh_token"}
        await self._provider.revoke({**asked, **self._client})

    async def leave_address(self, id_token: str | None) -> str | None:
        """Return where the session at the provider ends; None where it has no such place."""
        endpoint = (await self._provider.discover()).end_session_endpoint
        if endpoint is None:
            return None
        asked = {
            "client_id": self._client_id,
            "post_logout_redirect_uri": f"{self._site}/",
            **({"id_token_hint": id_token} if id_token else {}),
        }
        return _with_query(endpoint, asked)

    def _tokens(self, answer: TokenAnswer, before: Tokens | None = None) -> Tokens:
        now = self._now()
        return Tokens(
            access=answer.access_token,
            # A provider that sends none anew wants the one before to be used again.
            refresh=answer.refresh_token or (before.refresh if before else None),
            id=answer.id_token or (before.id if before else None),
            replace_at=now + replace_after(answer.expires_in),
            ends_at=now + answer.expires_in,
        )


def _is_for(client_id: str, said: Mapping[str, Any]) -> bool:
    # OpenID Connect Core 1.0, 3.1.3.7: of several audiences, `azp` names the one that has asked.
    has_several = isinstance(said["aud"], list) and len(said["aud"]) > 1
    return bool(said.get("azp", None if has_several else client_id) == client_id)


def _with_query(endpoint: str, asked: Mapping[str, Any]) -> str:
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

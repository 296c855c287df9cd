"""The OpenID provider as this process sees it: where things are, its keys, and its tokens.

The words are those of OpenID Connect Discovery 1.0 and of RFC 6749.
"""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from time import monotonic
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from pydantic import BaseModel

from servicekit.http import Neighbour, NeighbourUnavailableError
from servicekit.settings import CallerSettings, VerifyingSettings

NAME = "identity provider"
TIMEOUT_SECONDS = 3.0
EARLY_SECONDS = 30.0
"""How long before its end a token is replaced; a short-lived one, after half of its life."""
AGAIN_SECONDS = 5.0
"""How long a token that could not be replaced is used before that is tried again."""


class Metadata(BaseModel):
    """The content of `/.well-known/openid-configuration`, as far as it is used here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None
    revocation_endpoint: str | None = None

    @property
    def endpoints(self) -> Mapping[str, str]:
        """The address of each endpoint that there is, by its name."""
        named = self.model_dump(exclude={"issuer"}, exclude_none=True)
        return {name: str(address) for name, address in named.items()}


FOR_BROWSERS = {"authorization_endpoint", "end_session_endpoint"}
"""The endpoints that people are sent to; services ask the others."""


class TokenAnswer(BaseModel):
    """An answer of the token endpoint."""

    access_token: str
    expires_in: float = 60
    refresh_token: str | None = None
    id_token: str | None = None


class GrantRefusedError(Exception):
    """The provider answered, and gives no token: an expired refresh token, a wrong secret."""


Key = RSAKey | ECKey


class Provider:
    """The provider at `issuer`. Every method raises NeighbourUnavailableError while it is down.

    `discovery_url` is where it describes itself, if not at the issuer's own address.
    """

    def __init__(
        self,
        issuer: str,
        discovery_url: str | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.issuer = issuer
        self._discovery_url = (
            discovery_url or f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        )
        self._neighbour = Neighbour(
            NAME, issuer, timeout_seconds=timeout_seconds, transport=transport
        )
        self._metadata: Metadata | None = None

    @classmethod
    def of(cls, settings: VerifyingSettings) -> Self:
        """The one that the settings name."""
        return cls(settings.oidc_issuer, settings.oidc_discovery_url)

    async def metadata(self) -> Metadata:
        """Return the addresses of its endpoints; asked once, and again with its keys."""
        return self._metadata or await self.discover()

    async def discover(self) -> Metadata:
        """The same, asked now."""
        found = self._neighbour.parse(Metadata, await self._get(self._discovery_url))
        if found.issuer != self.issuer:
            raise NeighbourUnavailableError(NAME, f"it calls itself {found.issuer[:200]!r}")
        # Production's issuer is https (see VerifyingSettings), so that everything else is too.
        # A provider that is asked inside may name its server endpoints there or in public.
        issuer, here = urlsplit(self.issuer).scheme, urlsplit(self._discovery_url).scheme
        for name, endpoint in found.endpoints.items():
            schemes = {issuer} if name in FOR_BROWSERS else {issuer, here}
            if urlsplit(endpoint).scheme not in schemes:
                kinds = ":// or ".join(sorted(schemes))
                raise NeighbourUnavailableError(NAME, f"its {name} is no {kinds}:// address")
        self._metadata = found
        return found

    async def keys(self) -> dict[str, Key]:
        """The keys that it signs with now, by their ids."""
        metadata = await self.discover()
        answer = await self._get(metadata.jwks_uri)
        try:
            keys = KeySet.import_key_set(answer.json()).keys
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise NeighbourUnavailableError(NAME, "its keys are not understood") from error
        return {
            each.kid: each
            for each in keys
            # Secret keys have no place in a public set, and a key for encryption signs nothing.
            if isinstance(each, RSAKey | ECKey) and each.kid and each.get("use") in {None, "sig"}
        }

    async def grant(self, form: Mapping[str, str]) -> TokenAnswer:
        """The tokens for a grant of RFC 6749, or GrantRefusedError.

        Only `invalid_grant` says that of the grant; any other refusal may come from a proxy in
        between or from a setting that is being changed, and is an absence.
        """
        answer = await self._post((await self.metadata()).token_endpoint, form)
        if answer.is_client_error and _error(answer) == "invalid_grant":
            raise GrantRefusedError(_reason(answer))
        if not answer.is_success:
            client = form.get("client_id", "somebody")
            raise NeighbourUnavailableError(NAME, f"it refuses {client}: {_reason(answer)}")
        return self._neighbour.parse(TokenAnswer, answer)

    async def revoke(self, form: Mapping[str, str]) -> None:
        """Let the token in `form` get no more tokens (RFC 7009), where there is a way to say so.

        The provider answers the same for a token that was not good any more.
        """
        endpoint = (await self.metadata()).revocation_endpoint
        if endpoint is None:
            return
        answer = await self._post(endpoint, form)
        if not answer.is_success:
            raise NeighbourUnavailableError(NAME, f"it revokes nothing: {_reason(answer)}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back, as the end of the context does."""
        await self._neighbour.close()

    async def _post(self, address: str, form: Mapping[str, str]) -> httpx2.Response:
        return await self._neighbour.request(
            "POST",
            address,
            content=urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

    async def _get(self, address: str) -> httpx2.Response:
        answer = await self._neighbour.request("GET", address)
        if not answer.is_success:
            raise NeighbourUnavailableError(NAME, f"it answered {answer.status_code}")
        return answer


def _error(answer: httpx2.Response) -> str:
    return _said(answer)[0]


def _reason(answer: httpx2.Response) -> str:
    return ": ".join(filter(None, _said(answer)))[:200] or f"status {answer.status_code}"


def _said(answer: httpx2.Response) -> list[str]:
    # `error` and `error_description` (RFC 6749, 5.2) are the provider's words, never a secret.
    try:
        document: Any = answer.json()
        return [str(document.get(name) or "") for name in ("error", "error_description")]
    except (ValueError, AttributeError):
        return ["", ""]


def challenge_of(verifier: str) -> str:
    """Return what PKCE sends ahead of `verifier` (RFC 7636, S256)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def replace_after(lifetime_seconds: float) -> float:
    """After how many seconds a token that lives so long is to be replaced."""
    return max(lifetime_seconds - EARLY_SECONDS, lifetime_seconds / 2)


@dataclass(slots=True)
class _Token:
    text: str
    replace_at: float
    ends_at: float


@dataclass(slots=True)
class ClientCredentials:
    """The access token of this process itself, by the grant of that name (RFC 6749, 4.4).

    `scope` is what is asked for: at the provider it stands for the audience of the token.
    """

    provider: Provider
    client_id: str
    client_secret: str = field(repr=False)
    scope: str
    now: Callable[[], float] = monotonic
    _token: _Token | None = None
    _failures: int = 0
    _reason: str = ""
    """Of the newest failure."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def of(cls, provider: Provider, settings: CallerSettings) -> "ClientCredentials":
        """Those that the settings name, for services that people call too."""
        secret = settings.oidc_client_secret.get_secret_value()
        return cls(provider, settings.oidc_client_id, secret, settings.oidc_scope)

    def scoped(self, scope: str) -> "ClientCredentials":
        """Those of the same client for another audience."""
        return ClientCredentials(self.provider, self.client_id, self.client_secret, scope, self.now)

    async def token(self) -> str:
        """Return a token that is good for a while; NeighbourUnavailableError when there is none."""
        known = self._token
        # To its end while somebody replaces it, which takes seconds where the provider hangs.
        if known is not None and self.now() < (
            known.ends_at if self._lock.locked() else known.replace_at
        ):
            return known.text
        failures = self._failures
        async with self._lock:
            known = self._token
            if known is not None and self.now() < known.replace_at:
                return known.text
            if failures != self._failures:
                # It was tried while this one waited, who would wait as long again.
                raise NeighbourUnavailableError(NAME, self._reason)
            return await self._renew_or_keep()

    async def _renew_or_keep(self) -> str:
        try:
            return await self._renew()
        except NeighbourUnavailableError as error:
            self._failures += 1
            self._reason = error.reason
            # It may have been refused meanwhile.
            if (known := self._token) is None or self.now() >= known.ends_at:
                raise
            known.replace_at = min(self.now() + AGAIN_SECONDS, known.ends_at)
            return known.text

    def forget(self, token: str) -> None:
        """Somebody refused `token`, so get another one next time."""
        if self._token is not None and self._token.text == token:
            self._token = None

    async def _renew(self) -> str:
        asked_at = self.now()
        try:
            answer = await self.provider.grant(
                {
                    "grant_type": "client_credentials",
                    "client_id": self.client_id,
                    "client_secret": self.client_secret,
                    "scope": self.scope,
                }
            )
        except GrantRefusedError as error:
            # A person has to repair this, and what waits for it is not to be given up meanwhile.
            raise NeighbourUnavailableError(
                NAME, f"it refuses {self.client_id}: {error}"
            ) from error
        self._token = _Token(
            answer.access_token,
            asked_at + replace_after(answer.expires_in),
            asked_at + answer.expires_in,
        )
        return answer.access_token

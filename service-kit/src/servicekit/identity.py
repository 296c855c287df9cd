"""The person or service that makes a request: every service verifies the access token itself."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPBearer
from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwt import JWTClaimsRegistry

from servicekit.http import NeighbourUnavailableError
from servicekit.problems import ROLE_REQUIRED, SIGN_IN_REQUIRED, Problem, unavailable
from servicekit.provider import NAME, Key, Provider
from servicekit.settings import VerifyingSettings

ALGORITHMS = ("RS256", "ES256")
"""Signatures of key pairs alone: with a shared secret, whoever verifies could sign too."""
LEEWAY_SECONDS = 10
"""How far the clocks of the provider and of this process may be apart."""
KEYS_SECONDS = 600.0
"""After which time the provider's keys are asked for again, though no new one is missed."""
PAUSE_SECONDS = 10.0
"""Forged key ids can't make this process ask the provider more often than that."""
MAX_TOKEN_LENGTH = 16_384
MAX_KNOWN = 4096
"""How many verified tokens are remembered, so that each costs its signature once."""
MAX_NAME = 200
MAX_SUBJECT = 255
"""OpenID Connect Core 1.0, section 2."""

log = structlog.get_logger()


class TokenRefusedError(Exception):
    """The token is forged, expired, or meant for somebody else; a sentence says which."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity, as the provider says: a person, or a service of ours.

    `subject` never changes and `name` is for people to read; `email` is None unless the provider
    has verified that it is theirs. `expires_at` is in seconds since 1970.
    """

    subject: str
    name: str
    roles: frozenset[str]
    email: str | None
    expires_at: float


class Verifier:
    """Verifies tokens of one provider for one audience, with its keys as they are just now."""

    def __init__(
        self, provider: Provider, audience: str, *, now: Callable[[], float] = time.time
    ) -> None:
        self._provider = provider
        self._audience = audience
        self._now = now
        self._keys: dict[str, Key] = {}
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None
        self._known: OrderedDict[bytes, Identity] = OrderedDict()

    async def identity(self, token: str) -> Identity:
        """Return whose access token it is, or TokenRefusedError.

        NeighbourUnavailableError while the provider is unavailable and has never told its keys.
        """
        if self._keys and self._now() - self._asked_at > KEYS_SECONDS:
            # Nobody waits for it. What a key has signed that was taken back is forgotten then.
            self._ask()
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest)
        if known is not None and self._now() < known.expires_at:
            self._known.move_to_end(digest)
            return known
        identity = _identity(await self.claims(token, self._audience))
        self._known[digest] = identity
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return identity

    async def claims(self, token: str, audience: str) -> Mapping[str, Any]:
        """Return the claims of a token for `audience`; the errors are those of `identity`."""
        key = await self._key(_key_id(token))
        expected = JWTClaimsRegistry(
            now=lambda: int(self._now()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._provider.issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
            expected.validate(claims)
        except ExpiredTokenError as error:
            raise TokenRefusedError("The token has expired.") from error
        except (JoseError, ValueError, TypeError) as error:
            raise TokenRefusedError("The token is not one for this service.") from error
        return claims

    async def warm_up(self) -> None:
        """Ask for the keys before somebody waits for them; it may fail now."""
        try:
            await self._refresh()
        except NeighbourUnavailableError as error:
            log.warning("no keys yet", reason=str(error))

    async def _key(self, key_id: str) -> Key:
        if key_id not in self._keys:
            await self._refresh()
        try:
            return self._keys[key_id]
        except KeyError:
            raise TokenRefusedError("The token is signed by nobody known here.") from None

    async def _refresh(self) -> None:
        asking = self._ask()
        if asking is not None:
            # Others wait for the same answer, whatever becomes of this request.
            await asyncio.shield(asking)

    def _ask(self) -> "asyncio.Task[None] | None":
        is_too_soon = self._keys and self._now() - self._asked_at < PAUSE_SECONDS
        if self._asking is None and not is_too_soon:
            self._asked_at = self._now()
            self._asking = asyncio.create_task(self._fetch())
            self._asking.add_done_callback(self._asked)
        return self._asking

    def _asked(self, task: "asyncio.Task[None]") -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()

    async def _fetch(self) -> None:
        try:
            keys = await self._provider.keys()
        except NeighbourUnavailableError as error:
            if not self._keys:
                raise
            log.warning("the provider's keys are kept as they were", reason=str(error))
            return
        if not self._keys.keys() <= keys.keys():
            # A key that was taken back may have signed what is remembered.
            self._known.clear()
        self._keys = keys


def _key_id(token: str) -> str:
    """The id of the key that is said to have signed; TokenRefusedError where none may have."""
    try:
        if len(token) > MAX_TOKEN_LENGTH:
            raise ValueError("too long")
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError) as error:
        raise TokenRefusedError("The token can't be read.") from error
    key_id = header.get("kid")
    if header.get("alg") not in ALGORITHMS or not isinstance(key_id, str):
        raise TokenRefusedError("The token is not signed in a way that is accepted here.")
    return key_id


def _identity(claims: Mapping[str, Any]) -> Identity:
    subject, roles, email = claims["sub"], claims.get("roles"), claims.get("email")
    # Kept to the letter, or two people could become one.
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        raise TokenRefusedError("The token names nobody whom this service could tell apart.")
    if not subject.isprintable():
        raise TokenRefusedError("The token's subject has characters that can't be kept.")
    names = (claims.get("name"), claims.get("preferred_username"), subject)
    is_verified = claims.get("email_verified") is True
    # What no database can compare is nobody's address.
    is_address = isinstance(email, str) and email.isprintable()
    return Identity(
        subject=subject,
        name=next(filter(None, (_printable(each) for each in names)), "somebody"),
        roles=frozenset(each for each in roles if isinstance(each, str))
        if isinstance(roles, list)
        else frozenset(),
        email=email if is_verified and is_address else None,
        expires_at=float(claims["exp"]),
    )


def _printable(value: object) -> str:
    # Half of a surrogate pair or a NUL can't be stored, and a line feed would forge a line.
    text = value if isinstance(value, str) else ""
    return "".join(char for char in text if char.isprintable()).strip()[:MAX_NAME]


@asynccontextmanager
async def verifying(app: FastAPI, settings: VerifyingSettings) -> AsyncIterator[Verifier]:
    """Let the dependencies of this module work in `app`, as long as the context lasts."""
    async with Provider.of(settings) as provider:
        verifier = app.state.verifier = Verifier(provider, settings.oidc_audience)
        warming = asyncio.create_task(verifier.warm_up())
        try:
            yield verifier
        finally:
            warming.cancel()


_SCHEME = HTTPBearer(
    scheme_name="token",
    bearerFormat="JWT",
    auto_error=False,
    description="An access token of the conference's OpenID provider",
)
bearer_scheme = Depends(_SCHEME)
"""A dependency that does nothing but describe, in OpenAPI, that a token is taken."""


async def read_identity(request: Request) -> Identity | None:
    """Return who sent the request, None without a token; a Problem for a token that is no good."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    verifier: Verifier = request.app.state.verifier
    try:
        return await verifier.identity(token.strip())
    except TokenRefusedError as error:
        raise sign_in_required(str(error), invalid=True) from error
    except NeighbourUnavailableError as error:
        log.warning("nobody can be recognised", reason=str(error))
        raise unavailable(f"The {NAME}") from error


AnyIdentity = Annotated[Identity | None, Depends(read_identity)]
"""The type of a route's parameter that tells who sent the request, if anybody known."""


def sign_in_required(detail: str, *, invalid: bool = False) -> Problem:
    """A 401, with the challenge that RFC 6750 wants."""
    challenge = 'Bearer error="invalid_token"' if invalid else "Bearer"
    return Problem(SIGN_IN_REQUIRED, detail, headers={"WWW-Authenticate": challenge})


def role_required(*roles: str) -> Problem:
    """A 403 that names the roles of which one is needed."""
    return Problem(ROLE_REQUIRED, f"This needs the role {' or '.join(roles)}.", roles=list(roles))


def require(identity: Identity | None, *roles: str) -> Identity:
    """`identity` if it has one of `roles`, else the Problem that says what is missing."""
    if identity is None:
        raise sign_in_required("Nobody is signed in.")
    if identity.roles.isdisjoint(roles):
        raise role_required(*roles)
    return identity


def demand(*roles: str) -> Callable[..., Awaitable[Identity]]:
    """A dependency: the identity of who sent the request, if it has one of `roles`."""

    async def check(identity: AnyIdentity, _: Annotated[Any, bearer_scheme]) -> Identity:
        return require(identity, *roles)

    return check

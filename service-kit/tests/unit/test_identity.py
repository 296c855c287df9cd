"""Tokens that tell who somebody is, questions to the provider for its keys, and roles."""

import asyncio
import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any, Self

import httpx2
import orjson
import pytest
from fastapi import Depends, FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey

from servicekit import identity, problem_handlers
from servicekit.http import NeighbourUnavailableError
from servicekit.identity import AnyIdentity, TokenRefusedError, Verifier, demand
from servicekit.provider import Provider
from testkit.issuer import Claims, Issuer
from testkit.problems import problem


class World:
    """An issuer that a verifier reaches unless it is unavailable, and a clock that a test turns."""

    def __init__(self) -> None:
        self.issuer = Issuer()
        self.is_unavailable = False
        self.later = 0.0
        provider = Provider(self.issuer.url, transport=httpx2.MockTransport(self._handle))
        self.verifier = Verifier(provider, "conference", now=lambda: time.time() + self.later)

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        if self.is_unavailable:
            raise httpx2.ConnectError("unavailable")
        return self.issuer.handle(request)

    @property
    def key_requests(self) -> int:
        return self.issuer.asked.count("/jwks")

    async def knows(self, token: str) -> bool:
        try:
            await self.verifier.identity(token)
        except TokenRefusedError:
            return False
        return True


@pytest.fixture
def world() -> World:
    return World()


async def test_identity_is_what_the_token_says(world: World) -> None:
    token = world.issuer.token("organizer", "reviewer", email="o@x.org", email_verified=True)
    found = await world.verifier.identity(token)
    assert (found.name, found.subject) == ("Olga Organizer", "subject-of-Olga Organizer")
    assert found.roles == {"organizer", "reviewer"}
    assert found.email == "o@x.org"


@pytest.mark.parametrize("verified", [False, None, "true", 1])
async def test_identity_has_no_email_that_nobody_verified(world: World, verified: Any) -> None:
    token = world.issuer.token(email="o@x.org", email_verified=verified)
    assert (await world.verifier.identity(token)).email is None


@pytest.mark.parametrize("email", [None, 7, ["o@x.org"], "o\x00@x.org", "o\ud800@x.org"])
async def test_identity_has_no_email_that_can_not_be_compared(world: World, email: Any) -> None:
    token = world.issuer.sign(world.issuer.claims() | {"email": email, "email_verified": True})
    assert (await world.verifier.identity(token)).email is None


@pytest.mark.parametrize("roles", [None, "organizer", {"organizer": True}, [1, None]])
async def test_identity_has_no_roles_that_are_no_list_of_words(world: World, roles: Any) -> None:
    token = world.issuer.sign(world.issuer.claims() | {"roles": roles})
    assert (await world.verifier.identity(token)).roles == frozenset()


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": None, "preferred_username": "olga"}, "olga"),
        ({"name": "\n", "sub": "7"}, "7"),
        ({"name": "Ol\x00ga\ud800\u202e\nX"}, "OlgaX"),
        ({"name": "x" * 500}, "x" * 200),
    ],
)
async def test_identity_has_a_name_that_can_be_stored(
    world: World, claims: dict[str, Any], name: str
) -> None:
    token = world.issuer.sign(world.issuer.claims() | claims)
    assert (await world.verifier.identity(token)).name == name


async def test_identity_has_the_whole_subject(world: World) -> None:
    longest = "x" * 254
    for subject in (f"{longest}1", f"{longest}2", " 7", "7"):
        assert (await world.verifier.identity(world.issuer.token(sub=subject))).subject == subject


def changed(**claims: Any) -> Callable[[Issuer], str]:
    return lambda issuer: issuer.sign(issuer.claims("organizer") | claims)


def without(name: str) -> Callable[[Issuer], str]:
    def make(issuer: Issuer) -> str:
        claims = issuer.claims("organizer")
        del claims[name]
        return issuer.sign(claims)

    return make


def encoded(*parts: Claims) -> list[str]:
    return [urlsafe_b64encode(orjson.dumps(each)).rstrip(b"=").decode() for each in parts]


def unsigned(issuer: Issuer) -> str:
    parts = encoded({"alg": "none", "kid": issuer.key.kid}, issuer.claims("organizer"))
    return ".".join([*parts, ""])


def by_the_public_key(issuer: Issuer) -> str:
    # The classic attack: the public key, which everybody has, as the secret of an HMAC.
    signed = ".".join(encoded({"alg": "HS256", "kid": issuer.key.kid}, issuer.claims("organizer")))
    secret = issuer.key.as_pem(private=False)
    signature = hmac.digest(secret, signed.encode(), "sha256")
    return f"{signed}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def by_another_key(issuer: Issuer) -> str:
    forger = Issuer(issuer.url)
    header = {"alg": "ES256", "kid": issuer.key.kid}
    return jwt.encode(header, issuer.claims("organizer"), forger.key, algorithms=["ES256"])


def by_another_kind_of_key(issuer: Issuer) -> str:
    key = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "kid": issuer.key.kid}
    return jwt.encode(header, issuer.claims("organizer"), key, algorithms=["RS256"])


def altered(issuer: Issuer) -> str:
    head, _, signature = issuer.token("reviewer").split(".")
    body = issuer.token("organizer").split(".")[1]
    return f"{head}.{body}.{signature}"


@pytest.mark.parametrize(
    "make",
    [
        changed(exp=int(time.time()) - 60),
        changed(exp="tomorrow"),
        changed(nbf=int(time.time()) + 3600),
        changed(iss="https://another.example"),
        changed(aud="another"),
        changed(aud=["another", "account"]),
        changed(sub=7),
        changed(sub=""),
        changed(sub="x" * 256),
        changed(sub="olga\x00"),
        changed(sub="olga\n"),
        *(without(name) for name in ("exp", "iss", "aud", "sub")),
        unsigned,
        by_the_public_key,
        by_another_key,
        by_another_kind_of_key,
        altered,
    ],
)
async def test_verifier_refuses_what_is_forged_expired_or_not_for_it(
    world: World, make: Callable[[Issuer], str]
) -> None:
    assert await world.knows(world.issuer.token())
    assert not await world.knows(make(world.issuer))


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é.é.é", "\ud800", "a" * 20_000, "....."])
async def test_verifier_refuses_what_is_no_token_without_asking_anybody(
    world: World, text: str
) -> None:
    assert not await world.knows(text)
    assert world.issuer.asked == []


async def test_verifier_takes_tokens_signed_by_rsa(world: World) -> None:
    key = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
    claims = world.issuer.claims("organizer")
    token = jwt.encode({"alg": "RS256", "kid": "rsa"}, claims, key, algorithms=["RS256"])
    world.issuer.key = key  # type: ignore[assignment]
    assert await world.knows(token)


async def test_verifier_never_signs_in_by_a_key_that_is_for_encryption(world: World) -> None:
    key = RSAKey.generate_key(2048, {"kid": "rsa", "use": "enc"})
    token = jwt.encode(
        {"alg": "RS256", "kid": "rsa"},
        world.issuer.claims(),
        RSAKey.import_key(key.as_pem(private=True)),
        algorithms=["RS256"],
    )
    world.issuer.key = key  # type: ignore[assignment]
    assert not await world.knows(token)


async def test_verifier_forgives_clocks_that_differ_a_little(world: World) -> None:
    assert await world.knows(changed(exp=int(time.time()) - 3)(world.issuer))


async def test_verifier_asks_for_the_keys_once(world: World) -> None:
    for name in ("Olga", "Rita", "Otto"):
        assert await world.knows(world.issuer.token(name=name))
    assert world.key_requests == 1


async def test_verifier_asks_again_for_a_new_key_and_forgets_the_old_one(world: World) -> None:
    old = world.issuer.token()
    assert await world.knows(old)
    world.issuer.rotate()
    world.later = identity.PAUSE_SECONDS + 1
    assert await world.knows(world.issuer.token())
    assert world.key_requests == 2
    assert not await world.knows(old)


async def test_verifier_forgets_what_a_withdrawn_key_signed_though_no_other_token_comes(
    world: World,
) -> None:
    lasting = world.issuer.token("organizer", exp=time.time() + 90_000)
    assert await world.knows(lasting)
    world.issuer.rotate()
    world.later = identity.KEYS_SECONDS + 1
    assert await world.knows(lasting), "nobody waits for the provider"
    await asyncio.sleep(0)
    wanted = 50
    while await world.knows(lasting):
        wanted -= 1
        assert wanted, "the provider was asked again, and its keys no longer have this one"
        await asyncio.sleep(0)


async def test_verifier_is_not_made_to_hammer_the_provider_by_forged_key_ids(world: World) -> None:
    assert await world.knows(world.issuer.token())
    forger = Issuer(world.issuer.url)
    for _ in range(5):
        forger.rotate()
        assert not await world.knows(forger.token())
    assert world.key_requests == 1
    world.later = identity.PAUSE_SECONDS + 1
    for _ in range(5):
        forger.rotate()
        assert not await world.knows(forger.token())
    assert world.key_requests == 2


async def test_verifier_keeps_its_keys_while_the_provider_is_unavailable(world: World) -> None:
    assert await world.knows(world.issuer.token(name="Olga"))
    world.is_unavailable = True
    world.later = identity.KEYS_SECONDS + 1
    world.issuer.lifetime_seconds = 3600
    assert await world.knows(world.issuer.token(name="Rita"))
    assert not await world.knows(Issuer(world.issuer.url).token())
    assert await world.knows(world.issuer.token(name="Otto"))


async def test_verifier_without_keys_says_that_the_provider_is_unavailable(world: World) -> None:
    world.is_unavailable = True
    await world.verifier.warm_up()
    with pytest.raises(NeighbourUnavailableError):
        await world.verifier.identity(world.issuer.token())
    world.is_unavailable = False
    assert await world.knows(world.issuer.token())


async def test_verifier_remembers_a_token_until_it_expires(world: World) -> None:
    token = world.issuer.token()
    first = await world.verifier.identity(token)
    assert await world.verifier.identity(token) is first
    world.later = world.issuer.lifetime_seconds + identity.LEEWAY_SECONDS + 1
    assert not await world.knows(token)


async def test_verifier_remembers_so_many_tokens_and_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "MAX_KNOWN", 2)
    tokens = [world.issuer.token(name=name) for name in "abc"]
    first, *_ = [await world.verifier.identity(each) for each in tokens]
    assert await world.verifier.identity(tokens[0]) is not first


class Site(httpx2.AsyncClient):
    """An app with a route for everybody, and one for two roles."""

    @classmethod
    def of(cls, world: World) -> Self:
        app = FastAPI()
        problem_handlers.install(app, {})
        app.state.verifier = world.verifier

        @app.get("/open")
        async def for_everybody(who: AnyIdentity) -> str | None:
            return who.name if who else None

        @app.get("/closed", dependencies=[Depends(demand("organizer", "auditor"))])
        async def for_two_roles() -> None:
            """Nothing."""

        return cls(transport=httpx2.ASGITransport(app), base_url="http://site")


async def test_open_route_tells_who_sent_a_token_and_takes_none(world: World) -> None:
    async with Site.of(world) as site:
        assert (await site.get("/open")).json() is None
        assert world.issuer.asked == [], "nobody looks at tokens that are not there"
        assert (await site.get("/open", headers=world.issuer.bearer())).json() == "Olga Organizer"


@pytest.mark.parametrize("value", ["", "Basic b2xnYTpvbGdh", "Bearer", "Bearer "])
async def test_closed_route_wants_a_token(world: World, value: str) -> None:
    async with Site.of(world) as site:
        answer = await site.get("/closed", headers={"Authorization": value})
    assert problem(answer) == (401, "sign-in-required")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_closed_route_wants_one_of_its_roles(world: World) -> None:
    async with Site.of(world) as site:
        refused = await site.get("/closed", headers=world.issuer.bearer("reviewer"))
        assert problem(refused) == (403, "role-required")
        assert refused.json()["roles"] == ["organizer", "auditor"]
        for role in ("organizer", "auditor"):
            assert (await site.get("/closed", headers=world.issuer.bearer(role))).is_success


async def test_refused_token_is_a_401_that_says_so(world: World) -> None:
    async with Site.of(world) as site:
        for path in ("/open", "/closed"):
            answer = await site.get(path, headers={"Authorization": "Bearer x.y.z"})
            assert problem(answer) == (401, "sign-in-required")
            assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_provider_unavailable_is_a_503_and_no_401(world: World) -> None:
    world.is_unavailable = True
    async with Site.of(world) as site:
        answer = await site.get("/closed", headers=world.issuer.bearer("organizer"))
    assert problem(answer) == (503, "unavailable")

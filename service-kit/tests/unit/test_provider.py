"""Answers of a provider that are believed, and a service's token of its own."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx2
import pytest
from joserfc import jwt

from servicekit.http import Neighbour, NeighbourUnavailableError
from servicekit.provider import AGAIN_SECONDS, ClientCredentials, GrantRefusedError, Provider
from testkit.issuer import Issuer

Handler = (
    Callable[[httpx2.Request], httpx2.Response]
    | Callable[[httpx2.Request], Coroutine[None, None, httpx2.Response]]
)


def provider(handle: Handler, url: str = "http://issuer.example") -> Provider:
    return Provider(url, transport=httpx2.MockTransport(handle))


async def test_metadata_are_asked_for_once() -> None:
    issuer = Issuer()
    asked = provider(issuer.handle)
    assert (await asked.metadata()).token_endpoint == f"{issuer.url}/token"
    await asked.metadata()
    assert len(issuer.asked) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "http://another.example"},
        {"jwks_uri": "https://issuer.example/jwks"},
        {"token_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": "data:text/html,x"},
        {"end_session_endpoint": "javascript:alert(1)"},
        {"revocation_endpoint": "//issuer.example/revoke"},
        {"token_endpoint": None},
    ],
)
async def test_metadata_of_somebody_else_are_not_believed(change: dict[str, Any]) -> None:
    issuer = Issuer()
    document = {**issuer.answer("/.well-known/openid-configuration")[1], **change}
    with pytest.raises(NeighbourUnavailableError):
        await provider(lambda _: httpx2.Response(200, json=document)).metadata()


INSIDE = "http://provider:8080/realm/.well-known/openid-configuration"


def inside(change: dict[str, Any], issuer: str = "https://id.example") -> Provider:
    """A provider that is asked inside, and browsers at `issuer`."""
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": "http://provider:8080/realm/token",
        "jwks_uri": "http://provider:8080/realm/jwks",
        "end_session_endpoint": f"{issuer}/end-session",
    }

    def handle(request: httpx2.Request) -> httpx2.Response:
        assert str(request.url) == INSIDE
        return httpx2.Response(200, json={**document, **change})

    return Provider(issuer, INSIDE, transport=httpx2.MockTransport(handle))


@pytest.mark.parametrize("token_endpoint", ["http://provider:8080/token", "https://id.example/t"])
async def test_metadata_come_from_the_discovery_address_and_name_others(
    token_endpoint: str,
) -> None:
    found = await inside({"token_endpoint": token_endpoint}).metadata()
    assert found.token_endpoint == token_endpoint
    assert found.authorization_endpoint == "https://id.example/authorize"


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "http://provider:8080/realm"},
        {"issuer": "https://id.example/"},
        {"authorization_endpoint": "http://provider:8080/realm/authorize"},
        {"end_session_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
    ],
)
async def test_metadata_from_the_discovery_address_must_be_those_of_the_issuer(
    change: dict[str, Any],
) -> None:
    with pytest.raises(NeighbourUnavailableError):
        await inside(change).metadata()


async def test_metadata_of_an_https_issuer_name_no_http_and_the_error_says_which() -> None:
    issuer = Issuer("https://issuer.example")
    document = issuer.answer("/.well-known/openid-configuration")[1]
    asked = provider(lambda _: httpx2.Response(200, json=document), issuer.url)
    assert (await asked.discover()).revocation_endpoint == "https://issuer.example/revoke"
    document["end_session_endpoint"] = "http://issuer.example/end-session"
    with pytest.raises(
        NeighbourUnavailableError, match="end_session_endpoint is no https:// address"
    ):
        await asked.discover()


async def test_token_that_is_revoked_gets_no_other() -> None:
    issuer = Issuer()
    asked = provider(issuer.handle)
    form = {"grant_type": "refresh_token", "refresh_token": "r"}
    assert (await asked.grant(form)).access_token
    await asked.revoke({"token": "r", "token_type_hint": "refresh_token"})
    with pytest.raises(GrantRefusedError):
        await asked.grant(form)


@pytest.mark.parametrize("status", [400, 503])
async def test_revocation_that_is_refused_is_an_absence(status: int) -> None:
    issuer = Issuer()

    def handle(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/revoke":
            return httpx2.Response(status, json={"error": "unsupported_token_type"})
        return issuer.handle(request)

    with pytest.raises(
        NeighbourUnavailableError, match="it revokes nothing: unsupported_token_type"
    ):
        await provider(handle).revoke({"token": "r"})


@pytest.mark.parametrize("keys", [b"", b"[]", b"{}", b'{"keys": 7}', b'{"keys": [{"kty": "x"}]}'])
async def test_keys_that_are_not_understood_are_none(keys: bytes) -> None:
    issuer = Issuer()

    def handle(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/jwks":
            return httpx2.Response(200, content=keys)
        return issuer.handle(request)

    with pytest.raises(NeighbourUnavailableError):
        await provider(handle).keys()


async def test_grant_that_is_refused_says_why() -> None:
    issuer = Issuer()
    form = {"grant_type": "authorization_code", "code": "x", "code_verifier": "y"}
    with pytest.raises(GrantRefusedError, match="invalid_grant"):
        await provider(issuer.handle).grant(form)


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"no such page"), (429, b"{}"), (401, b'{"error": "invalid_client"}'), (400, b"[]")],
)
async def test_refusal_that_is_not_of_the_grant_is_an_absence(status: int, body: bytes) -> None:
    issuer = Issuer()

    def handle(request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            return httpx2.Response(status, content=body)
        return issuer.handle(request)

    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "frontend"}
    with pytest.raises(NeighbourUnavailableError, match="refuses frontend"):
        await provider(handle).grant(form)


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


class World:
    """A client of an issuer, which may be unavailable, and a clock."""

    def __init__(self) -> None:
        self.issuer = Issuer()
        self.issuer.lifetime_seconds = 300
        self.issuer.client_roles = {"c4p-service": ["agenda-writer"]}
        self.is_unavailable = False
        self.asked = asyncio.Event()
        self.times_asked = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.status = 200
        self.now = Clock()
        self.credentials = ClientCredentials(
            provider(self._handle), "c4p-service", "secret", "conference", self.now
        )

    async def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.set()
        self.times_asked += 1
        await self.answers.wait()
        if self.is_unavailable:
            raise httpx2.ConnectError("unavailable")
        if self.status != 200:
            return httpx2.Response(self.status, json={"error": "invalid_client"})
        return self.issuer.handle(request)

    @property
    def grants(self) -> int:
        return self.issuer.asked.count("/token")


@pytest.fixture
def world() -> World:
    return World()


async def test_credentials_are_got_once_by_all_who_wait(world: World) -> None:
    tokens = await asyncio.gather(*(world.credentials.token() for _ in range(5)))
    assert len(set(tokens)) == 1
    assert world.grants == 1


async def test_credentials_of_each_scope_are_tokens_of_their_own(world: World) -> None:
    for scope in ("conference", "conference-mail"):
        token = await world.credentials.scoped(scope).token()
        assert jwt.decode(token, world.issuer.key).claims["aud"] == scope


async def test_credentials_are_replaced_before_they_end(world: World) -> None:
    first = await world.credentials.token()
    world.now.time = 269
    assert await world.credentials.token() == first
    world.now.time = 271
    assert await world.credentials.token() != first


async def test_credentials_are_used_to_their_end_while_the_provider_is_unavailable(
    world: World,
) -> None:
    first = await world.credentials.token()
    world.is_unavailable = True
    world.now.time = 299
    assert await world.credentials.token() == first
    world.now.time = 301
    with pytest.raises(NeighbourUnavailableError):
        await world.credentials.token()


async def test_credentials_are_waited_for_by_one_while_the_provider_hangs(world: World) -> None:
    first = await world.credentials.token()
    world.now.time = 280
    world.is_unavailable = True
    world.answers.clear()
    world.asked.clear()
    one = asyncio.create_task(world.credentials.token())
    await world.asked.wait()
    assert await world.credentials.token() == first
    world.answers.set()
    assert await one == first


async def test_credentials_that_nobody_has_are_waited_for_by_all_at_once(world: World) -> None:
    await world.credentials.provider.metadata()
    world.status = 503
    world.answers.clear()
    world.asked.clear()
    asked = world.times_asked
    waiting = [asyncio.create_task(world.credentials.token()) for _ in range(5)]
    await world.asked.wait()
    world.answers.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(each) for each in answers] == [str(answers[0])] * 5
    assert isinstance(answers[0], NeighbourUnavailableError)
    assert world.times_asked == asked + 1
    world.status = 200
    assert await world.credentials.token()


async def test_credentials_that_could_not_be_replaced_are_not_asked_for_each_time(
    world: World,
) -> None:
    first = await world.credentials.token()
    world.now.time = 280
    world.is_unavailable = True
    assert await world.credentials.token() == first
    world.asked.clear()
    assert await world.credentials.token() == first
    assert not world.asked.is_set()
    world.is_unavailable = False
    world.now.time += AGAIN_SECONDS
    assert await world.credentials.token() != first


async def test_credentials_that_are_refused_are_an_absence_that_names_the_client(
    world: World,
) -> None:
    await world.credentials.provider.metadata()
    world.status = 401
    with pytest.raises(NeighbourUnavailableError, match="refuses c4p-service: invalid_client"):
        await world.credentials.token()
    assert "secret" not in repr(world.credentials)


@pytest.mark.parametrize("refusals", [1, 9])
async def test_neighbour_that_refuses_a_token_is_asked_once_more_with_another(
    world: World, refusals: int
) -> None:
    seen: list[str] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        assert request.content == b"once"
        seen.append(request.headers["authorization"])
        return httpx2.Response(401 if len(seen) <= refusals else 200)

    neighbour = Neighbour(
        "there",
        "http://there.example",
        timeout_seconds=1,
        transport=httpx2.MockTransport(handle),
        credentials=world.credentials,
    )
    await world.credentials.token()
    world.issuer.lifetime_seconds = 200
    answer = await neighbour.request("POST", "/x", content=b"once")
    assert answer.status_code == (200 if refusals == 1 else 401)
    assert len(set(seen)) == len(seen) == 2
    person = {"Authorization": "Bearer of-a-person"}
    await neighbour.request("POST", "/x", content=b"once", headers=person)
    assert seen[2:] == ["Bearer of-a-person"], "another's identity is not ours to renew"


class Fixed:
    """Credentials of somebody who has no other."""

    async def token(self) -> str:
        return "of-somebody"

    def forget(self, token: str) -> None:
        pass


async def test_neighbour_is_called_in_another_name_and_repeats_nothing_with_the_same_token(
    world: World,
) -> None:
    seen: list[str] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["authorization"])
        return httpx2.Response(401)

    neighbour = Neighbour(
        "there",
        "http://there.example",
        timeout_seconds=1,
        transport=httpx2.MockTransport(handle),
        credentials=world.credentials,
    )
    assert (await neighbour.request("PUT", "/x", credentials=Fixed())).status_code == 401
    assert seen == ["Bearer of-somebody"]


async def test_neighbour_is_unavailable_when_there_are_no_credentials(world: World) -> None:
    world.is_unavailable = True
    neighbour = Neighbour(
        "there",
        "http://there.example",
        timeout_seconds=1,
        transport=httpx2.MockTransport(lambda _: httpx2.Response(200)),
        credentials=world.credentials,
    )
    with pytest.raises(NeighbourUnavailableError, match="identity provider"):
        await neighbour.request("PUT", "/x")

"""Signed-in sessions, over several replicas and a real Valkey that may be unavailable."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from redis import Redis

from frontend.domain import SESSION_LIFETIME, SignInRequiredError, Tokens
from frontend.encryption import Cipher
from frontend.store.tokens import TokenStore
from servicekit.problems import MEDIA_TYPE
from testkit.issuer import Issuer
from testkit.problems import problem
from testkit.process import Process, Program
from testkit.waiting import wait_for

from .conftest import LIMIT_SECONDS, SESSION_KEY, Received, Reply, World

PROPOSALS = "/api/proposals"


@pytest.fixture
def world(
    tmp_path: Path, own_valkey: Process, issuer: Issuer, make_frontend: Callable[..., Program]
) -> Iterator[World]:
    with ExitStack() as stack:
        world = World(tmp_path, stack, issuer, own_valkey.url, make_frontend)
        world.start()
        yield world


@pytest.fixture
def olga(world: World) -> httpx2.Client:
    """An organizer's browser."""
    return world.signed_in("Olga", "organizer")


@contextmanager
def brief_tokens(issuer: Issuer) -> Iterator[None]:
    """The provider's tokens end at once, until this does: the provider is other tests' as well."""
    with pytest.MonkeyPatch.context() as briefly:
        briefly.setattr(issuer, "lifetime_seconds", 0.01)
        yield


def at_another_replica(world: World, browser: httpx2.Client) -> httpx2.Client:
    """The same browser, asking a replica that was started just now."""
    world.start()
    other = world.client()
    other.cookies.set("session", browser.cookies["session"])
    return other


def test_session_holds_at_another_replica(world: World, olga: httpx2.Client) -> None:
    assert olga.get(PROPOSALS).is_success
    assert at_another_replica(world, olga).get(PROPOSALS).is_success


def test_valkey_holds_nothing_that_its_reader_could_use(
    olga: httpx2.Client, own_valkey: Process
) -> None:
    with Redis.from_url(own_valkey.url, decode_responses=True) as client:
        (key,) = client.scan_iter()
        value = str(client.get(key))
        assert 0 < client.ttl(key) <= 12 * 3600
    assert len(value.split(".")) == 5, "encrypted (RFC 7516)"
    assert olga.cookies["session"] not in key


def test_tokens_that_are_moved_in_valkey_open_no_other_session(
    world: World, olga: httpx2.Client, own_valkey: Process
) -> None:
    nina = world.signed_in("Nina")
    with Redis.from_url(own_valkey.url, decode_responses=True) as client:
        first, second = client.scan_iter("*:tokens:*")
        values = client.get(first), client.get(second)
        client.set(first, str(values[1]), ex=3600)
        client.set(second, str(values[0]), ex=3600)
    for browser in (olga, nina):
        assert at_another_replica(world, browser).get(PROPOSALS).status_code == 401


def test_tokens_that_another_version_has_kept_lead_to_sign_in(
    world: World, olga: httpx2.Client, own_valkey: Process
) -> None:
    cipher, now = Cipher(SESSION_KEY, "tokens"), datetime.now(UTC)
    with Redis.from_url(own_valkey.url, decode_responses=True) as client:
        (key,) = client.scan_iter("*:tokens:*")
        value = cipher.decrypt(str(client.get(key)), now)
        assert value is not None
        del value["replace_at"]
        client.set(key, cipher.encrypt(value, now + SESSION_LIFETIME))
    other = at_another_replica(world, olga)
    assert problem(other.get(PROPOSALS)) == (401, "sign-in-required")


def test_valkey_unavailable_signs_nobody_out_who_was_here(
    world: World, olga: httpx2.Client, own_valkey: Process
) -> None:
    own_valkey.stop()
    assert olga.get(PROPOSALS).is_success
    assert world.signed_in("Otto", "organizer").get(PROPOSALS).is_success
    other = at_another_replica(world, olga)
    assert problem(other.get(PROPOSALS)) == (503, "unavailable")
    own_valkey.start()
    assert other.get(PROPOSALS).is_success


def test_sign_out_holds_at_another_replica(world: World, olga: httpx2.Client) -> None:
    kept = olga.cookies["session"]
    olga.post("/sign-out")
    olga.cookies.set("session", kept)
    for browser in (olga, at_another_replica(world, olga)):
        assert problem(browser.get(PROPOSALS)) == (401, "sign-in-required")


def test_sign_out_holds_at_a_replica_that_keeps_a_copy_though_the_provider_forgot_it(
    world: World, issuer: Issuer
) -> None:
    with brief_tokens(issuer):
        olga = world.signed_in("Olga", "organizer")
        other = at_another_replica(world, olga)
        assert other.get(PROPOSALS).is_success
    olga.post("/sign-out")
    issuer.revoked.clear()
    assert problem(other.get(PROPOSALS)) == (401, "sign-in-required")


def test_copy_of_the_tokens_is_worth_nothing_after_sign_out(
    world: World, issuer: Issuer, own_valkey: Process
) -> None:
    with brief_tokens(issuer):
        olga = world.signed_in("Olga", "organizer")
    cookie = olga.cookies["session"]
    with Redis.from_url(own_valkey.url, decode_responses=True) as client:
        (key,) = client.scan_iter("*:tokens:*")
        stolen = str(client.get(key))
        olga.post("/sign-out")
        client.set(key, stolen, ex=3600)
    olga.cookies.set("session", cookie)
    other = at_another_replica(world, olga)
    assert problem(other.get(PROPOSALS)) == (401, "sign-in-required")


def test_token_that_ends_is_renewed_without_anybody_noticing(world: World, issuer: Issuer) -> None:
    with brief_tokens(issuer):
        olga = world.signed_in("Olga", "organizer")
    before = issuer.asked.count("/token")
    assert olga.get(PROPOSALS).is_success
    assert olga.get(PROPOSALS).is_success
    assert issuer.asked.count("/token") == before + 1


def test_token_that_a_service_refuses_is_renewed_and_the_call_made_once_more(
    world: World, olga: httpx2.Client, issuer: Issuer
) -> None:
    refused: list[str] = []

    def refuse(asked: Received) -> Reply:
        token = asked.headers["authorization"]
        if not refused or token in refused or always:
            refused.append(token)
            document = {"type": "urn:problem:sign-in-required", "title": "", "detail": "Unknown."}
            kind = {"Content-Type": MEDIA_TYPE}
            return Reply(401, {**document, "status": 401}, kind)
        return Reply(200, {"got": json.loads(asked.body)})

    always = False
    decisions = f"{PROPOSALS}/decisions"
    world.c4p.replies["/proposals/decisions"] = refuse
    before = issuer.asked.count("/token")
    answer = olga.post(decisions, json={"decisions": []})
    assert answer.json() == {"got": {"decisions": []}}
    assert (len(refused), issuer.asked.count("/token")) == (1, before + 1)
    always = True
    answer = olga.post(decisions, json={"decisions": []})
    assert problem(answer) == (401, "sign-in-required")
    assert answer.json()["detail"] == "The session has ended; sign in again."
    assert len(refused) == 3


def test_session_that_the_provider_ended_leads_to_sign_in(
    world: World, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer, "lifetime_seconds", 0.01)
    olga = world.signed_in("Olga", "organizer")
    monkeypatch.setattr(issuer, "refuses_refresh", True)
    wait_for(lambda: olga.get(PROPOSALS).status_code != 200, "the end of the token")
    assert problem(olga.get(PROPOSALS)) == (401, "sign-in-required")
    page = olga.get("/back-office", headers={"Accept": "text/html"})
    assert page.headers["location"] == "/sign-in?next=/back-office"


async def test_session_that_has_ended_takes_no_tokens(own_valkey: Process) -> None:
    store = TokenStore(own_valkey.url, SESSION_KEY, LIMIT_SECONDS)
    tokens = Tokens("access", "refresh", None, 0, 0)
    await store.put("handle", tokens)
    assert await store.get("handle") == tokens
    await store.end("handle")
    # A renewal that was under way comes back too late.
    with pytest.raises(SignInRequiredError):
        await store.put("handle", tokens)
    with pytest.raises(SignInRequiredError):
        await store.get("handle")
    await store.close()

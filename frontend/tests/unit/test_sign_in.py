"""Signing in at the provider and out again, as a browser sees it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from frontend.identity.openid import Attempt

from .conftest import ISSUER, FakeProvider, Neighbours

WANTED = "/back-office?state=accepted"


async def begin(browser: httpx2.AsyncClient, wanted: str = WANTED) -> dict[str, str]:
    """Return what the provider is asked."""
    answer = await browser.get("/sign-in", params={"next": wanted})
    assert answer.status_code == 303, answer.text
    assert answer.headers["cache-control"] == "no-store"
    address = urlsplit(answer.headers["location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{ISSUER}/authorize"
    return {name: values[0] for name, values in parse_qs(address.query).items()}


def code(provider: FakeProvider, asked: dict[str, str]) -> dict[str, str]:
    """Return what the provider gives the browser to bring back."""
    answered = provider.issuer.answer(f"/authorize?{httpx2.QueryParams(asked)}")[1]["location"]
    return {name: values[0] for name, values in parse_qs(urlsplit(answered).query).items()}


async def sign_in(
    browser: httpx2.AsyncClient, provider: FakeProvider, wanted: str = WANTED
) -> httpx2.Response:
    provider.issuer.person = {"name": "Olga", "roles": ["organizer"]}
    asked = await begin(browser, wanted)
    return await browser.get("/sign-in/callback", params=code(provider, asked))


async def test_sign_in_leads_to_the_page_that_was_wanted(
    browser: httpx2.AsyncClient, provider: FakeProvider, neighbours: Neighbours
) -> None:
    answer = await sign_in(browser, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, WANTED)
    assert list(browser.cookies) == ["session"]
    neighbours.answer("GET", "/proposals", {"items": [], "next_cursor": None, "counts": {}})
    assert "Olga" in (await browser.get("/back-office")).text


async def test_sign_in_asks_with_pkce_and_for_an_answer_to_this_browser_alone(
    browser: httpx2.AsyncClient,
) -> None:
    first, second = await begin(browser), await begin(browser)
    assert first["response_type"] == "code"
    assert first["redirect_uri"] == "http://site/sign-in/callback"
    assert first["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "evil.example",
        "",
    ],
)
async def test_no_link_leads_away_from_the_site(
    browser: httpx2.AsyncClient, provider: FakeProvider, wanted: str
) -> None:
    answer = await sign_in(browser, provider, wanted)
    assert answer.headers["location"] == "/back-office"


async def test_answer_to_another_browser_signs_nobody_in(
    browser: httpx2.AsyncClient, provider: FakeProvider
) -> None:
    provider.issuer.person = {"name": "Mallory", "roles": ["organizer"]}
    # Mallory begins, and sends the victim a link with Mallory's own answer.
    of_mallory = code(provider, await begin(browser))
    browser.cookies.clear()
    for has_begun in (False, True):
        if has_begun:
            await begin(browser)
        answer = await browser.get("/sign-in/callback", params=of_mallory)
        assert answer.status_code == 400
        assert "You are not signed in" in answer.text
        assert 'href="http://site/sign-in"' in answer.text
        assert "session" not in browser.cookies


async def test_answer_is_good_once(browser: httpx2.AsyncClient, provider: FakeProvider) -> None:
    provider.issuer.person = {"name": "Olga"}
    answer = code(provider, await begin(browser))
    kept = dict(browser.cookies)
    assert (await browser.get("/sign-in/callback", params=answer)).status_code == 303
    browser.cookies.clear()
    browser.cookies.update(kept)
    assert (await browser.get("/sign-in/callback", params=answer)).status_code == 400
    assert "session" not in browser.cookies


@pytest.mark.parametrize(
    "answer", [{"error": "access_denied"}, {"code": "guessed"}, {"code": ""}, {}]
)
async def test_answer_without_a_good_code_signs_nobody_in(
    browser: httpx2.AsyncClient, answer: dict[str, str]
) -> None:
    state = (await begin(browser))["state"]
    refused = await browser.get("/sign-in/callback", params={**answer, "state": state})
    assert refused.status_code == 400
    assert "did not let you in" in refused.text
    assert "session" not in browser.cookies


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("access_denied", "access_denied"),
        ("login_required", "login_required"),
        ("ada@example.org has no account", "other"),
        ('x"\n{"event": "forged"}', "other"),
    ],
)
async def test_log_says_of_a_refusal_what_the_standards_know_and_no_more(
    browser: httpx2.AsyncClient, logged: list[Any], error: str, reason: str
) -> None:
    state = (await begin(browser))["state"]
    await browser.get("/sign-in/callback", params={"error": error, "state": state})
    (said,) = (each for each in logged if each["event"] == "sign-in refused")
    assert said["reason"] == reason


def other_nonce(asked: dict[str, str]) -> dict[str, str]:
    return {**asked, "nonce": Attempt.to("/").nonce}


def other_client(asked: dict[str, str]) -> dict[str, str]:
    return {**asked, "client_id": "another"}


@pytest.mark.parametrize("change", [other_nonce, other_client])
async def test_tokens_for_another_sign_in_or_client_are_not_believed(
    browser: httpx2.AsyncClient,
    provider: FakeProvider,
    change: Callable[[dict[str, str]], dict[str, str]],
) -> None:
    provider.issuer.person = {"name": "Eve", "roles": ["organizer"]}
    answer = code(provider, change(await begin(browser)))
    refused = await browser.get("/sign-in/callback", params=answer)
    assert refused.status_code == 400
    assert "cannot be believed" in refused.text
    assert "session" not in browser.cookies


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"aud": ["frontend", "other"]}, 400),
        ({"aud": ["frontend", "other"], "azp": "other"}, 400),
        ({"aud": "frontend", "azp": "other"}, 400),
        ({"aud": ["frontend", "other"], "azp": "frontend"}, 303),
        ({"aud": ["frontend"]}, 303),
    ],
)
async def test_id_token_of_several_audiences_is_for_who_has_asked(
    browser: httpx2.AsyncClient,
    provider: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    claims: dict[str, Any],
    status: int,
) -> None:
    plain = provider.issuer.claims

    def several(*roles: str, **said: Any) -> dict[str, Any]:
        return plain(*roles, **{**said, **(claims if "nonce" in said else {})})

    monkeypatch.setattr(provider.issuer, "claims", several)
    assert (await sign_in(browser, provider)).status_code == status


async def test_access_token_that_services_would_refuse_signs_nobody_in(
    browser: httpx2.AsyncClient, provider: FakeProvider
) -> None:
    provider.issuer.audience = "another"
    assert (await sign_in(browser, provider)).status_code == 400


async def test_provider_unavailable_is_a_page_that_says_what_to_do(
    browser: httpx2.AsyncClient, provider: FakeProvider
) -> None:
    provider.is_unavailable = True
    answer = await browser.get("/sign-in", params={"next": WANTED})
    assert answer.status_code == 503
    assert "Signing in is not possible just now" in answer.text
    assert 'href="/sign-in?next=/back-office%3Fstate%3Daccepted"' in answer.text
    assert int(answer.headers["retry-after"]) > 0


async def test_provider_becoming_unavailable_midway_is_the_same_page(
    browser: httpx2.AsyncClient, provider: FakeProvider
) -> None:
    asked = await begin(browser)
    answer = code(provider, asked)
    provider.is_unavailable = True
    refused = await browser.get("/sign-in/callback", params=answer)
    assert refused.status_code == 503
    provider.is_unavailable = False
    # The attempt is still good.
    assert (await browser.get("/sign-in/callback", params=answer)).status_code == 303


async def test_sign_out_ends_the_session_here_and_at_the_provider(
    organizer: httpx2.AsyncClient, provider: FakeProvider
) -> None:
    answer = await organizer.post("/sign-out")
    assert answer.status_code == 303
    leave = urlsplit(answer.headers["location"])
    assert f"{leave.scheme}://{leave.netloc}{leave.path}" == f"{ISSUER}/end-session"
    asked = parse_qs(leave.query)
    assert asked["id_token_hint"] == ["id"]
    assert asked["post_logout_redirect_uri"] == ["http://site/"]
    assert answer.headers["set-cookie"].startswith('session=""; ')
    assert provider.store.kept == {}
    assert provider.issuer.revoked == ["refresh"]


async def test_sign_out_revokes_what_another_replica_has_renewed(
    organizer: httpx2.AsyncClient, provider: FakeProvider
) -> None:
    (handle,) = provider.store.kept
    kept = provider.store.kept[handle]
    newer = replace(kept, access="newer", refresh="newer", ends_at=kept.ends_at + 1)
    provider.store.kept[handle] = newer
    await organizer.post("/sign-out")
    assert provider.issuer.revoked == ["newer"]


async def test_sign_out_waits_for_no_revocation_that_takes_its_time(
    organizer: httpx2.AsyncClient, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: str) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(provider.openid, "revoke", never)
    monkeypatch.setattr("frontend.pages.sign_in.LEAVE_SECONDS", 0.05)
    answer = await organizer.post("/sign-out")
    assert answer.headers["location"].startswith(f"{ISSUER}/end-session?")
    assert answer.headers["set-cookie"].startswith('session=""; ')


async def test_sign_out_works_while_the_provider_and_the_store_are_unavailable(
    organizer: httpx2.AsyncClient, provider: FakeProvider
) -> None:
    # The site knows where the provider's own sign-out would be.
    await begin(organizer)
    provider.is_unavailable = provider.store.is_unavailable = True
    answer = await organizer.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.headers["set-cookie"].startswith('session=""; ')


async def test_form_of_the_site_may_lead_to_the_provider(organizer: httpx2.AsyncClient) -> None:
    policy = (await organizer.get("/")).headers["content-security-policy"]
    assert policy.endswith(f"form-action 'self' {ISSUER}")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/back-office/window", "/back-office/consistency", "/x"])
async def test_role_that_is_missing_is_a_page_with_a_way_out(
    somebody: httpx2.AsyncClient, reviewer: httpx2.AsyncClient, method: str, path: str
) -> None:
    if path == "/x":
        path = "/back-office/decisions" if method == "POST" else "/back-office"
        who: Any = [somebody, *([reviewer] if method == "POST" else [])]
    elif method == "POST" and "consistency" in path:
        return
    else:
        who = [somebody, reviewer]
    for browser in who:
        answer = await browser.request(method, path)
        assert answer.status_code == 403
        assert "You are signed in as" in answer.text
        assert 'action="/sign-out"' in answer.text

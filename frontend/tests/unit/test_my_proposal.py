import httpx2
import orjson
import pytest

from .conftest import PROPOSAL, PROPOSAL_ID, SESSION, FakeProvider, Neighbours

PATH = f"/proposals/{PROPOSAL_ID}"
OWN = "/me/proposals"
TYPED = {
    "token": "signed",
    "version": "1",
    "title": "My <better> title",
    "abstract": "My abstract",
    "speaker_name": "Ada",
}
CHANGED = {**PROPOSAL, "title": "Theirs", "version": 2}


async def test_the_link_shows_state_and_forms(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("GET", PATH, PROPOSAL)
    answer = await browser.get(f"{PATH}?token=signed")

    assert answer.status_code == 200
    assert "Save changes" in answer.text
    assert "Withdraw proposal" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert neighbours.sent("GET", PATH)[0].headers["proposal-token"] == "signed"


@pytest.mark.parametrize(
    ("state", "can_edit", "can_withdraw"),
    [("accepted", False, True), ("rejected", False, False), ("withdrawn", False, False)],
)
async def test_only_what_the_state_allows_is_offered(
    browser: httpx2.AsyncClient,
    neighbours: Neighbours,
    state: str,
    can_edit: bool,
    can_withdraw: bool,
) -> None:
    neighbours.answer("GET", PATH, {**PROPOSAL, "state": state, "message": "A <b>word</b>"})
    text = (await browser.get(f"{PATH}?token=signed")).text

    assert ("Save changes" in text) is can_edit
    assert ("Withdraw proposal" in text) is can_withdraw
    assert "A &lt;b&gt;word&lt;/b&gt;" in text


@pytest.mark.parametrize("is_placed", [True, False])
async def test_an_accepted_proposal_leads_to_its_session_once_there_is_one(
    browser: httpx2.AsyncClient, neighbours: Neighbours, is_placed: bool
) -> None:
    neighbours.answer("GET", "/sessions", {"items": [SESSION] if is_placed else []})
    neighbours.answer("GET", PATH, {**PROPOSAL, "state": "accepted"})
    text = (await browser.get(f"{PATH}?token=signed")).text

    assert (f'href="/agenda/{PROPOSAL_ID}"' in text) is is_placed
    assert ("as soon as it has its slot" in text) is not is_placed


async def test_nothing_is_asked_without_a_token(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("GET", PATH, PROPOSAL)
    answers = [
        await browser.get(PATH),
        await browser.post(f"{PATH}/edit", data={**TYPED, "token": ""}),
        await browser.post(f"{PATH}/withdrawal", data={"confirm": "yes"}),
    ]

    assert [each.status_code for each in answers] == [403, 403, 403]
    assert not [each for each in neighbours.requests if each.url.path.startswith("/proposals")]


async def test_an_organizer_without_a_token_is_led_to_the_back_office(
    organizer: httpx2.AsyncClient, reviewer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    for has_address in (True, False):
        if has_address:
            neighbours.answer("GET", OWN, {"items": [], "next_cursor": None})
        else:
            neighbours.refuse("GET", OWN, "address-not-verified", 403)
        for browser in (organizer, reviewer):
            answer = await browser.get(PATH)
            assert answer.headers["location"] == f"/back-office/proposals/{PROPOSAL_ID}"


async def test_an_organizer_or_reviewer_who_is_its_speaker_sees_it_as_a_speaker(
    organizer: httpx2.AsyncClient, reviewer: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("GET", OWN, {"items": [PROPOSAL], "next_cursor": None})
    neighbours.answer("GET", PATH, PROPOSAL)
    neighbours.answer("PATCH", PATH, CHANGED)
    for browser in (organizer, reviewer):
        answer = await browser.get(PATH)
        assert answer.status_code == 200
        assert "Save changes" in answer.text
        assert "Withdraw proposal" in answer.text
        saved = await browser.post(f"{PATH}/edit", data={**TYPED, "token": ""})
        assert saved.headers["location"] == f"{PATH}?done=saved"
    asked = neighbours.sent("GET", OWN)[0]
    assert asked.url.params["proposal_id"] == str(PROPOSAL_ID)


async def test_pages_of_a_link_lead_to_sign_in_and_out(
    browser: httpx2.AsyncClient, somebody: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("GET", PATH, PROPOSAL)
    visitor = (await browser.get(f"{PATH}?token=signed")).text
    assert 'href="/sign-in?next=/my-proposals"' in visitor
    assert "Sign out" not in visitor
    signed_in = (await somebody.get(f"{PATH}?token=signed")).text
    assert 'action="/sign-out"' in signed_in
    assert ">Ada</span>" in signed_in
    refused = (await browser.get(PATH)).text
    assert 'href="/my-proposals"' in refused.partition("<main")[2]


async def test_an_edit_by_who_is_not_accepted_any_more_keeps_the_text(
    somebody: httpx2.AsyncClient, neighbours: Neighbours, provider: FakeProvider
) -> None:
    sent = {**TYPED, "token": ""}
    neighbours.refuse("PATCH", PATH, "sign-in-required", 401)
    refused = await somebody.post(f"{PATH}/edit", data=sent)
    # And one whose session has ended at the provider.
    provider.later = 4000
    provider.issuer.refuses_refresh = True
    ended = await somebody.post(f"{PATH}/edit", data=sent)
    for answer in (refused, ended):
        assert answer.status_code == 401
        assert "you are not signed in any more" in answer.text
        assert 'value="My &lt;better&gt; title"' in answer.text
    assert len(neighbours.sent("PATCH", PATH)) == 2, "refused, and once more with another token"


@pytest.mark.parametrize(("slug", "status"), [("link-refused", 403), ("proposal-not-found", 404)])
async def test_a_refused_link_is_explained(
    browser: httpx2.AsyncClient, neighbours: Neighbours, slug: str, status: int
) -> None:
    neighbours.refuse("GET", PATH, slug, status)
    neighbours.refuse("PATCH", PATH, slug, status)
    neighbours.refuse("POST", f"{PATH}/withdrawal", slug, status)

    for answer in (
        await browser.get(f"{PATH}?token=forged"),
        await browser.post(f"{PATH}/edit", data=TYPED),
        await browser.post(f"{PATH}/withdrawal", data={"token": "x", "confirm": "yes"}),
    ):
        assert answer.status_code == status
        assert "This link does not open the proposal" in answer.text


async def test_an_edit_names_the_version_that_was_seen(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("PATCH", PATH, CHANGED)
    answer = await browser.post(f"{PATH}/edit", data=TYPED)

    assert answer.headers["location"] == f"{PATH}?token=signed&done=saved"
    (sent,) = neighbours.sent("PATCH", PATH)
    assert sent.headers["if-match"] == '"1"'
    assert orjson.loads(sent.content)["title"] == TYPED["title"]


async def test_a_stale_edit_shows_both_texts_and_the_new_version(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.refuse("PATCH", PATH, "stale-edit", 412, current=CHANGED)
    answer = await browser.post(f"{PATH}/edit", data=TYPED)

    assert answer.status_code == 412
    assert "Theirs" in answer.text
    assert 'value="My &lt;better&gt; title"' in answer.text
    assert 'name="version" value="2"' in answer.text


async def test_an_edit_in_another_state_keeps_the_text(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.refuse("PATCH", PATH, "wrong-state", 409, state="accepted")
    neighbours.answer("GET", PATH, {**PROPOSAL, "state": "accepted"})
    answer = await browser.post(f"{PATH}/edit", data=TYPED)

    assert answer.status_code == 409
    assert "My &lt;better&gt; title" in answer.text
    assert "cannot be changed any more" in answer.text


async def test_an_edit_keeps_the_text_while_the_service_is_unavailable(
    browser: httpx2.AsyncClient,
) -> None:
    answer = await browser.post(f"{PATH}/edit", data=TYPED)

    assert answer.status_code == 503
    assert 'value="My &lt;better&gt; title"' in answer.text
    assert 'name="version" value="1"' in answer.text


async def test_errors_of_an_edit_stand_beside_their_fields(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("GET", PATH, CHANGED)
    answer = await browser.post(f"{PATH}/edit", data={**TYPED, "abstract": " "})

    assert answer.status_code == 422
    assert '<a href="#abstract">Write an abstract.</a>' in answer.text
    assert 'name="version" value="1"' in answer.text


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 20, "\u0661"])
async def test_a_version_that_is_none_is_a_stale_one(
    browser: httpx2.AsyncClient, neighbours: Neighbours, version: str
) -> None:
    neighbours.refuse("PATCH", PATH, "stale-edit", 412, current=CHANGED)
    answer = await browser.post(f"{PATH}/edit", data={**TYPED, "version": version})

    assert answer.status_code == 412
    assert neighbours.sent("PATCH", PATH)[0].headers["if-match"] == '"0"'


async def test_a_withdrawal_wants_to_be_confirmed(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("GET", PATH, PROPOSAL)
    answer = await browser.post(f"{PATH}/withdrawal", data={"token": "signed"})

    assert answer.status_code == 422
    assert '<a href="#confirm">' in answer.text
    assert neighbours.sent("POST", f"{PATH}/withdrawal") == []


async def test_a_confirmed_withdrawal_is_done(
    browser: httpx2.AsyncClient, neighbours: Neighbours
) -> None:
    neighbours.answer("POST", f"{PATH}/withdrawal", {**PROPOSAL, "state": "withdrawn"})
    answer = await browser.post(f"{PATH}/withdrawal", data={"token": "signed", "confirm": "yes"})

    assert answer.headers["location"] == f"{PATH}?token=signed&done=withdrawn"


async def test_a_withdrawal_that_is_not_confirmed_to_be_stored_says_so(
    browser: httpx2.AsyncClient,
) -> None:
    data = {"token": "signed", "confirm": "yes"}
    answer = await browser.post(f"{PATH}/withdrawal", data=data)

    assert answer.status_code == 503
    assert "cannot be confirmed that your proposal is withdrawn" in answer.text

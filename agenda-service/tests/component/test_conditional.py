"""ETag and 304: right after every change and every loss, and cheap."""

from collections.abc import Callable

import httpx2
import pytest
from redis import Redis

Put = Callable[..., httpx2.Response]
NewId = Callable[[], str]


def tag_of(client: httpx2.Client, address: str = "/sessions") -> str:
    """The ETag that the address has now."""
    response = client.get(address)
    assert response.headers["cache-control"] == "no-cache"
    return str(response.headers["etag"])


def test_list_is_304_while_nothing_changes(client: httpx2.Client, put: Put, new_id: NewId) -> None:
    put(new_id())
    tag = tag_of(client)
    response = client.get("/sessions", headers={"If-None-Match": tag})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == tag
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("header", ["*", "W/{tag}", '"other", {tag}', '{tag} ,"other"'])
def test_every_form_of_a_known_tag_is_a_304(header: str, client: httpx2.Client) -> None:
    sent = header.format(tag=tag_of(client))
    assert client.get("/sessions", headers={"If-None-Match": sent}).status_code == 304


@pytest.mark.parametrize("header", ["", '""', "nonsense", '"other"', ",,,", 'W/"', "\xff"])
def test_every_other_tag_is_a_200(header: str, client: httpx2.Client) -> None:
    raw = {b"If-None-Match": header.encode("latin-1")}
    assert client.get("/sessions", headers=raw).status_code == 200


def test_every_change_has_a_tag_of_its_own(client: httpx2.Client, put: Put, new_id: NewId) -> None:
    proposal_id = new_id()
    tags = [tag_of(client)]
    put(proposal_id, title="One")
    tags.append(tag_of(client))
    put(proposal_id, title="Two", version=2)
    tags.append(tag_of(client))
    client.put(f"/sessions/{proposal_id}/slot", json={"slot_id": "20270615T0900-main"})
    tags.append(tag_of(client))
    client.delete(f"/sessions/{proposal_id}")
    tags.append(tag_of(client))
    assert len(set(tags)) == len(tags)


def test_what_changes_nothing_keeps_the_tag(client: httpx2.Client, put: Put, new_id: NewId) -> None:
    proposal_id = new_id()
    slot = put(proposal_id, title="Same").json()["slot"]["id"]
    tag = tag_of(client)
    put(proposal_id, title="Same")
    put(proposal_id, title="Late", version=0)
    client.put(f"/sessions/{proposal_id}/slot", json={"slot_id": slot})
    client.put(f"/sessions/{new_id()}/slot", json={"slot_id": slot})
    client.delete(f"/sessions/{new_id()}", params={"version": 3})
    assert tag_of(client) == tag


def test_no_tag_comes_back_after_a_loss(
    client: httpx2.Client, put: Put, new_id: NewId, valkey: Redis
) -> None:
    tags: list[str] = []
    # The same writes in the same number, each time on a Valkey that has forgotten everything.
    for round_ in ("first", "second", "third"):
        valkey.flushall()
        put(new_id(), title=round_)
        for tag in tags:
            response = client.get("/sessions", headers={"If-None-Match": tag})
            assert [item["title"] for item in response.json()["items"]] == [round_]
        tags.append(tag_of(client))
    assert len(set(tags)) == 3


def test_loss_is_seen_at_once(
    client: httpx2.Client, put: Put, new_id: NewId, valkey: Redis
) -> None:
    empty = tag_of(client)
    put(new_id())
    full = tag_of(client)
    valkey.flushall()
    response = client.get("/sessions", headers={"If-None-Match": full})
    assert (response.status_code, response.json()) == (200, {"items": []})
    assert response.headers["etag"] == empty


def test_304_costs_one_small_read(client: httpx2.Client, put: Put, valkey: Redis) -> None:
    tag = tag_of(client)
    valkey.config_resetstat()
    for _ in range(10):
        assert client.get("/sessions", headers={"If-None-Match": tag}).status_code == 304
    assert commands(valkey) == {"get": 10}


def test_unchanged_list_is_not_read_again(client: httpx2.Client, put: Put, valkey: Redis) -> None:
    tag_of(client)
    valkey.config_resetstat()
    for address in ("/sessions", "/sessions?day=2027-06-14", "/sessions?track=People"):
        tag_of(client, address)
    assert commands(valkey) == {"get": 3}


def commands(valkey: Redis) -> dict[str, int]:
    """Return how often Valkey was asked each command since its statistics were reset."""
    ours = {"cmdstat_info", "cmdstat_config|resetstat"}
    return {
        name.removeprefix("cmdstat_"): statistics["calls"]
        for name, statistics in valkey.info("commandstats").items()
        if name not in ours
    }


def test_schedule_is_304_when_known(client: httpx2.Client) -> None:
    tag = tag_of(client, "/schedule")
    response = client.get("/schedule", headers={"If-None-Match": tag})
    assert (response.status_code, response.headers["etag"]) == (304, tag)
    assert client.get("/schedule", headers={"If-None-Match": '"other"'}).status_code == 200

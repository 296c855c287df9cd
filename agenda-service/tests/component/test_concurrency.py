"""Many at once: no two sessions ever share a slot."""

from asyncio import gather
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from testkit.process import Process

MANY = 50

Talk = Callable[..., dict[str, Any]]
NewId = Callable[[], str]


@pytest.fixture
async def crowd(client: httpx2.Client, service: Process) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with as many connections as it is asked for; the agenda is empty."""
    limits = httpx2.Limits(max_connections=MANY)
    async with httpx2.AsyncClient(
        base_url=service.url, timeout=30, limits=limits, headers=client.headers
    ) as crowd:
        yield crowd


async def slots(client: httpx2.AsyncClient) -> list[str]:
    """The ids of the slots that sessions have, as the list tells."""
    return [item["slot"]["id"] for item in (await client.get("/sessions")).json()["items"]]


async def test_concurrent_proposals_never_share_a_slot(
    crowd: httpx2.AsyncClient, talk: Talk, new_id: NewId
) -> None:
    answers = await gather(*(crowd.put(f"/sessions/{new_id()}", json=talk()) for _ in range(MANY)))
    # The schedule has 48 slots: two of the fifty find none.
    assert Counter(answer.status_code for answer in answers) == {201: 48, 409: 2}
    taken = [answer.json()["slot"]["id"] for answer in answers if answer.status_code == 201]
    assert len(set(taken)) == 48
    assert sorted(await slots(crowd)) == sorted(taken)


async def test_concurrent_requests_for_a_slot_have_one_winner(
    crowd: httpx2.AsyncClient, talk: Talk, new_id: NewId
) -> None:
    ids = [new_id() for _ in range(47)]
    await gather(*(crowd.put(f"/sessions/{each}", json=talk()) for each in ids))
    (free,) = {slot["id"] for slot in (await crowd.get("/schedule")).json()["slots"]} - set(
        await slots(crowd)
    )
    asking = [*ids, *ids[:3]]
    assert len(asking) == MANY
    answers = await gather(
        *(crowd.put(f"/sessions/{each}/slot", json={"slot_id": free}) for each in asking)
    )
    winners = {a.json()["proposal_id"] for a in answers if a.status_code == 200}
    losers = {a.json()["taken_by"] for a in answers if a.status_code == 409}
    assert len(winners) == 1
    assert losers == winners
    after = await slots(crowd)
    assert (len(after), len(set(after))) == (47, 47)


async def test_concurrent_puts_of_a_proposal_take_one_slot(
    crowd: httpx2.AsyncClient, talk: Talk, new_id: NewId
) -> None:
    proposal_id = new_id()
    answers = await gather(
        *(
            crowd.put(f"/sessions/{proposal_id}", json=talk(title=f"Version {n}", version=n))
            for n in range(1, MANY + 1)
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert [answer.status_code for answer in answers].count(201) == 1
    session = (await crowd.get(f"/sessions/{proposal_id}")).json()
    assert (session["title"], session["version"]) == (f"Version {MANY}", MANY)
    assert await slots(crowd) == [session["slot"]["id"]]


async def test_concurrent_changes_of_every_kind_leave_an_agenda_that_fits(
    crowd: httpx2.AsyncClient, talk: Talk, new_id: NewId
) -> None:
    ids = [new_id() for _ in range(10)]
    wanted = [slot["id"] for slot in (await crowd.get("/schedule")).json()["slots"]][:12]

    async def live(number: int, proposal_id: str) -> None:
        for version in range(1, 11):
            await crowd.put(f"/sessions/{proposal_id}", json=talk(version=version))
            slot_id = wanted[(number + version) % len(wanted)]
            await crowd.put(f"/sessions/{proposal_id}/slot", json={"slot_id": slot_id})
            if version % 3 == number % 3:
                await crowd.delete(f"/sessions/{proposal_id}")

    async def watch() -> None:
        for _ in range(20):
            seen = await slots(crowd)
            assert len(seen) == len(set(seen))

    await gather(watch(), *(live(*each) for each in enumerate(ids)))
    for proposal_id in ids:
        await crowd.delete(f"/sessions/{proposal_id}")
    # Nothing is left behind that would keep a slot from the next one.
    answers = await gather(*(crowd.put(f"/sessions/{new_id()}", json=talk()) for _ in range(48)))
    assert {answer.status_code for answer in answers} == {201}

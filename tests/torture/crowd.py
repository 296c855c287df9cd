"""Speakers and organizers at the public door, who repeat a request until it is acknowledged."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random
from time import monotonic
from typing import Self

import httpx2
from tests.torture.talks import Talk

ATTEMPT_SECONDS = 10
FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 1.0
_TRY_AGAIN = frozenset({429, 503})
"""What a client is told to repeat."""


class Crowd:
    """Requests arrive at a steady rate, however long the answers to earlier ones take."""

    def __init__(self, site: str, organizer: Mapping[str, str], seed: int) -> None:
        """`organizer` are the cookies of one who is signed in."""
        self._client = httpx2.AsyncClient(
            base_url=f"{site}/api",
            cookies=dict(organizer),
            timeout=ATTEMPT_SECONDS,
            trust_env=False,
            limits=httpx2.Limits(max_connections=64, max_keepalive_connections=16),
        )
        self._random = Random(f"{seed} patience")
        self._tasks: list[asyncio.Task[None]] = []
        self.answers: Counter[int] = Counter()
        """By status."""
        self.retries = 0
        self.longest_wait = 0.0
        """Seconds from the first attempt at a request until it was acknowledged, at the most."""
        self.longest_silence = 0.0
        """Seconds in which somebody waited and nobody got an acknowledgement, at the most."""
        self._waiting_since = monotonic()
        """Since when nobody was acknowledged, or since when anybody waited if that is later."""
        self._waiting = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def arrive(self, talks: Iterable[Talk], per_second: float) -> None:
        """Let the speakers of `talks` come one after another, each followed by an organizer."""
        started = monotonic()
        for number, talk in enumerate(talks):
            await asyncio.sleep(started + number / per_second - monotonic())
            self._tasks.append(asyncio.create_task(self._take_part(talk)))

    async def finish(self, timeout_seconds: float) -> None:
        """Return when everything is acknowledged, or the time is over; a refusal is raised."""
        done, _ = await asyncio.wait(self._tasks, timeout=timeout_seconds)
        for task in done:
            task.result()

    async def _take_part(self, talk: Talk) -> None:
        headers = {"Idempotency-Key": talk.key}
        answer = await self._persist("/proposals", talk.draft, headers)
        talk.id = answer["id"]
        for decision in talk.decisions:
            await self._persist(f"/proposals/{talk.id}/decision", {"decision": decision})
            talk.decided.append(decision)

    async def _persist(
        self, path: str, body: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        started, wait = monotonic(), FIRST_WAIT_SECONDS
        if self._waiting == 0:
            self._waiting_since = started
        self._waiting += 1
        while (answer := await self._attempt(path, body, headers)) is None:
            self.retries += 1
            await asyncio.sleep(self._random.uniform(0, wait))
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
        self._note_acknowledgement(started)
        return answer

    def _note_acknowledgement(self, started: float) -> None:
        now = monotonic()
        self.longest_wait = max(self.longest_wait, now - started)
        self.longest_silence = max(self.longest_silence, now - self._waiting_since)
        self._waiting -= 1
        self._waiting_since = now

    async def _attempt(
        self, path: str, body: Mapping[str, str], headers: Mapping[str, str] | None
    ) -> dict[str, str] | None:
        try:
            answer = await self._client.post(path, json=dict(body), headers=headers)
        except httpx2.TransportError:
            return None
        self.answers[answer.status_code] += 1
        if answer.is_success:
            content: dict[str, str] = answer.json()
            return content
        # Anything else is no answer to a busy platform's honest client; the verdict names it.
        return None

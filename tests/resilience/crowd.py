"""Many speakers at once, and organizers who decide: each repeats a request until it is answered."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from tests.resilience.support import PATIENCE_SECONDS, Conference

from testkit.waiting import wait_for

AT_ONCE = 4


class Crowd:
    """As a context: `size` proposals are submitted and decided meanwhile, and have been at its end.

    Of every four, one is rejected and one is withdrawn after it was accepted.
    """

    def __init__(self, conference: Conference, size: int) -> None:
        self._conference = conference
        self.size = size
        self._executor = ThreadPoolExecutor(AT_ONCE)
        self._futures: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._futures = [self._executor.submit(self._take_part, n) for n in range(self.size)]
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._executor.shutdown(cancel_futures=kind is not None)
        for future in self._futures:
            if not future.cancelled():
                future.result()

    def wait_until_answered(self, number: int) -> None:
        """Until so many requests were answered; there are at least two for each proposal."""
        wait_for(
            lambda: (
                self._conference.answered >= number or all(each.done() for each in self._futures)
            ),
            f"{number} answers",
            PATIENCE_SECONDS,
            pause=0.002,
        )

    def _take_part(self, number: int) -> None:
        proposal = self._conference.submit()
        decision = "rejected" if number % 4 == 1 else "accepted"
        self._conference.decide(proposal, decision)
        if number % 4 == 2:
            self._conference.withdraw(proposal)

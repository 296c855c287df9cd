from collections.abc import Callable, Iterable

import psutil
import pytest

from testkit.waiting import wait_for


@pytest.fixture
def wait_for_the_end() -> Callable[[Iterable[psutil.Process]], None]:
    """Wait until none of these processes lives."""

    def wait(processes: Iterable[psutil.Process]) -> None:
        wait_for(lambda: not any(map(_lives, processes)), "the end of all processes", 60)

    return wait


def _lives(process: psutil.Process) -> bool:
    # Nobody may be there to reap what has ended.
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False

"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(
    condition: Callable[[], T | None], what: str, timeout_seconds: float = 30, pause: float = 0.05
) -> T:
    """Return the first truthy result of `condition`.

    AssertionError after `timeout_seconds`, saying `what` was waited for; `pause` is in seconds too.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        if result := condition():
            return result
        assert time.monotonic() < deadline, f"waited {timeout_seconds} s for {what}"
        time.sleep(pause)

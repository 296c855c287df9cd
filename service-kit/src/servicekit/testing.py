"""For tests: wait for a condition, never for a time; read problems."""

import socket
import time
from collections.abc import Callable
from typing import TypeVar

import httpx2

from servicekit.problems import MEDIA_TYPE

T = TypeVar("T")


def free_port() -> int:
    """A TCP port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(
    condition: Callable[[], T | None], what: str, timeout_seconds: float = 15, pause: float = 0.05
) -> T:
    """The first truthy result of `condition`, or an AssertionError that says `what` is missing."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        if result := condition():
            return result
        assert time.monotonic() < deadline, f"waited {timeout_seconds} s for {what}"
        time.sleep(pause)


def problem(response: httpx2.Response) -> tuple[int, str]:
    """The status and the last part of the type of what must be a whole problem."""
    assert response.headers["content-type"] == MEDIA_TYPE
    body = response.json()
    assert {"type", "title", "status", "detail"} <= body.keys()
    assert body["status"] == response.status_code
    return response.status_code, body["type"].removeprefix("urn:problem:")

"""A load generator cheap enough to share two cores with what it measures.

It speaks HTTP/1.1 over connections that stay open, one request after another on each, and reads
no more of an answer than its length: what it costs itself is a fraction of any server's work.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import uvloop


@dataclass(slots=True)
class Result:
    """The figures of a run; times in seconds."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    bytes_read: int = 0

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def quantile(self, share: float) -> float:
        """The latency that `share` of the answers did not exceed, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Connection(asyncio.Protocol):
    def __init__(self, next_request: Callable[[], bytes], result: Result, end: float) -> None:
        self._next_request = next_request
        self._result = result
        self._end = end
        self._missing = 0
        self._head = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        self._started = time.perf_counter()
        if self._started >= self._end:
            self._transport.close()
            self.done.set_result(None)
            return
        self._transport.write(self._next_request())

    def data_received(self, data: bytes) -> None:
        self._result.bytes_read += len(data)
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            head, separator, body = self._head.partition(b"\r\n\r\n")
            if not separator:
                return
            self._head = b""
            self._status = int(head[9:12])
            self._missing = _content_length(head) - len(body)
        if self._missing <= 0:
            self._missing = 0
            self._result.latencies.append(time.perf_counter() - self._started)
            self._result.statuses[self._status] += 1
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))


def _content_length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    if at < 0:
        return 0
    return int(head[at + 15 :].split(b"\r\n", 1)[0])


def request(method: str, url: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(url: str, next_request: Callable[[], bytes], connections: int, seconds: float) -> Result:
    """Keep `connections` busy with requests for `seconds`."""
    return uvloop.run(_run(url, next_request, connections, seconds))


async def _run(
    url: str, next_request: Callable[[], bytes], connections: int, seconds: float
) -> Result:
    parts = urlsplit(url)
    result = Result(seconds)
    end = time.perf_counter() + seconds
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(
            lambda: _Connection(next_request, result, end), parts.hostname or "", parts.port or 80
        )
        for _ in range(connections)
    ]
    async with asyncio.timeout(seconds + 30):
        await asyncio.gather(*(connection.done for _, connection in opened))
    return result

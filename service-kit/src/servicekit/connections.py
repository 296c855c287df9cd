"""Limits of what one connection costs: how much it sends before it is answered, how long
that takes, how many there are. uvicorn has no limits of its own for these.
"""

import asyncio
from collections.abc import Iterable

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from servicekit import metrics
from servicekit.problems import HEADERS_TOO_LARGE, REFUSED, REQUEST_TOO_SLOW, URI_TOO_LONG, Problem
from servicekit.security import SECURITY_HEADERS, RawHeaders

MAX_URL_BYTES = 8_192
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32_768
SEND_SECONDS = 120.0
"""How long a client may leave an answer unread that does not fit into buffers."""
_FAREWELL_SECONDS = 1.0
"""How long a refusal may stay unread before the connection is cut."""


def bounded(
    receive_seconds: float, max_connections: int, headers: RawHeaders = SECURITY_HEADERS
) -> type["BoundedProtocol"]:
    """The protocol with these limits, for uvicorn's `http`; its own refusals carry `headers`."""
    own = {
        "receive_seconds": receive_seconds,
        "max_connections": max_connections,
        "security_headers": headers,
    }
    return type("BoundedProtocol", (BoundedProtocol,), own)


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 in which a slow or verbose client harms nobody but itself.

    A request has to be here whole, head and body, `receive_seconds` after it began, whether
    anybody still reads it or not. When there are more than `max_connections`, the one that has
    been waiting longest for its client makes room.
    """

    receive_seconds: float = 20.0
    max_connections: int = 1_000
    send_seconds: float = SEND_SECONDS
    security_headers: RawHeaders = SECURITY_HEADERS

    _is_receiving = False
    """Whether a request has begun and not ended."""
    _is_in_head = False
    _head_bytes = 0
    """What has come of a head that is not complete, beside the first packet."""
    _refusal: Problem | None = None
    _receiving: asyncio.TimerHandle | None = None
    _sending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it, and give it its time."""
        super().connection_made(transport)
        self.idle_since = self.loop.time()
        self._watch()
        if len(self.connections) > self.max_connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """No timer outlives the connection."""
        _cancel(self._receiving, self._sending)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, then see whose turn it is."""
        was_in_head = self._is_in_head
        super().data_received(data)
        self._head_bytes = self._head_bytes + len(data) if was_in_head and self._is_in_head else 0
        if self._head_bytes > MAX_HEADER_BYTES:
            self._refuse(_headers_too_large())
        self._watch()

    def on_message_begin(self) -> None:
        """The first byte of a request, from which on its time runs."""
        self._allow(None)
        self._is_receiving = self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Refuse what is too large before anybody works on it."""
        self._refusal = _refusal_of(self.url, self.headers)
        if self._refusal is not None:
            # The parser turns it into its own error, and that into send_400_response.
            raise self._refusal
        super().on_headers_complete()
        self._is_in_head = False

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self._is_receiving = False
        super().on_message_complete()
        if self.cycle is not None and self.cycle.response_complete:
            # It was answered before it was here, and its end has ended uvicorn's own timer.
            self._allow(self.timeout_keep_alive)

    def on_response_complete(self) -> None:
        """From now on it waits for its client."""
        self.idle_since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or too much of it, as every other error is answered."""
        self._refuse(self._refusal or Problem(REFUSED, msg))

    def timeout_keep_alive_handler(self) -> None:
        """Closing alone would wait for a client that does not read."""
        self._end()

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered."""
        super().pause_writing()
        self._sending = self.loop.call_later(self.send_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read."""
        _cancel(self._sending)
        super().resume_writing()

    def waits_for_client(self) -> bool:
        """Return whether the next move is the client's."""
        return self._is_receiving or self.cycle is None or self.cycle.response_complete

    def _watch(self) -> None:
        if not self.waits_for_client():
            self._allow(None)
        elif self._receiving is None:
            self._allow(self.receive_seconds)

    def _allow(self, seconds: float | None) -> None:
        _cancel(self._receiving)
        self._receiving = None if seconds is None else self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        if self._is_receiving:
            limit = f"A request has to be here within {self.receive_seconds:g} s."
            self._refuse(Problem(REQUEST_TOO_SLOW, limit))
        else:
            self._end()

    def _refuse(self, problem: Problem) -> None:
        if not self.transport.is_closing() and self._may_answer():
            if self.cycle is None or self.cycle.response_complete:
                # No application has seen it, and so nothing else tells of it.
                metrics.REQUESTS.labels("OTHER", "refused", problem.kind.status).inc()
            self.transport.write(_raw(problem.response(), self.security_headers))
        self._end()

    def _may_answer(self) -> bool:
        in_body = self._is_receiving and not self._is_in_head
        if self.cycle is None or self.cycle.response_complete:
            # A request whose body still comes has been answered.
            return not in_body
        # Of a request whose body is under way; else an earlier one is being answered.
        return in_body and not self.pipeline and not self.cycle.response_started

    def _end(self) -> None:
        self.transport.close()
        self.loop.call_later(_FAREWELL_SECONDS, self.transport.abort)

    def _make_room(self) -> None:
        waiting = (
            each
            for each in self.connections
            if isinstance(each, BoundedProtocol) and each is not self and each.waits_for_client()
        )
        oldest = min(waiting, key=lambda each: each.idle_since, default=self)
        # At once, since more may come before its end is noticed.
        self.connections.discard(oldest)
        oldest.transport.abort()


def _cancel(*timers: asyncio.TimerHandle | None) -> None:
    for timer in timers:
        if timer is not None:
            timer.cancel()


def _refusal_of(url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Problem | None:
    if len(url) > MAX_URL_BYTES:
        return Problem(URI_TOO_LONG, f"The address may have {MAX_URL_BYTES} bytes.")
    sizes = [len(name) + len(value) for name, value in headers]
    if len(sizes) > MAX_HEADERS or sum(sizes) > MAX_HEADER_BYTES:
        return _headers_too_large()
    return None


def _headers_too_large() -> Problem:
    return Problem(
        HEADERS_TOO_LARGE,
        f"There may be {MAX_HEADERS} headers, with {MAX_HEADER_BYTES} bytes together.",
    )


def _raw(answer: Response, more: RawHeaders) -> bytes:
    headers = [*answer.raw_headers, *more, (b"connection", b"close")]
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return STATUS_LINE[answer.status_code] + lines + b"\r\n" + bytes(answer.body)

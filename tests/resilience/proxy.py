"""A TCP proxy in front of one server: the way between two services, with whatever goes wrong."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

DRIP_SECONDS = 0.2


class Link:
    """One connection through the proxy."""

    def __init__(
        self, proxy: "Proxy", client: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        self.proxy = proxy
        self.client = client
        self.server = server
        self.healed = proxy.healed
        """Set when the fault that this connection suffers from is over."""
        self.is_marked = False
        """Whether what `hang_after` waits for has passed."""

    def cut(self) -> None:
        """End it at once on both sides."""
        for side in (self.client, self.server):
            side.transport.abort()


Act = Callable[[Link, asyncio.StreamWriter, bytes], Awaitable[None]]
"""What becomes of bytes that one side sent; the writer leads to the other side."""


async def _pass_on(_: Link, to: asyncio.StreamWriter, data: bytes) -> None:
    to.write(data)
    await to.drain()


async def _hold(link: Link, to: asyncio.StreamWriter, data: bytes) -> None:
    link.proxy.held += 1
    try:
        await link.healed.wait()
    finally:
        link.proxy.held -= 1
    await _pass_on(link, to, data)


async def _drip(link: Link, to: asyncio.StreamWriter, data: bytes) -> None:
    sent = 0
    while sent < len(data) and not link.healed.is_set():
        await _pass_on(link, to, data[sent : sent + 1])
        sent += 1
        with suppress(TimeoutError):
            await asyncio.wait_for(link.healed.wait(), DRIP_SECONDS)
    await _pass_on(link, to, data[sent:])


async def _cut_in_the_middle(link: Link, to: asyncio.StreamWriter, data: bytes) -> None:
    await _pass_on(link, to, data[: len(data) // 2])
    link.cut()


@dataclass(frozen=True, slots=True)
class Fault:
    """The change of requests on their way to the server, and of its answers."""

    to_requests: Act = _pass_on
    to_answers: Act = _pass_on


NONE = Fault()
HANG = Fault(to_answers=_hold)
"""The server does what it is asked; its answers arrive when the fault is over."""
LATE = Fault(to_requests=_hold)
"""What the server is asked arrives when the fault is over."""
DRIP = Fault(to_answers=_drip)
"""A byte from time to time, so that no single read takes long."""
CUT = Fault(to_answers=_cut_in_the_middle)
"""The server does what it is asked; half of the answer arrives."""


def hang_after(text: bytes) -> Fault:
    """As HANG, from the answer on that follows one with `text` in it."""

    async def hold(link: Link, to: asyncio.StreamWriter, data: bytes) -> None:
        await (_hold if link.is_marked else _pass_on)(link, to, data)
        link.is_marked = text in data

    return Fault(to_answers=hold)


def late_with(text: bytes) -> Fault:
    """As LATE, for requests with `text` in them."""

    async def hold(link: Link, to: asyncio.StreamWriter, data: bytes) -> None:
        await (_hold if text in data else _pass_on)(link, to, data)

    return Fault(to_requests=hold)


def late_after(text: bytes) -> Fault:
    """As LATE, from the request on that follows an answer with `text` in it."""

    async def mark(link: Link, to: asyncio.StreamWriter, data: bytes) -> None:
        link.is_marked = link.is_marked or text in data
        await _pass_on(link, to, data)

    async def hold(link: Link, to: asyncio.StreamWriter, data: bytes) -> None:
        await (_hold if link.is_marked else _pass_on)(link, to, data)

    return Fault(to_requests=hold, to_answers=mark)


def instead(text: bytes) -> Fault:
    """The server does what it is asked, and something else arrives as its answer."""

    async def replace(link: Link, to: asyncio.StreamWriter, _: bytes) -> None:
        await _pass_on(link, to, text)
        to.close()

    return Fault(to_answers=replace)


def impostor(text: bytes) -> Fault:
    """Somebody answers `text` in the server's place, which is never asked."""

    async def reply(link: Link, _: asyncio.StreamWriter, __: bytes) -> None:
        await _pass_on(link, link.client, text)
        link.client.close()

    return Fault(to_requests=reply)


class Proxy:
    """Passes everything on to `target`, a port of this machine, as long as nothing is wrong."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.answered = 0
        """How many answers have passed since the present fault began."""
        self.held = 0
        """How many connections have something held at present."""
        self._target = target
        self._fault = NONE
        self.healed = asyncio.Event()
        """Set when the present fault is over."""
        self._links: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        """Listen, on a port that is `port` from then on."""
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """End every connection and listen no more."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextmanager
    def suffering(self, fault: Fault) -> Iterator[None]:
        """Let all that passes suffer from `fault`; afterwards what was held goes its way."""
        self._run(self._set(fault))
        try:
            yield
        finally:
            self._run(self._set(NONE))

    async def _set(self, fault: Fault) -> None:
        self.healed.set()
        self.healed = asyncio.Event()
        self._fault = fault
        self.answered = 0

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            # Whoever is connected sees the end of the connection, as without a proxy between.
            writer.transport.abort()
        finally:
            self._links.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, server = await asyncio.open_connection("127.0.0.1", self._target)
        link = Link(self, writer, server)
        ways = [
            asyncio.ensure_future(self._pump(link, reader, server, is_request=True)),
            asyncio.ensure_future(self._pump(link, answers, writer, is_request=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for side in (writer, server):
                # What is written already still goes out.
                side.close()

    async def _pump(
        self,
        link: Link,
        reader: asyncio.StreamReader,
        to: asyncio.StreamWriter,
        *,
        is_request: bool,
    ) -> None:
        while data := await reader.read(65536):
            fault = self._fault
            act = fault.to_requests if is_request else fault.to_answers
            if link.healed is not self.healed:
                link.healed, link.is_marked = self.healed, False
            await act(link, to, data)
            self.answered += not is_request

    async def _close(self) -> None:
        self._server.close()
        for task in list(self._links):
            task.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)
        await asyncio.sleep(0)

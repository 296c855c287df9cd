"""Answers as finished bytes: made once, then only sent."""

import gzip
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from functools import lru_cache
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from frontend.domain import accepts_gzip, has_etag

HTML = "text/html; charset=utf-8"
JSON = "application/json"

_accepts_gzip = lru_cache(maxsize=64)(accepts_gzip)

RawHeaders = tuple[tuple[bytes, bytes], ...]


class FinishedResponse(Response):
    """A response whose parts are ready; Starlette's own would encode them again each time."""

    def __init__(self, status: int, headers: RawHeaders, body: bytes) -> None:
        self.status_code = status
        # A copy: whoever adds a cookie must not give it to everybody.
        self.raw_headers = list(headers)
        self.body = body
        self.background = None


class FastRoute(Route):
    """A GET route of one fixed path, to stand before all others: a finished answer takes less time
    than the framework's way to a handler.
    """

    def __init__(self, path: str, handler: Callable[[Request], Awaitable[Response]]) -> None:
        super().__init__(path, _Plain(handler), methods=["GET"])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether this route is meant; wrong methods are left to the routes after it."""
        if scope["type"] != "http" or scope["path"] != self.path:
            return Match.NONE, {}
        if scope["method"] not in {"GET", "HEAD"}:
            return Match.NONE, {}
        # Logs and metrics name the route by this.
        return Match.FULL, {"endpoint": self.endpoint, "path_params": {}, "route": self}


class _Plain:
    """A handler as an ASGI application."""

    def __init__(self, handler: Callable[[Request], Awaitable[Response]]) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._handler(Request(scope))
        await response(scope, receive, send)


class Finished:
    """One body, plain and gzipped, with its ETag; sent whole, or as a 304 to who has it."""

    def __init__(self, body: bytes, media_type: str, headers: dict[str, str]) -> None:
        zipped = gzip.compress(body, 6, mtime=0)
        self.size = len(body) + len(zipped)
        # Weak, since it stands for both codings.
        self._etag = f'W/"{blake2b(body, digest_size=12).hexdigest()}"'
        common = {"etag": self._etag, "vary": "Accept-Encoding", **headers}
        self._plain = self._variant(body, {**common, "content-type": media_type})
        self._zipped = self._variant(
            zipped, {**common, "content-type": media_type, "content-encoding": "gzip"}
        )
        self._unmodified = _raw(common)

    @staticmethod
    def _variant(body: bytes, headers: dict[str, str]) -> tuple[RawHeaders, bytes]:
        return _raw({**headers, "content-length": str(len(body))}), body

    def response(self, scope: Scope, more: RawHeaders = ()) -> Response:
        """Return what to send to the request of `scope` (in a route: `request.scope`), with `more`
        headers than are kept with the body.
        """
        accepted = held = ""
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                accepted = value.decode("latin-1")
            elif name == b"if-none-match":
                held = value.decode("latin-1")
        if held and has_etag(held, self._etag):
            return FinishedResponse(304, self._unmodified + more, b"")
        headers, body = self._zipped if _accepts_gzip(accepted) else self._plain
        return FinishedResponse(200, headers + more, body)


def _raw(headers: dict[str, str]) -> RawHeaders:
    return tuple((name.encode("ascii"), value.encode("ascii")) for name, value in headers.items())


class Memo:
    """The finished answers that were asked for most recently, at most `max_bytes` of them."""

    def __init__(self, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, Finished] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Finished]) -> Finished:
        """The answer kept under `key`, made now where there is none."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        made = self._kept[key] = make()
        self._bytes += made.size
        while self._bytes > self._max_bytes and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.size
        return made

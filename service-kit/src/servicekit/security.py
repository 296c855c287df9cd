"""Signed values, the headers of every answer, and who may send a form."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API_CSP = "default-src 'none'; frame-ancestors 'none'"
HSTS = "max-age=31536000"
"""For a year nothing but TLS (RFC 6797); of other hosts under the same name it says nothing."""

RawHeaders = list[tuple[bytes, bytes]]
"""Headers as ASGI has them."""


def security_headers(csp: str, *, has_tls: bool = False) -> RawHeaders:
    """Return the headers of every answer; `has_tls`: people reach the service by TLS alone."""
    headers = {
        "content-security-policy": csp,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        **({"strict-transport-security": HSTS} if has_tls else {}),
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]


SECURITY_HEADERS = security_headers(API_CSP)
"""Those of an answer that shows nothing."""


class LinkRefusedError(Exception):
    """A signed value is forged, meant for something else, or no longer valid."""


class LinkExpiredError(LinkRefusedError):
    """A signed value was ours, and its time is over."""


class Signer:
    """Signs small values with a key and a purpose, each with the instant at which it ends."""

    def __init__(self, key: str, purpose: str) -> None:
        self._serializer = URLSafeSerializer(key, salt=purpose)

    def sign(self, value: Mapping[str, Any], expires_at: datetime) -> str:
        """A URL-safe text that carries `value` until `expires_at`."""
        return self._serializer.dumps({**value, "exp": int(expires_at.timestamp())})

    def read(self, text: str, now: datetime) -> dict[str, Any]:
        """Return what was signed, or LinkRefusedError with a sentence that a person may read."""
        try:
            value = self._serializer.loads(text)
        except BadSignature as error:
            raise LinkRefusedError("The link is not one of ours.") from error
        if not isinstance(value, dict) or value.get("exp", 0) <= now.timestamp():
            raise LinkExpiredError("The link has expired.")
        return value


class _Headers(Protocol):
    def get(self, key: str, /) -> str | None: ...


def is_cross_site(headers: _Headers) -> bool:
    """Return whether a browser says that another site made this request (Fetch Metadata, W3C).

    Browsers too old for Sec-Fetch-Site send Origin with a form; a client that sends neither is no
    browser, so it carries no visitor's cookies against their will.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


class SecurityHeaders:
    """Plain ASGI middleware: the same protective `headers` on every answer.

    A header that a route has set itself is left alone.
    """

    def __init__(self, app: ASGIApp, headers: RawHeaders) -> None:
        self._app = app
        self._headers = headers
        self._names = frozenset(name for name, _ in headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = {name for name, _ in message["headers"]}
                ours = self._headers
                if not self._names.isdisjoint(sent):
                    ours = [pair for pair in ours if pair[0] not in sent]
                message["headers"] = [*message["headers"], *ours]
            await send(message)

        await self._app(scope, receive, send_with_headers)

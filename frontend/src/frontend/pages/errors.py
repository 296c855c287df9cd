"""Errors as pages for people at a browser; programs keep getting problems.

main.py calls `install(app, pages)` after `create_app`.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NamedTuple

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from frontend.clients.client import ProblemAnswerError
from frontend.rendering import HTML, Pages
from servicekit.http import NeighbourUnavailableError
from servicekit.problems import INTERNAL, MEDIA_TYPE, ROLE_REQUIRED, Problem, unavailable

FOR_PROGRAMS = ("/api/", "/info", "/livez", "/readyz", "/openapi.json")


class _Words(NamedTuple):
    heading: str
    explanation: str


_WORDS = {
    400: _Words(
        "That cannot be read", "Something in what was sent is damaged. Nothing was changed."
    ),
    401: _Words(
        "Sign in again",
        "The sign-in of this browser is not accepted any more. Nothing was changed.",
    ),
    403: _Words("That is not allowed", "The platform refuses this. Nothing was changed."),
    404: _Words("There is nothing here", "The address may be mistyped, or what it showed is gone."),
    405: _Words("Not in this way", "This address cannot be used like that. Nothing was changed."),
    413: _Words(
        "That is too much",
        "What was sent is too large. Nothing was changed; go back, shorten it and send it again.",
    ),
    422: _Words(
        "That is not valid",
        "Something in the address or in what was sent is not valid. Nothing was changed.",
    ),
    429: _Words("Not so fast", "Nothing was changed, and nothing is wrong with what was sent."),
    500: _Words(
        "Something went wrong here",
        "It is our fault, and it is in our log. Please try again later.",
    ),
    503: _Words(
        "Not available just now",
        "Something that this page needs does not answer. Please try again in a minute.",
    ),
}


def install(app: FastAPI, pages: Pages) -> None:
    """Let `app` answer what goes wrong: as a page to a person, as a problem to a program."""
    app.add_middleware(ErrorPages, pages=pages)
    app.add_exception_handler(NeighbourUnavailableError, _unavailable)
    app.add_exception_handler(ProblemAnswerError, _refused)
    app.add_exception_handler(Exception, _unexpected(pages))


async def _unavailable(_: Request, error: Exception) -> Response:
    assert isinstance(error, NeighbourUnavailableError)
    return unavailable(error.neighbour).response()


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemAnswerError)
    body = orjson.dumps(error.problem.model_dump(mode="json", exclude_none=True))
    return Response(body, error.status, media_type=MEDIA_TYPE)


def wants_page(path: str, accept: str) -> bool:
    """Return whether an error under `path` is shown to a person."""
    return "text/html" in accept and not f"{path}/".startswith(FOR_PROGRAMS)


def error_page(
    pages: Pages, status: int, detail: str = "", kept: str = "", *, is_another: bool = False
) -> bytes:
    """The page for `status`; `detail` is what the problem says of this case, `kept` what the
    visitor typed; with `is_another` it is one that somebody else could see.
    """
    other = _Words(HTTPStatus(status).phrase, "The platform refuses this. Nothing was changed.")
    heading, explanation = _WORDS.get(status, other)
    return pages.html(
        "error.html",
        status=status,
        heading=heading,
        explanation=explanation,
        detail="" if detail == f"{heading}." else detail,
        kept=kept,
        is_another=is_another,
    )


class ErrorPages:
    """Plain ASGI middleware: an answer that is a problem becomes a page where a person reads it."""

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not wants_page(
            scope["path"], Headers(scope=scope).get("accept", "")
        ):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def send_page(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_problem(message):
                start = message
            elif start is None:
                await send(message)
            elif message["type"] == "http.response.body":
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    await self._send_page(start, body, send)

        await self._app(scope, receive, send_page)

    async def _send_page(self, start: Message, problem: bytes, send: Send) -> None:
        document = orjson.loads(problem)
        page = error_page(
            self._pages,
            start["status"],
            document.get("detail", ""),
            is_another=document.get("type") == ROLE_REQUIRED.uri,
        )
        headers = MutableHeaders(raw=start["headers"])
        headers["content-type"] = HTML
        headers["content-length"] = str(len(page))
        headers["cache-control"] = "no-store"
        await send(start)
        await send({"type": "http.response.body", "body": page})


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type") == MEDIA_TYPE


def _unexpected(pages: Pages) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        structlog.get_logger().error("unhandled error", exc_info=error)
        headers = {"Cache-Control": "no-store"}
        if wants_page(request.url.path, request.headers.get("accept", "")):
            return Response(error_page(pages, 500), 500, headers, HTML)
        return Problem(INTERNAL, "The error is in the log.", headers=headers).response()

    return answer

"""The gateway: under /api/ an allowlist of routes, and nothing else reaches a service."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import APIKeyCookie, APIKeyHeader
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from frontend.clients.client import Client
from frontend.dependencies import get_access_tokens, get_attempts, get_visitor
from frontend.domain import SAFE_METHODS, SignInRequiredError
from frontend.gateway.allowlist import PREFIX, TABLE, Access, Row, methods_of
from frontend.problems import CROSS_SITE, RATE_LIMITED
from servicekit import problems
from servicekit.http import Credentials, NeighbourUnavailableError
from servicekit.identity import bearer_scheme, sign_in_required
from servicekit.problems import (
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    REFUSED,
    URI_TOO_LONG,
    Problem,
    unavailable,
)
from servicekit.security import is_cross_site

MAX_QUERY_BYTES = 4096
SESSION_ENDED = "The session has ended; sign in again."
_COOKIE = Depends(
    APIKeyCookie(name="session", scheme_name="session", auto_error=False, description="A sign-in")
)
_LINK = Depends(
    APIKeyHeader(
        name="Proposal-Token",
        scheme_name="link",
        auto_error=False,
        description="The token of a speaker's link, for the one proposal that it is about",
    )
)
"""They do nothing but describe, in OpenAPI, who may come in."""

# Idempotency-Key is spelled as servicekit.http looks for it.
TAKEN_ALONG = ("Content-Type", "If-Match", "If-None-Match", "Idempotency-Key")
BROUGHT_BACK = ("content-type", "etag", "retry-after", "allow", "cache-control", "www-authenticate")

# What a header may carry; anything else would fail in our client and count against the neighbour.
_SENDABLE = re.compile(r"[\x20-\x7e\t]*")
_QUERY_SAFE = "!$%&'()*+,-./:;=?@_~"


def routes() -> APIRouter:
    """A route for each row of the table, all with the same handler."""
    router = APIRouter(prefix=PREFIX, tags=["gateway"])
    for row in TABLE:
        router.add_api_route(
            row.path,
            _handler(row),
            methods=[row.method],
            status_code=row.status,
            dependencies=_described(row),
            operation_id=f"{row.method} {row.path}",
            summary=f"{row.method} {row.path} of {row.service}-service, for {row.access.value}",
            responses=_documented(row),
            openapi_extra=_parameters(row),
        )
    return router


def refusal() -> BaseRoute:
    """Return what answers every other path and method under /api/; it has to be the last route."""
    return Route(f"{PREFIX}/{{rest:path}}", _Refusal())


class _Refusal:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise _not_offered(methods_of(scope["path"].removeprefix(PREFIX)))


def _not_offered(methods: tuple[str, ...]) -> Problem:
    if not methods:
        return Problem(NOT_FOUND, "The API has nothing at this address.")
    allowed = ", ".join(methods)
    return Problem(METHOD_NOT_ALLOWED, f"Allowed here: {allowed}.", headers={"Allow": allowed})


def _described(row: Row) -> list[Any]:
    if row.access is Access.ANYONE:
        return []
    signed_in = [bearer_scheme, _COOKIE]
    return [*signed_in, _LINK] if row.access is Access.SPEAKER else signed_in


def _documented(row: Row) -> dict[int | str, dict[str, Any]]:
    ours = []
    if row.method not in SAFE_METHODS:
        ours.append(CROSS_SITE)
    if row.limit is not None:
        ours.append(RATE_LIMITED)
    documented = problems.responses(URI_TOO_LONG, *ours)
    for status in row.refusals:
        theirs = f"As {row.service}-service answers"
        refused = documented.setdefault(status, {**documented[414], "description": theirs})
        if refused["description"] != theirs:
            refused["description"] += f" · {theirs}"
    documented[row.status] = {"model": row.answer}
    if row.method == "GET":
        documented[304] = {"description": "Not modified"}
    return documented


def _parameters(row: Row) -> dict[str, Any]:
    text = {"type": "string"}
    parameters = [
        {"name": name, "in": "query", "required": False, "schema": text} for name in row.query
    ]
    if "{id}" in row.path:
        schema = {"type": "string", "format": "uuid"}
        parameters.append({"name": "id", "in": "path", "required": True, "schema": schema})
    extra: dict[str, Any] = {"parameters": parameters}
    if row.has_body:
        kinds = ["object", "null"] if row.may_omit_body else ["object"]
        content = {"application/json": {"schema": {"type": kinds}}}
        extra["requestBody"] = {"required": not row.may_omit_body, "content": content}
    return extra


def _handler(row: Row) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        """Answered by the service behind, within the time limit."""
        _check(request, row)
        if row.limit is not None:
            await (await get_attempts(request)).count(row.limit)
        headers = _taken_along(request)
        content = None if row.method in SAFE_METHODS else await request.body()
        client: Client = getattr(request.app.state, row.service)
        try:
            shown = _shown(request, row)
            session = None if shown or row.access is Access.ANYONE else await _session(request)
            answer = await client.neighbour.request(
                row.method,
                _target(request, row),
                content=content,
                headers={**headers, **shown},
                credentials=session,
            )
            _demand_sense(client, answer)
        except NeighbourUnavailableError as error:
            raise unavailable(error.neighbour) from error
        except SignInRequiredError as error:
            raise sign_in_required(SESSION_ENDED) from error
        if session is not None and answer.status_code == 401:
            raise sign_in_required(SESSION_ENDED, invalid=True)
        return _brought_back(answer, row)

    return handle


def _check(request: Request, row: Row) -> None:
    """Refuse what must not go further, whoever sends it."""
    # The framework takes any text for an id; the table knows better.
    methods = methods_of(request.scope["path"].removeprefix(PREFIX))
    if row.method not in methods:
        raise _not_offered(methods)
    if row.method not in SAFE_METHODS and is_cross_site(request.headers):
        raise Problem(CROSS_SITE, "The request comes from another site.")
    if len(request.scope["query_string"]) > MAX_QUERY_BYTES:
        raise Problem(URI_TOO_LONG, f"The query may have {MAX_QUERY_BYTES} bytes.")


def _taken_along(request: Request) -> dict[str, str]:
    # Lines of one name are one list (RFC 9110, 5.3); where none may be, the service refuses it.
    return {
        name: _sendable(name, ", ".join(request.headers.getlist(name)))
        for name in TAKEN_ALONG
        if name in request.headers
    }


def _sendable(name: str, value: str) -> str:
    if not _SENDABLE.fullmatch(value):
        raise Problem(REFUSED, f"The header {name} may have visible ASCII characters only.")
    # Blanks at the end are no part of it (RFC 9110, 5.5), and our client would not send them.
    return value.strip(" \t")


def _shown(request: Request, row: Row) -> dict[str, str]:
    """Return what the client itself shows to the service; nothing of it is believed here."""
    return {
        name: _sendable(name, request.headers[name])
        for name in ("Authorization", "Proposal-Token")
        if request.headers.get(name, "").strip()
        and (name != "Proposal-Token" or row.access is Access.SPEAKER)
    }


async def _session(request: Request) -> Credentials:
    """The session of the client's cookie: not for where anybody may ask, nor beside a link."""
    visitor = await get_visitor(request)
    if visitor is None:
        raise sign_in_required("Send an access token, or the cookie of a sign-in.")
    return (await get_access_tokens(request)).of(visitor)


def _target(request: Request, row: Row) -> str:
    path = row.path.replace("{id}", request.path_params.get("id", ""))
    query = request.scope["query_string"]
    return f"{path}?{quote(query, safe=_QUERY_SAFE)}" if query else path


def _demand_sense(client: Client, answer: httpx2.Response) -> None:
    """NeighbourUnavailableError for what no service of ours answers: another status, or no JSON."""
    if answer.status_code in {204, 304}:
        return
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_problem = answer.status_code >= 400
    try:
        if not (answer.is_success or is_problem):
            raise ValueError
        if kind != (problems.MEDIA_TYPE if is_problem else "application/json"):
            raise ValueError
        orjson.loads(answer.content)
    except ValueError as error:
        raise NeighbourUnavailableError(
            client.neighbour.name, f"its answer {answer.status_code} is not understood"
        ) from error


def _brought_back(answer: httpx2.Response, row: Row) -> Response:
    headers = {name: answer.headers[name] for name in BROUGHT_BACK if name in answer.headers}
    if row.access is not Access.ANYONE:
        # Personal data: no cache on the way may keep what a service says nothing about.
        headers.setdefault("cache-control", "no-store")
    location = urlsplit(answer.headers.get("location", "")).path
    if methods_of(location):
        headers["location"] = f"{PREFIX}{location}"
    return Response(answer.content, answer.status_code, headers)

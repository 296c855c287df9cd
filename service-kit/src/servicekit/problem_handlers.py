"""Answers every error of an app as a problem, whatever raised it."""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from servicekit.field_errors import field_error
from servicekit.logging import root_cause
from servicekit.metrics import METHODS
from servicekit.problems import (
    BODY_NOT_UTF_8,
    BODY_TOO_LARGE,
    INTERNAL,
    INVALID_REQUEST,
    MALFORMED_BODY,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    REFUSED,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
    ProblemType,
)

_BY_STATUS = {
    each.status: each for each in (MALFORMED_BODY, NOT_FOUND, METHOD_NOT_ALLOWED, BODY_TOO_LARGE)
}


def install(app: FastAPI, domain: Mapping[type[Exception], ProblemType]) -> None:
    """Answer every error of `app` as a problem; `domain` says which of its own mean what.

    An error's `members` and `retry_after_seconds`, where it has them, travel with it.
    """

    def of_domain(kind: ProblemType) -> Any:
        async def answer(_: Request, error: Exception) -> Response:
            if kind.status == 503:
                structlog.get_logger().warning("unavailable", reason=root_cause(error))
            seconds = getattr(error, "retry_after_seconds", 2 if kind.status == 503 else None)
            headers = {"Retry-After": str(seconds)} if seconds is not None else None
            members = getattr(error, "members", {})
            return Problem(kind, str(error), headers=headers, **members).response()

        return answer

    for error_type, kind in domain.items():
        app.add_exception_handler(error_type, of_domain(kind))
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _ended_early)
    app.add_exception_handler(Exception, _internal)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and error.__cause__ is not None:
        return _unreadable(error.__cause__).response()
    kind = _BY_STATUS.get(error.status_code, REFUSED)
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    return Problem(kind, f"{kind.title}.", headers=headers).response()


def _unreadable(cause: BaseException) -> Problem:
    """Return why the framework could not read a body."""
    if isinstance(cause, UnicodeDecodeError):
        return Problem(BODY_NOT_UTF_8, f"Byte {cause.start} can't be part of UTF-8.")
    if isinstance(cause, RecursionError):
        return Problem(MALFORMED_BODY, "It is nested too deeply.")
    return Problem(
        MALFORMED_BODY,
        "It has something in it that can't be read, such as a number of thousands of digits.",
    )


async def _ended_early(_: Request, __: Exception) -> Response:
    # Nobody reads this; it keeps who has gone from counting as a fault of ours.
    return Problem(REFUSED, "The body ended early.").response()


def _allowed(request: Request) -> str:
    # The framework names the methods of the first route with this address, not of all of them.
    return ", ".join(
        method
        for method in sorted(METHODS)
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    )


async def _internal(_: Request, error: Exception) -> Response:
    structlog.get_logger().error("unhandled error", exc_info=error)
    return Problem(INTERNAL, "The error is in the log.").response()


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return Problem(MALFORMED_BODY, _where(found)).response()
    if any(each["loc"][0] == "path" for each in found):
        # An id of another form is the id of nothing.
        return Problem(NOT_FOUND, f"{NOT_FOUND.title}.").response()
    if _body_was_not_parsed(found):
        sent = request.headers.get("content-type", "no content type")
        return Problem(
            UNSUPPORTED_MEDIA_TYPE, f"The body came as {sent[:80]!r}; send application/json."
        ).response()
    errors = [field_error(each) for each in found]
    names = ", ".join(dict.fromkeys(each.field for each in errors))
    documents = [each.model_dump() for each in errors]
    return Problem(INVALID_REQUEST, f"Not valid: {names}.", errors=documents).response()


def _where(found: Any) -> str:
    error = next(each for each in found if each["type"] == "json_invalid")
    reason = error.get("ctx", {}).get("error", "it does not parse")
    return f"At character {error['loc'][-1]}: {reason}."


def _body_was_not_parsed(found: Any) -> bool:
    return any(
        each["loc"] == ("body",)
        and each["type"] != "missing"
        and isinstance(each.get("input"), bytes)
        for each in found
    )

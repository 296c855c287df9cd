"""Errors as RFC 9457 problems: each kind has a `type`, and docs/problems.md explains each type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from servicekit.field_errors import FieldError, field_error
from servicekit.logging import root_cause
from servicekit.metrics import METHODS

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of error: what it is called, the status it travels with, and what to do about it."""

    slug: str
    status: int
    title: str
    cure: str

    @property
    def uri(self) -> str:
        """The value of `type`: stable, compared and never fetched."""
        return f"urn:problem:{self.slug}"


class ProblemDocument(BaseModel):
    """The body of every error (RFC 9457); some types add members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None


class Problem(Exception):  # noqa: N818 - the RFC's name for it
    """Raise it anywhere under a request; the client gets it as a problem document."""

    def __init__(
        self,
        kind: ProblemType,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = headers
        self.members = members

    def document(self) -> dict[str, Any]:
        """The problem as it travels."""
        return {
            "type": self.kind.uri,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            **self.members,
        }

    def response(self) -> Response:
        """The whole answer."""
        return Response(
            orjson.dumps(self.document(), option=orjson.OPT_UTC_Z),
            status_code=self.kind.status,
            media_type=MEDIA_TYPE,
            headers=dict(self.headers or {}),
        )


MALFORMED_BODY = ProblemType(
    "malformed-body", 400, "The body is not JSON", "Send JSON that parses; `detail` says where."
)
BODY_NOT_UTF_8 = ProblemType(
    "body-not-utf-8", 400, "The body is not UTF-8", "Send the body in UTF-8, as JSON has to be."
)
INVALID_REQUEST = ProblemType(
    "invalid-request",
    422,
    "The request is not valid",
    "Correct each field that `errors` names, each with a type of its own; nothing was changed.",
)
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported-media-type",
    415,
    "The body is of a kind that is not taken here",
    "Send the body with `Content-Type: application/json`.",
)
BODY_TOO_LARGE = ProblemType(
    "body-too-large",
    413,
    "The body is too large",
    "Send less: services take 64 KiB unless configured otherwise.",
)
SIGN_IN_REQUIRED = ProblemType(
    "sign-in-required",
    401,
    "Nobody is signed in",
    "Send `Authorization: Bearer` with an access token of the conference's identity provider; at a "
    "browser, sign in at /sign-in.",
)
ROLE_REQUIRED = ProblemType(
    "role-required",
    403,
    "Your role does not allow this",
    "`roles` lists those that do, one of which is enough; the identity provider gives them.",
)
URI_TOO_LONG = ProblemType(
    "uri-too-long", 414, "The address is too long", "Shorten it; the limit is in `detail`."
)
HEADERS_TOO_LARGE = ProblemType(
    "headers-too-large",
    431,
    "The headers are too many or too large",
    "Send fewer; most often it is cookies that are too many.",
)
REQUEST_TOO_SLOW = ProblemType(
    "request-too-slow",
    408,
    "The request took too long to arrive",
    "Send it again, on a new connection; nothing was changed.",
)
NOT_FOUND = ProblemType("not-found", 404, "There is nothing here", "Check the address.")
IDEMPOTENCY_KEY_REUSED = ProblemType(
    "idempotency-key-reused",
    422,
    "This Idempotency-Key came before with another request",
    "Use a new key for a new request, and the same request with the same key.",
)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed", 405, "This method is not allowed here", "`Allow` lists those that are."
)
REFUSED = ProblemType("request-refused", 400, "The request is refused", "See `detail`.")
UNAVAILABLE = ProblemType(
    "unavailable",
    503,
    "Something that this needs is away",
    "Repeat the request after `Retry-After` seconds; with its Idempotency-Key it is done once.",
)
INTERNAL = ProblemType(
    "internal-error",
    500,
    "Something went wrong here",
    "The service's log says what, at the time of the answer. Try again later.",
)

COMMON = (
    MALFORMED_BODY,
    BODY_NOT_UTF_8,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    REQUEST_TOO_SLOW,
    BODY_TOO_LARGE,
    URI_TOO_LONG,
    UNSUPPORTED_MEDIA_TYPE,
    INVALID_REQUEST,
    HEADERS_TOO_LARGE,
    REFUSED,
    INTERNAL,
    UNAVAILABLE,
)
"""What any route of any service may answer."""

SECURED = (SIGN_IN_REQUIRED, ROLE_REQUIRED)
"""What a route may answer beside that not everybody may use."""

_BY_STATUS = {
    each.status: each for each in (MALFORMED_BODY, NOT_FOUND, METHOD_NOT_ALLOWED, BODY_TOO_LARGE)
}


def responses(*kinds: ProblemType) -> dict[int | str, dict[str, Any]]:
    """The `responses` argument of a route, for OpenAPI: `kinds` by status."""
    by_status: dict[int, list[str]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind.uri)
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        status: {"description": " · ".join(uris), "content": {MEDIA_TYPE: {"schema": schema}}}
        for status, uris in by_status.items()
    }


def unavailable(what: str, retry_after_seconds: int = 2) -> Problem:
    """A 503 that names what is away."""
    return Problem(
        UNAVAILABLE,
        f"{what} is away just now.",
        headers={"Retry-After": str(retry_after_seconds)},
    )


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
    """Why the framework could not read a body."""
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

"""Errors as RFC 9457 problems: each kind has a `type`, and docs/problems.md explains each type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from servicekit.field_errors import FieldError

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
    "Something that this needs is unavailable",
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
    """A 503 that names what is unavailable."""
    return Problem(
        UNAVAILABLE,
        f"{what} is unavailable just now.",
        headers={"Retry-After": str(retry_after_seconds)},
    )

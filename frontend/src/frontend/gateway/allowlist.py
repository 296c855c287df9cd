"""The routes that the gateway lets through, as data: all that is not in this table is refused."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from pydantic import BaseModel

from frontend.clients import schemas
from frontend.domain import is_identifier
from frontend.rate_limits import SUBMIT

PREFIX = "/api"

ServiceName = Literal["agenda", "c4p"]


class Access(Enum):
    """The people who may use a route."""

    ANYONE = "anyone"
    SPEAKER = "speaker"
    """Who sends a Proposal-Token, or is signed in."""
    SIGNED_IN = "who has the role"
    """Who is signed in; the service knows which role it takes."""


@dataclass(frozen=True, slots=True)
class Row:
    """A route of the gateway: `/api` + `path` is answered by `path` of `service`."""

    method: str
    path: str
    service: ServiceName
    access: Access
    answer: type[BaseModel]
    status: int = 200
    """The status of success."""
    query: tuple[str, ...] = ()
    refusals: tuple[int, ...] = ()
    """What the service may answer beside what every route may answer."""
    has_body: bool = False
    may_omit_body: bool = False
    limit: str | None = None
    """The rate limit that it counts against."""


_ANYONE, _SPEAKER, _SIGNED_IN = Access.ANYONE, Access.SPEAKER, Access.SIGNED_IN

TABLE = (
    Row("GET", "/sessions/{id}", "agenda", _ANYONE, schemas.Session),
    Row(
        "POST",
        "/proposals",
        "c4p",
        _ANYONE,
        schemas.Proposal,
        201,
        refusals=(401, 403),
        has_body=True,
        limit=SUBMIT,
    ),
    Row("GET", "/cfp", "c4p", _ANYONE, schemas.Window),
    Row("GET", "/proposals/{id}", "c4p", _SPEAKER, schemas.Proposal, refusals=(403,)),
    Row(
        "PATCH",
        "/proposals/{id}",
        "c4p",
        _SPEAKER,
        schemas.Proposal,
        refusals=(403, 409, 412, 428),
        has_body=True,
    ),
    Row(
        "POST", "/proposals/{id}/withdrawal", "c4p", _SPEAKER, schemas.Proposal, refusals=(403, 409)
    ),
    Row(
        "GET",
        "/proposals",
        "c4p",
        _SIGNED_IN,
        schemas.ProposalPage,
        query=("state", "q", "cursor", "limit"),
    ),
    Row(
        "POST",
        "/proposals/{id}/decision",
        "c4p",
        _SIGNED_IN,
        schemas.Proposal,
        refusals=(409,),
        has_body=True,
    ),
    Row("POST", "/proposals/decisions", "c4p", _SIGNED_IN, schemas.DecisionResults, has_body=True),
    Row("GET", "/proposals/{id}/events", "c4p", _SIGNED_IN, schemas.EventList),
    Row("GET", "/proposals/{id}/emails", "c4p", _SIGNED_IN, schemas.EmailList),
    Row("GET", "/proposals/{id}/reviews", "c4p", _SIGNED_IN, schemas.ReviewList),
    Row(
        "PUT",
        "/proposals/{id}/review",
        "c4p",
        _SIGNED_IN,
        schemas.Review,
        refusals=(409,),
        has_body=True,
    ),
    Row("PUT", "/cfp", "c4p", _SIGNED_IN, schemas.Window, has_body=True),
    Row(
        "GET",
        "/deliveries",
        "c4p",
        _SIGNED_IN,
        schemas.DeliveryPage,
        query=("proposal_id", "state", "cursor", "limit"),
    ),
    Row(
        "POST",
        "/deliveries/{id}/retry",
        "c4p",
        _SIGNED_IN,
        schemas.Delivery,
        202,
        refusals=(409,),
        has_body=True,
        may_omit_body=True,
    ),
    Row("GET", "/actions", "c4p", _SIGNED_IN, schemas.ActionPage, query=("cursor", "limit")),
    Row("GET", "/consistency-reports", "c4p", _SIGNED_IN, schemas.ReportList),
    Row(
        "PUT",
        "/sessions/{id}/slot",
        "agenda",
        _SIGNED_IN,
        schemas.Session,
        refusals=(409,),
        has_body=True,
    ),
    Row("GET", "/sessions/{id}/move", "agenda", _SIGNED_IN, schemas.Move),
)

CACHED = ("/sessions", "/schedule")
"""Answered from the agenda cache, with GET and HEAD."""


def methods_of(path: str) -> tuple[str, ...]:
    """The methods that `path` (without /api) takes; none where nothing is.

    A path that a row names in full is no other row's `{id}`.
    """
    if path in CACHED:
        return ("GET", "HEAD")
    literal = {row.method for row in TABLE if row.path == path}
    return tuple(sorted(literal or {row.method for row in TABLE if _fits(row.path, path)}))


def _fits(template: str, path: str) -> bool:
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        is_identifier(part) if want == "{id}" else part == want
        for want, part in zip(wanted, given, strict=True)
    )

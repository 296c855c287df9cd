"""Signing in at the OpenID provider and out again."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import RedirectResponse

from frontend.dependencies import (
    TheAccessTokens,
    TheOpenId,
    ThePages,
    TheSessions,
    TheSettings,
    Visitor,
    count_sign_in,
)
from frontend.domain import READ_METHODS, safe_next
from frontend.identity.openid import CALLBACK, ERRORS, Attempt
from frontend.pages.forms import TheForm
from frontend.pages.permissions import BACK_OFFICE, SIGN_IN_PAGE
from frontend.rendering import Pages
from servicekit.http import NeighbourUnavailableError
from servicekit.identity import TokenRefusedError
from servicekit.provider import GrantRefusedError

NOT_BEGUN = "This browser has begun no sign-in to which this answer belongs, or has taken too long."
REFUSED = "The sign-in service did not let you in."
FALSE = "The sign-in service answered something that cannot be believed. The log has the reason."

LEAVE_SECONDS = 2.0
"""Nobody waits longer for being signed out than that, whatever the provider does."""

log = structlog.get_logger()

router = APIRouter(include_in_schema=False)


@router.api_route(SIGN_IN_PAGE, methods=READ_METHODS, dependencies=[Depends(count_sign_in)])
async def sign_in(
    pages: ThePages,
    openid: TheOpenId,
    sessions: TheSessions,
    wanted: Annotated[str, Query(alias="next")] = BACK_OFFICE,
) -> Response:
    """Lead to the provider; the browser keeps what tells its answer from others."""
    attempt = Attempt.to(safe_next(wanted, BACK_OFFICE))
    try:
        response = RedirectResponse(
            await openid.address(attempt), 303, {"Cache-Control": "no-store"}
        )
    except NeighbourUnavailableError as error:
        return _unavailable(pages, attempt, error)
    sessions.begin(response, attempt, datetime.now(UTC))
    return response


@router.get(CALLBACK, dependencies=[Depends(count_sign_in)])
async def callback(
    request: Request,
    pages: ThePages,
    openid: TheOpenId,
    sessions: TheSessions,
    access_tokens: TheAccessTokens,
    settings: TheSettings,
    code: Annotated[str, Query(max_length=4096)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The provider's answer: only for the browser that has asked, and only once."""
    now = datetime.now(UTC)
    attempt = sessions.attempt(request.cookies, now)
    if attempt is None or not attempt.is_answered_by(state):
        # From the site's own address, in case that this browser has begun at another one of it.
        return _failed(pages, NOT_BEGUN, f"{settings.site}{SIGN_IN_PAGE}")
    if error or not code:
        # Whatever else stands there, anybody may have written into the address.
        log.info("sign-in refused", reason=error if error in ERRORS else "other")
        return _failed(pages, REFUSED, SIGN_IN_PAGE)
    try:
        identity, tokens = await openid.exchange(code, attempt)
    except NeighbourUnavailableError as absence:
        return _unavailable(pages, attempt, absence)
    except GrantRefusedError as refusal:
        log.warning("sign-in refused", reason=str(refusal))
        return _failed(pages, REFUSED, SIGN_IN_PAGE)
    except TokenRefusedError as refusal:
        log.error("sign-in not believed", reason=str(refusal))
        return _failed(pages, FALSE, SIGN_IN_PAGE)
    response = RedirectResponse(attempt.wanted, 303, {"Cache-Control": "no-store"})
    await access_tokens.put(sessions.start(response, identity, now), tokens)
    return response


@router.post("/sign-out")
async def sign_out(
    _: TheForm,
    visitor: Visitor,
    openid: TheOpenId,
    sessions: TheSessions,
    access_tokens: TheAccessTokens,
) -> Response:
    """End the session here, then what its copies are worth, and then the one at the provider."""
    address = None
    if visitor is not None:
        tokens = await access_tokens.take(visitor)
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                address = await openid.leave_address(tokens.id if tokens else None)
                if tokens is not None and tokens.refresh is not None:
                    await openid.revoke(tokens.refresh)
        except (NeighbourUnavailableError, TimeoutError) as error:
            log.warning("the provider knows nothing of a sign-out", reason=repr(error))
    response = RedirectResponse(address or "/", 303)
    sessions.end(response)
    return response


def _unavailable(pages: Pages, attempt: Attempt, error: NeighbourUnavailableError) -> Response:
    log.warning("nobody can sign in", reason=str(error))
    return pages.private("sign_in_unavailable.html", status=503, wanted=attempt.wanted)


def _failed(pages: Pages, reason: str, again: str) -> Response:
    return pages.private("sign_in_failed.html", status=400, reason=reason, again=again)

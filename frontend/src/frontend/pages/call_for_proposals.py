"""The speaker's pages: the call for proposals, and the own proposal by its signed link."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from random import SystemRandom
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Response
from starlette.responses import RedirectResponse

from frontend.clients.client import ProblemAnswerError
from frontend.clients.schemas import Window
from frontend.dependencies import TheAttempts, TheC4p, TheCache, ThePages, TheSettings
from frontend.domain import READ_METHODS, RateLimitedError
from frontend.example_proposals import example
from frontend.pages.context import schedule_or_none, window_or_none
from frontend.pages.fields import NEW
from frontend.pages.forms import Filled, TheForm, fill, refused_fields
from frontend.rate_limits import SUBMIT
from frontend.rendering import Pages, venue
from servicekit.http import NeighbourUnavailableError

NOT_CONFIRMED = (
    "It cannot be confirmed that your proposal is stored: the service for it does not answer. "
    "What you typed is still here. Please press Submit again in a minute; however often you do, it "
    "is stored once."
)
KEPT = "What you typed is still here; it was not handed in yet."
CLOSED = (
    "The call for proposals is not open, so this could not be handed in. What you typed is still "
    "here, for you to copy."
)
SENT_BEFORE = (
    "This form was sent before, with another text. Press Submit once more to hand in this text as "
    "a second proposal."
)

KEY = re.compile(r"[\x21-\x7e]{1,200}")

router = APIRouter(include_in_schema=False)


@router.api_route("/call-for-proposals", methods=READ_METHODS)
async def call_for_proposals(
    pages: ThePages,
    cache: TheCache,
    c4p: TheC4p,
    generate: Annotated[str, Query()] = "",
) -> Response:
    """The form, empty or with an example; what to expect while the call is closed."""
    filled = Filled(asdict(example(SystemRandom()))) if generate else Filled()
    schedule, window = await asyncio.gather(schedule_or_none(cache), window_or_none(c4p))
    return _form_page(pages, filled, _new_key(), window, venue(schedule))


@router.post("/call-for-proposals")
async def submit(
    form: TheForm, pages: ThePages, cache: TheCache, c4p: TheC4p, attempts: TheAttempts
) -> Response:
    """Hand it in; whatever goes wrong, what was typed is shown again, under the same key."""
    filled, key = fill(NEW, form), form.get("key")
    if not KEY.fullmatch(key):
        key = _new_key()
    status, lead, headers = 422, "", {}
    try:
        if not filled.errors:
            await attempts.count(SUBMIT)
            proposal = await c4p.submit(filled.values, key)
            return _see(f"/call-for-proposals/received?{urlencode({'reference': proposal.id})}")
    except RateLimitedError as error:
        status, lead = 429, f"{error} {KEPT}"
        headers = {"Retry-After": str(error.retry_after_seconds)}
    except NeighbourUnavailableError:
        status, lead = 503, NOT_CONFIRMED
    except ProblemAnswerError as error:
        filled = filled.with_errors(refused_fields(error, filled.values))
        status, lead = error.status, "" if filled.errors else str(error)
        if error.slug == "window-closed":
            lead = CLOSED
        if error.slug == "idempotency-key-reused":
            lead, key = SENT_BEFORE, _new_key()
    # Where c4p-service has just been silent, asking it again would only keep the visitor waiting.
    window = None if status in {429, 503} else await window_or_none(c4p)
    around = venue(await schedule_or_none(cache))
    return _form_page(pages, filled, key, window, around, status=status, lead=lead, headers=headers)


def _form_page(
    pages: Pages,
    filled: Filled,
    key: str,
    window: Window | None,
    around: Mapping[str, Any],
    *,
    status: int = 200,
    lead: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    can_submit = window is None or window.open
    return pages.private(
        "call_for_proposals.html",
        status=status,
        headers=headers,
        form=filled,
        key=key,
        lead=lead,
        window=window,
        now=datetime.now(UTC),
        can_submit=can_submit,
        # Text that can't be handed in is shown all the same: it is the author's only copy.
        show_form=can_submit or bool(filled.errors or lead),
        **around,
    )


@router.api_route("/call-for-proposals/received", methods=READ_METHODS)
async def received(
    pages: ThePages, settings: TheSettings, reference: UUID | None = None
) -> Response:
    """The proposal is stored; what happens now."""
    return pages.response(
        "received.html", reference=reference, mail_page_url=settings.mail_page_url
    )


def _new_key() -> str:
    return uuid4().hex


def _see(address: str) -> Response:
    return RedirectResponse(address, status_code=303)

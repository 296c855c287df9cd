"""The proposals of whoever is signed in, by the verified address of their sign-in."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from frontend.clients.c4p import ADDRESS_NOT_VERIFIED
from frontend.clients.client import ProblemAnswerError
from frontend.dependencies import TheCache, ThePages
from frontend.domain import READ_METHODS
from frontend.pages.context import schedule_or_none
from frontend.pages.permissions import MY_PROPOSALS, OwnC4p, SignedIn
from frontend.rendering import venue

router = APIRouter(include_in_schema=False)


@router.api_route(MY_PROPOSALS, methods=READ_METHODS)
async def my_proposals(
    pages: ThePages,
    cache: TheCache,
    c4p: OwnC4p,
    person: SignedIn,
    cursor: Annotated[str, Query()] = "",
) -> Response:
    """Show where each of them stands, the newest first."""
    try:
        own = await c4p.own_proposals(cursor=cursor)
    except ProblemAnswerError as error:
        if error.slug != ADDRESS_NOT_VERIFIED:
            raise
        own = None
    around = venue(await schedule_or_none(cache))
    return pages.private("my_proposals.html", person=person, own=own, **around)

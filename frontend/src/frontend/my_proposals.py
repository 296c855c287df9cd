"""The proposals of whoever is signed in, by the verified address of their sign-in."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from frontend.access import MY_PROPOSALS, OwnC4p, SignedIn
from frontend.clients import ADDRESS_NOT_VERIFIED, ProblemAnswerError
from frontend.lifespan import TheCache
from frontend.pages import READ
from frontend.rendering import ThePages, venue
from frontend.surroundings import schedule_or_none

router = APIRouter(include_in_schema=False)


@router.api_route(MY_PROPOSALS, methods=READ)
async def my_proposals(
    pages: ThePages,
    cache: TheCache,
    c4p: OwnC4p,
    person: SignedIn,
    cursor: Annotated[str, Query()] = "",
) -> Response:
    """Where each of them stands, the newest first."""
    try:
        own = await c4p.own_proposals(cursor=cursor)
    except ProblemAnswerError as error:
        if error.slug != ADDRESS_NOT_VERIFIED:
            raise
        own = None
    around = venue(await schedule_or_none(cache))
    return pages.private("my_proposals.html", person=person, own=own, **around)

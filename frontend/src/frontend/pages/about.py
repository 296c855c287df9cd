"""The page about the versions that run."""

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Response

from frontend.dependencies import TheAgenda, TheC4p, TheEmail, ThePages, TheSettings
from frontend.domain import READ_METHODS
from frontend.pages.context import or_none
from servicekit.health import Info, own_info

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Service:
    """A service as the About page shows it; `info` is None while it does not answer."""

    name: str
    duty: str
    info: Info | None


@router.api_route("/about", methods=READ_METHODS)
async def about(
    pages: ThePages, settings: TheSettings, agenda: TheAgenda, c4p: TheC4p, email: TheEmail
) -> Response:
    """Show which build of every service answers just now, and where it runs."""
    neighbours = (
        (agenda, "The schedule and who speaks when"),
        (c4p, "Proposals and decisions"),
        (email, "Mails to speakers and organizers"),
    )
    infos = await asyncio.gather(*(or_none(client.info()) for client, _ in neighbours))
    own = Service(
        "frontend", "These pages, and the only door to the API", own_info("frontend", settings)
    )
    others = [
        Service(client.neighbour.name, duty, info)
        for (client, duty), info in zip(neighbours, infos, strict=True)
    ]
    return pages.response("about.html", services=[own, *others])

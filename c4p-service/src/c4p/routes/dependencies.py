"""The dependencies of routes: from the app's state, of the request, and on who sends it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Request
from fastapi.security import APIKeyHeader

from c4p.clients import EmailClient
from c4p.domain import Actor
from c4p.links import Links
from c4p.problems import ADDRESS_NOT_VERIFIED, problem_of
from c4p.store.database import Store
from c4p.use_cases import proposals
from servicekit.identity import (
    AnyIdentity,
    Identity,
    bearer_scheme,
    demand,
    role_required,
    sign_in_required,
)
from servicekit.problems import Problem
from servicekit.security import LinkRefusedError

ORGANIZER, REVIEWER = "organizer", "reviewer"
AUDITOR, REPAIRER = "auditor", "repairer"
READERS = (ORGANIZER, REVIEWER, AUDITOR)
SPEAKER = "speaker"
"""The name on record for who acts by a signed link: its mail says whose it is."""

ProposalId = Annotated[UUID, Path()]
Limit = Annotated[int, Query(ge=1, le=200, description="how many at the most")]


async def _get_store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


async def _get_email(request: Request) -> EmailClient:
    email: EmailClient = request.app.state.email
    return email


async def _get_links(request: Request) -> Links:
    links: Links = request.app.state.links
    return links


StoreDep = Annotated[Store, Depends(_get_store)]
EmailDep = Annotated[EmailClient, Depends(_get_email)]
LinksDep = Annotated[Links, Depends(_get_links)]


def _actor(identity: Identity) -> Actor:
    return Actor(identity.name, identity.subject)


async def _get_anybody(identity: AnyIdentity) -> Actor:
    return Actor("anonymous") if identity is None else _actor(identity)


def acting(*roles: str) -> Callable[..., Awaitable[Actor]]:
    """Return a dependency: the actor, who must have one of `roles`."""

    async def check(identity: Annotated[Identity, Depends(demand(*roles))]) -> Actor:
        return _actor(identity)

    return check


def reading(*roles: str) -> Any:
    """Return a dependency that lets those through who have one of `roles`."""
    return Depends(demand(*roles))


_LINK = APIKeyHeader(
    name="Proposal-Token",
    scheme_name="link",
    auto_error=False,
    description="The token of a speaker's link, for the one proposal that it is about",
)


def speaker_or(*roles: str) -> Callable[..., Awaitable[Actor]]:
    """Return a dependency: who acts on the proposal of the path.

    That is its speaker, by the signed link or by a verified email address, or who has one of
    `roles`.
    """

    async def check(
        proposal_id: ProposalId,
        store: StoreDep,
        links: LinksDep,
        identity: AnyIdentity,
        token: Annotated[str | None, Depends(_LINK)],
        _: Annotated[Any, bearer_scheme],
    ) -> Actor:
        if token is not None:
            try:
                links.check(token, proposal_id, datetime.now(UTC))
            except LinkRefusedError as error:
                raise problem_of(error) from error
            # The actor is whoever has the link; a token beside it says who that was.
            return Actor(SPEAKER, identity.subject if identity else None)
        if identity is None:
            raise sign_in_required("Nobody is signed in, and there is no Proposal-Token.")
        if identity.roles.isdisjoint(roles) and not await _is_own(store, proposal_id, identity):
            # As for a proposal that is not there: ids are not to be guessed at.
            raise role_required(*roles)
        return _actor(identity)

    return check


async def _is_own(store: Store, proposal_id: UUID, identity: Identity) -> bool:
    return identity.email is not None and await proposals.is_own(store, proposal_id, identity.email)


async def _get_own_address(identity: AnyIdentity, _: Annotated[Any, bearer_scheme]) -> str:
    if identity is None:
        raise sign_in_required("Nobody is signed in.")
    if identity.email is None:
        raise Problem(ADDRESS_NOT_VERIFIED, "The sign-in names no address that was verified.")
    return identity.email


OwnAddress = Annotated[str, Depends(_get_own_address)]
"""The verified email address of who is signed in."""
Anybody = Annotated[Actor, Depends(_get_anybody)]
"""The actor, signed in or not."""
Organizer = Annotated[Actor, Depends(acting(ORGANIZER))]
"""The actor, an organizer."""
SpeakerOrOrganizer = Annotated[Actor, Depends(speaker_or(ORGANIZER))]
"""The actor, the speaker of the path's proposal or an organizer."""

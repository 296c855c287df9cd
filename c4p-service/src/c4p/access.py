"""Who may do what: the dependencies by which routes say so."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from string import ascii_lowercase, ascii_uppercase
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Request
from fastapi.security import APIKeyHeader

from c4p.domain import By, ProposalNotFoundError
from c4p.problems import ADDRESS_NOT_VERIFIED, LINK_EXPIRED, LINK_REFUSED
from c4p.store import Store
from servicekit.identity import (
    AnyIdentity,
    Identity,
    bearer_scheme,
    demand,
    role_required,
    sign_in_required,
)
from servicekit.problems import Problem
from servicekit.security import LinkExpiredError, LinkRefusedError, Signer

ORGANIZER, REVIEWER = "organizer", "reviewer"
AUDITOR, REPAIRER = "auditor", "repairer"
READERS = (ORGANIZER, REVIEWER, AUDITOR)
SPEAKER = "speaker"
"""Who acts by a signed link: its mail says whose it is."""
MAX_TOKEN_LENGTH = 1000
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)

ProposalId = Annotated[UUID, Path()]
Limit = Annotated[int, Query(ge=1, le=200, description="how many at the most")]


async def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


TheStore = Annotated[Store, Depends(_store)]


def _by(identity: Identity) -> By:
    return By(identity.name, datetime.now(UTC), identity.subject)


async def _anybody(identity: AnyIdentity) -> By:
    return By("anonymous", datetime.now(UTC)) if identity is None else _by(identity)


def acting(*roles: str) -> Callable[..., Awaitable[By]]:
    """A dependency: who does it, and that they have one of `roles`."""

    async def check(identity: Annotated[Identity, Depends(demand(*roles))]) -> By:
        return _by(identity)

    return check


def reading(*roles: str) -> Any:
    """A dependency: whoever reads this has one of `roles`."""
    return Depends(demand(*roles))


_LINK = APIKeyHeader(
    name="Proposal-Token",
    scheme_name="link",
    auto_error=False,
    description="The token of a speaker's link, for the one proposal that it is about",
)


def speaker_or(*roles: str) -> Callable[..., Awaitable[By]]:
    """A dependency: who acts on the proposal of the path.

    That is its speaker, by the signed link or by a verified email address, or who has one of
    `roles`.
    """

    async def check(
        request: Request,
        proposal_id: ProposalId,
        store: TheStore,
        identity: AnyIdentity,
        token: Annotated[str | None, Depends(_LINK)],
        _: Annotated[Any, bearer_scheme],
    ) -> By:
        if token is not None:
            _check_link(request, proposal_id, token)
            # Who acts is whoever has the link; a token beside it says who that was.
            return By(SPEAKER, datetime.now(UTC), identity.subject if identity else None)
        if identity is None:
            raise sign_in_required("Nobody is signed in, and there is no Proposal-Token.")
        if identity.roles.isdisjoint(roles) and not await _is_own(store, proposal_id, identity):
            # As for a proposal that is not there: ids are not to be guessed at.
            raise role_required(*roles)
        return _by(identity)

    return check


def _check_link(request: Request, proposal_id: UUID, token: str) -> None:
    signer: Signer = request.app.state.links.signer
    try:
        signed = signer.read(token[:MAX_TOKEN_LENGTH], datetime.now(UTC))
    except LinkExpiredError as error:
        raise Problem(LINK_EXPIRED, str(error)) from error
    except LinkRefusedError as error:
        raise Problem(LINK_REFUSED, str(error)) from error
    if signed.get("proposal") != str(proposal_id):
        raise Problem(LINK_REFUSED, "The link belongs to another proposal.")


async def _is_own(store: Store, proposal_id: UUID, identity: Identity) -> bool:
    if identity.email is None:
        return False
    try:
        proposal = await store.run(lambda tx: tx.proposal(proposal_id), atomic=False)
    except ProposalNotFoundError:
        return False
    return is_same_address(proposal.speaker_email, identity.email)


def is_same_address(one: str, other: str) -> bool:
    """Whether two addresses are the same but for the case of ASCII letters.

    Case folding would make `straße.de` and `strasse.de` one, which are two domains.
    """
    return one.translate(_LOWER) == other.translate(_LOWER)


async def _own_address(identity: AnyIdentity, _: Annotated[Any, bearer_scheme]) -> str:
    if identity is None:
        raise sign_in_required("Nobody is signed in.")
    if identity.email is None:
        raise Problem(ADDRESS_NOT_VERIFIED, "The sign-in names no address that was verified.")
    return identity.email


OwnAddress = Annotated[str, Depends(_own_address)]
"""The type of a route's parameter that tells the verified address of whoever is signed in."""


Anybody = Annotated[By, Depends(_anybody)]
Organizer = Annotated[By, Depends(acting(ORGANIZER))]
"""The types of a route's parameter that tells who acts."""

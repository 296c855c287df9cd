"""The routes of email-service: from a request to a use case, and from its result to a response."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request

from email_service import use_cases
from email_service.clients import Relay
from email_service.problems import (
    IDEMPOTENCY_KEY_MISSING,
    RECIPIENT_REFUSED,
    RELAY_UNAVAILABLE,
    SENDING_NOW,
    TEMPLATE_DATA,
    UNKNOWN_TEMPLATE,
)
from email_service.rendering import Renderer
from email_service.schemas import (
    EmailInput,
    EmailListOutput,
    EmailOutput,
    IdempotencyKey,
    Reference,
)
from email_service.store import Ledger
from email_service.use_cases import PendingRecords
from servicekit.identity import demand
from servicekit.problems import (
    IDEMPOTENCY_KEY_REUSED,
    INVALID_REQUEST,
    UNAVAILABLE,
    Problem,
    responses,
)

router = APIRouter(tags=["emails"])

# A missing header gets a problem of its own. So the code takes the header as optional, and OpenAPI
# describes it as required.
_KEY_PARAMETER: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "The same for each attempt at the same mail",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
        }
    ]
}


async def _get_ledger(request: Request) -> Ledger:
    ledger: Ledger = request.app.state.ledger
    return ledger


async def _get_relay(request: Request) -> Relay:
    relay: Relay = request.app.state.relay
    return relay


async def _get_renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.renderer
    return renderer


async def _get_pending(request: Request) -> PendingRecords:
    pending: PendingRecords = request.app.state.pending
    return pending


async def _require_key(
    idempotency_key: Annotated[IdempotencyKey | None, Header(include_in_schema=False)] = None,
) -> str:
    if not idempotency_key:
        raise Problem(IDEMPOTENCY_KEY_MISSING, "The header Idempotency-Key is missing or empty.")
    return idempotency_key


LedgerDep = Annotated[Ledger, Depends(_get_ledger)]
RelayDep = Annotated[Relay, Depends(_get_relay)]
RendererDep = Annotated[Renderer, Depends(_get_renderer)]
PendingDep = Annotated[PendingRecords, Depends(_get_pending)]
KeyDep = Annotated[str, Depends(_require_key)]


@router.post(
    "/emails",
    status_code=202,
    dependencies=[Depends(demand("mail-sender"))],
    openapi_extra=_KEY_PARAMETER,
    responses=responses(
        IDEMPOTENCY_KEY_MISSING,
        SENDING_NOW,
        IDEMPOTENCY_KEY_REUSED,
        UNKNOWN_TEMPLATE,
        TEMPLATE_DATA,
        RECIPIENT_REFUSED,
        INVALID_REQUEST,
        RELAY_UNAVAILABLE,
        UNAVAILABLE,
    ),
)
async def send_email(
    key: KeyDep,
    email: EmailInput,
    ledger: LedgerDep,
    relay: RelayDep,
    renderer: RendererDep,
    pending: PendingDep,
) -> EmailOutput:
    """Send a mail now, through the relay; a repeated key sends once and gets the same answer."""
    request = email.to_request()
    entry = await use_cases.send_email(ledger, relay, renderer, pending, key, request)
    return EmailOutput.from_entry(entry)


@router.get("/emails", dependencies=[Depends(demand("mail-sender"))])
async def list_emails(
    reference: Annotated[Reference, Query()], ledger: LedgerDep
) -> EmailListOutput:
    """Return the newest mails under `reference`, sent or being sent, at most 100."""
    entries = await use_cases.list_emails(ledger, reference)
    return EmailListOutput(items=[EmailOutput.from_entry(entry) for entry in entries])

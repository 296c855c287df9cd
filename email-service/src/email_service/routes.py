"""HTTP in, use case, HTTP out."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request

from email_service.schemas import (
    IDEMPOTENCY_KEY_MISSING,
    RECIPIENT_REFUSED,
    RELAY_UNAVAILABLE,
    SENDING_NOW,
    TEMPLATE_DATA,
    UNKNOWN_TEMPLATE,
    EmailIn,
    EmailList,
    EmailOut,
    IdempotencyKey,
    Reference,
)
from email_service.sending import Mailroom
from servicekit.identity import demand
from servicekit.problems import (
    IDEMPOTENCY_KEY_REUSED,
    INVALID_REQUEST,
    UNAVAILABLE,
    Problem,
    responses,
)

router = APIRouter(tags=["emails"])

# Its absence has a problem of its own, so that the code takes it as optional and the description
# as what it is.
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


async def _mailroom(request: Request) -> Mailroom:
    mailroom: Mailroom = request.app.state.mailroom
    return mailroom


async def _key(
    idempotency_key: Annotated[IdempotencyKey | None, Header(include_in_schema=False)] = None,
) -> str:
    if not idempotency_key:
        raise Problem(IDEMPOTENCY_KEY_MISSING, "The header Idempotency-Key is missing or empty.")
    return idempotency_key


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
async def post_email(
    key: Annotated[str, Depends(_key)],
    email: EmailIn,
    mailroom: Annotated[Mailroom, Depends(_mailroom)],
) -> EmailOut:
    """Send a mail now, through the relay; a repeated key sends once and gets the same answer."""
    entry = await mailroom.send(key, email.template, email.to, email.reference, email.data)
    return EmailOut.of(entry)


@router.get("/emails", dependencies=[Depends(demand("mail-sender"))])
async def get_emails(
    reference: Annotated[Reference, Query()],
    mailroom: Annotated[Mailroom, Depends(_mailroom)],
) -> EmailList:
    """The newest mails under `reference`, sent or being sent, at most 100."""
    return EmailList(items=[EmailOut.of(entry) for entry in await mailroom.sent_about(reference)])

"""The rules of sending a mail once: its identity, its ledger entry, and the ways to fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson
from email_validator import validate_email

from servicekit.field_errors import FieldError
from servicekit.redaction import mask_address, mask_addresses

_MAX_REPLY_LENGTH = 200


class UnknownTemplateError(Exception):
    """There is no template of that name."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no template {name!r}; there are {', '.join(known)}.")
        self.members = {"templates": known}


class TemplateDataError(Exception):
    """The data are not what the template needs."""

    def __init__(self, template: str, errors: Sequence[FieldError]) -> None:
        names = ", ".join(dict.fromkeys(each.field for each in errors))
        super().__init__(f"Not what the template {template} needs: {names}.")
        self.members = {"errors": [each.model_dump() for each in errors]}


class IdempotencyKeyReusedError(Exception):
    """The key belongs to another mail."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key came before with another body.")


class SendingNowError(Exception):
    """Another request with the same key is sending the mail, or was when it crashed."""

    retry_after_seconds = 2

    def __init__(self) -> None:
        super().__init__("A mail with this Idempotency-Key is being sent just now.")


class RelayUnavailableError(Exception):
    """The relay can't be reached, is too slow, or refuses for now; another attempt may succeed."""

    retry_after_seconds = 5

    def __init__(self, reason: str) -> None:
        super().__init__(f"The mail relay does not take the mail just now: {reason}.")


class RecipientRefusedError(Exception):
    """The relay refuses this mail for good; another attempt would be refused as well."""

    def __init__(self, reply: str) -> None:
        super().__init__(f"The mail relay refuses the mail for good: {reply}.")


class State(StrEnum):
    """The state of a mail: `sending` is a claim under a lease, `sent` is final."""

    SENDING = "sending"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class MailRequest:
    """A mail that a caller wants sent; `reference` is the caller's name for what it is about.

    `to` is an address in ASCII as far as it has such a form, `data` is for the template.
    """

    template: str
    to: str
    reference: str
    data: Mapping[str, Any]

    def fingerprint(self) -> str:
        """Return a hash in hex, which is the same for equal requests only."""
        content = [self.template, self.to, self.reference, self.data]
        return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The record of a mail in the ledger: without the whole address, and without any content."""

    key: str
    template: str
    to_masked: str
    reference: str
    state: State
    sent_at: datetime | None = None


def new_entry(key: str, request: MailRequest) -> LedgerEntry:
    """Return the ledger entry of a mail that is being sent."""
    to_masked = mask_address(request.to)
    return LedgerEntry(key, request.template, to_masked, request.reference, State.SENDING)


def mark_sent(entry: LedgerEntry, at: datetime) -> LedgerEntry:
    """Return `entry` as it is once the relay has taken the mail."""
    return replace(entry, state=State.SENT, sent_at=at)


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered mail; `subject` is one line."""

    subject: str
    text: str
    html: str


def make_message_id(key: str, domain: str) -> str:
    """Return the Message-ID of a mail.

    It is the same for every attempt under `key`, so that mail programs can recognize a repetition.
    """
    return f"<{sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def ascii_address(text: str) -> str:
    """Return an address as SMTP carries it, with its domain in ASCII; raise ValueError for others.

    Only a name before the @ that has no ASCII form stays as it is (RFC 6531).
    """
    found = validate_email(text, check_deliverability=False)
    if "=?" in found.normalized:
        raise ValueError("an address can't hold an encoded word")
    return found.ascii_email or found.normalized


def one_line(text: str) -> str:
    """Return `text` with each run of white space, line breaks of all kinds included, as a space."""
    return " ".join(text.split())


def redact_reply(reply: str) -> str:
    """Return the reply of a relay for logs and answers: short, on one line, addresses masked."""
    return mask_addresses(one_line(reply))[:_MAX_REPLY_LENGTH].rstrip(".")

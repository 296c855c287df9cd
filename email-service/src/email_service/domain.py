"""What it means to send a mail once, pure: the order, its identity, and the ways it can fail."""

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

_LONGEST_REPLY = 200


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
    """Another request with the same key is at it, or was when it crashed."""

    retry_after_seconds = 2

    def __init__(self) -> None:
        super().__init__("A mail with this Idempotency-Key is being sent just now.")


class RelayUnavailableError(Exception):
    """The relay can't be reached, is too slow, or does not take mail from us just now."""

    retry_after_seconds = 5

    def __init__(self, reason: str) -> None:
        super().__init__(f"The mail relay does not take the mail just now: {reason}.")


class RecipientRefusedError(Exception):
    """The relay refuses this mail for good; another attempt would be refused as well."""

    def __init__(self, reply: str) -> None:
        super().__init__(f"The mail relay refuses the mail for good: {reply}.")


class LedgerUnavailableError(Exception):
    """The ledger can't be asked, so nobody knows whether the mail was sent before."""

    retry_after_seconds = 2

    def __init__(self) -> None:
        super().__init__("The ledger of mails is unavailable just now; nothing was sent.")


class State(StrEnum):
    """`sending` is a claim under a lease; `sent` is for ever."""

    SENDING = "sending"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Order:
    """A mail that somebody wants sent; `reference` is the sender's own name for what it is about.

    `to` is an address in ASCII where its domain allows; `data` has passed the template's schema.
    """

    template: str
    to: str
    reference: str
    data: Mapping[str, Any]

    def fingerprint(self) -> str:
        """Equal for equal orders only; in hex."""
        content = [self.template, self.to, self.reference, self.data]
        return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger keeps of a mail: never the address itself, never what it says."""

    key: str
    template: str
    to_masked: str
    reference: str
    state: State
    sent_at: datetime | None = None


def entry_of(key: str, order: Order) -> Entry:
    """The ledger's entry while `order` is being sent."""
    return Entry(key, order.template, mask_address(order.to), order.reference, State.SENDING)


def as_sent(entry: Entry, at: datetime) -> Entry:
    """`entry` once the relay has taken the mail."""
    return replace(entry, state=State.SENT, sent_at=at)


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered mail; `subject` is one line."""

    subject: str
    text: str
    html: str


def message_id(key: str, domain: str) -> str:
    """The Message-ID of every attempt under `key`, so that mail programs can tell a repetition."""
    return f"<{sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def ascii_address(text: str) -> str:
    """The address as SMTP carries it, its domain in ASCII; ValueError where it is none.

    Only a name before the @ that has no ASCII form stays as it is (RFC 6531).
    """
    found = validate_email(text, check_deliverability=False)
    if "=?" in found.normalized:
        raise ValueError("an address can't hold an encoded word")
    return found.ascii_email or found.normalized


def one_line(text: str) -> str:
    """`text` with every run of white space, line breaks of all kinds included, as one space."""
    return " ".join(text.split())


def harmless(reply: str) -> str:
    """What a relay said, short, in one line, and with every address in it masked."""
    return mask_addresses(one_line(reply))[:_LONGEST_REPLY].rstrip(".")

"""The SMTP relay: one attempt at one mail, within a time limit."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from time import monotonic

import aiosmtplib
from opentelemetry.trace import SpanKind

from email_service.domain import (
    Mail,
    RecipientRefusedError,
    RelayUnavailableError,
    ascii_address,
    harmless,
    message_id,
)
from email_service.settings import RelaySettings
from servicekit import metrics, telemetry
from servicekit.http import Breaker
from servicekit.sampling import Attributes

_CONNECTIONS = 8
"""Relays take few connections from one client; more mails at once wait here, not there."""
_GOODBYE_SECONDS = 1


class Relay:
    """Takes mails from the conference."""

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings
        self._sender = Address(
            display_name=settings.conference_name, addr_spec=ascii_address(settings.mail_from)
        )
        self._slots = asyncio.Semaphore(_CONNECTIONS)
        self._breaker = Breaker()

    async def send(self, key: str, to: str, mail: Mail) -> None:
        """Return once the relay has taken responsibility for the mail.

        RelayUnavailableError when another attempt may succeed, RecipientRefusedError when none
        will. After a time-out nobody knows whether the relay took it: the next attempt carries
        the same Message-ID.
        """
        if not self._breaker.allows(monotonic()):
            self._count("held back")
            raise RelayUnavailableError("it failed repeatedly and is left to rest")
        try:
            await self._deliver(to, self._source(key, to, mail))
        except RelayUnavailableError:
            self._breaker.failed(monotonic())
            self._count("failed")
            raise
        except RecipientRefusedError:
            self._breaker.succeeded()
            self._count("refused")
            raise
        self._breaker.succeeded()
        self._count("answered")

    def _count(self, outcome: str) -> None:
        metrics.CALLS.labels("relay", outcome).inc()
        metrics.BREAKER.labels("relay").set(self._breaker.is_open)

    def _source(self, key: str, to: str, mail: Mail) -> bytes:
        message = EmailMessage()
        message["From"] = self._sender
        message["Date"] = datetime.now(UTC)
        message["Message-ID"] = message_id(key, self._sender.domain)
        # RFC 3834: keeps holiday notices from answering.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text, cte="quoted-printable")
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
        # What others wrote is put in front by hand. EmailMessage would decode the encoded words in
        # it, among them those that hide a line break, and loses spaces where it folds.
        subject = Header(mail.subject, "utf-8", header_name="Subject").encode(linesep="\r\n")
        headers = f"To: {to}\r\nSubject: {subject}\r\n"
        return headers.encode() + message.as_bytes(policy=SMTP)

    async def _deliver(self, to: str, source: bytes) -> None:
        client = self._client()
        settings = self._settings
        relay: Attributes = {
            "server.address": settings.smtp_host,
            "server.port": settings.smtp_port,
        }
        try:
            with telemetry.span("SMTP send", SpanKind.CLIENT, relay):
                await self._hand_over(client, to, source)
            # The mail is the relay's now, whatever becomes of the goodbye.
            with suppress(aiosmtplib.SMTPException):
                await client.quit(timeout=_GOODBYE_SECONDS)
        finally:
            client.close()

    async def _hand_over(self, client: aiosmtplib.SMTP, to: str, source: bytes) -> None:
        try:
            # aiosmtplib limits each step; a relay that drips is caught by the whole's limit.
            async with asyncio.timeout(self._settings.smtp_timeout_seconds), self._slots:
                await client.connect()
                await _transfer(client, self._sender.addr_spec, to, source)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise RelayUnavailableError(_reason(error)) from error

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        password = settings.smtp_password
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=password.get_secret_value() if password else None,
            # A pod's own name means nothing to a relay, and looking it up may take long.
            local_hostname=self._sender.domain,
            timeout=settings.smtp_timeout_seconds,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
        )


async def _transfer(client: aiosmtplib.SMTP, sender: str, to: str, source: bytes) -> None:
    options = [] if to.isascii() else ["SMTPUTF8"]
    try:
        await client.sendmail(sender, [to], source, mail_options=options)
    except aiosmtplib.SMTPRecipientsRefused as error:
        refusal = error.recipients[0]
        if refusal.code >= 500:
            raise RecipientRefusedError(_said(refusal)) from error
        raise
    except aiosmtplib.SMTPDataError as error:
        if error.code >= 500:
            raise RecipientRefusedError(_said(error)) from error
        raise
    except aiosmtplib.SMTPNotSupported as error:
        raise RecipientRefusedError("it takes no addresses outside ASCII") from error


def _reason(error: Exception) -> str:
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return _said(error.recipients[0])
        case aiosmtplib.SMTPResponseException():
            return _said(error)
        case TimeoutError():
            return "it answers too slowly"
        case aiosmtplib.SMTPServerDisconnected():
            return "it hung up"
        case OSError():
            return "it can't be reached"
        case _:
            return harmless(str(error))


def _said(error: aiosmtplib.SMTPResponseException) -> str:
    return f"{error.code} {harmless(error.message)}"

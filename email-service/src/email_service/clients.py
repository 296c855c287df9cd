"""The client of the SMTP relay: one attempt at one mail, within a time limit."""

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
    make_message_id,
    redact_reply,
)
from email_service.settings import RelaySettings
from servicekit import metrics, telemetry
from servicekit.http import Breaker
from servicekit.sampling import Attributes

_CONNECTIONS = 8
"""The most at once: relays take few connections from one client, so other mails wait here."""
_QUIT_SECONDS = 1


class Relay:
    """A client of the SMTP relay, with a circuit breaker; it connects anew for each mail."""

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings
        self._sender = Address(
            display_name=settings.conference_name, addr_spec=ascii_address(settings.mail_from)
        )
        self._connections = asyncio.Semaphore(_CONNECTIONS)
        self._breaker = Breaker()

    async def send(self, key: str, to: str, mail: Mail) -> None:
        """Send a mail; return once the relay has accepted responsibility for it.

        Raise RelayUnavailableError when another attempt may succeed, RecipientRefusedError when
        none will. After a timeout nobody knows if the relay took the mail: the next attempt has
        the same Message-ID.
        """
        if not self._breaker.allows(monotonic()):
            self._count("held back")
            raise RelayUnavailableError("it failed repeatedly and is left to rest")
        try:
            await self._deliver(to, self._make_message(key, to, mail))
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

    def _make_message(self, key: str, to: str, mail: Mail) -> bytes:
        message = EmailMessage()
        message["From"] = self._sender
        message["Date"] = datetime.now(UTC)
        message["Message-ID"] = make_message_id(key, self._sender.domain)
        # RFC 3834: automatic replies, such as holiday notices, are not to answer.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text, cte="quoted-printable")
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
        # Headers with text from outside are put in front by hand. EmailMessage would decode encoded
        # words in them, among these some that hide a line break, and loses spaces where it folds.
        subject = Header(mail.subject, "utf-8", header_name="Subject").encode(linesep="\r\n")
        headers = f"To: {to}\r\nSubject: {subject}\r\n"
        return headers.encode() + message.as_bytes(policy=SMTP)

    async def _deliver(self, to: str, source: bytes) -> None:
        client = self._make_client()
        settings = self._settings
        relay: Attributes = {
            "server.address": settings.smtp_host,
            "server.port": settings.smtp_port,
        }
        try:
            with telemetry.span("SMTP send", SpanKind.CLIENT, relay):
                await self._send_in_time(client, to, source)
            # The relay has the mail; if QUIT fails that changes nothing.
            with suppress(aiosmtplib.SMTPException):
                await client.quit(timeout=_QUIT_SECONDS)
        finally:
            client.close()

    async def _send_in_time(self, client: aiosmtplib.SMTP, to: str, source: bytes) -> None:
        try:
            # aiosmtplib limits each step; a relay that answers byte by byte needs one for all.
            async with asyncio.timeout(self._settings.smtp_timeout_seconds), self._connections:
                await client.connect()
                await _send_message(client, self._sender.addr_spec, to, source)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise RelayUnavailableError(_describe_failure(error)) from error

    def _make_client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        password = settings.smtp_password
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=password.get_secret_value() if password else None,
            # By default this is the pod's name, which means nothing to a relay and is slow to find.
            local_hostname=self._sender.domain,
            timeout=settings.smtp_timeout_seconds,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
        )


async def _send_message(client: aiosmtplib.SMTP, sender: str, to: str, source: bytes) -> None:
    options = [] if to.isascii() else ["SMTPUTF8"]
    try:
        await client.sendmail(sender, [to], source, mail_options=options)
    except aiosmtplib.SMTPRecipientsRefused as error:
        refusal = error.recipients[0]
        if refusal.code >= 500:
            raise RecipientRefusedError(_describe_reply(refusal)) from error
        raise
    except aiosmtplib.SMTPDataError as error:
        if error.code >= 500:
            raise RecipientRefusedError(_describe_reply(error)) from error
        raise
    except aiosmtplib.SMTPNotSupported as error:
        raise RecipientRefusedError("it takes no addresses outside ASCII") from error


def _describe_failure(error: Exception) -> str:
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return _describe_reply(error.recipients[0])
        case aiosmtplib.SMTPResponseException():
            return _describe_reply(error)
        case TimeoutError():
            return "it answers too slowly"
        case aiosmtplib.SMTPServerDisconnected():
            return "it hung up"
        case OSError():
            return "it can't be reached"
        case _:
            return redact_reply(str(error))


def _describe_reply(error: aiosmtplib.SMTPResponseException) -> str:
    return f"{error.code} {redact_reply(error.message)}"

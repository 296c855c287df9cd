"""A relay that hands mails on, and refuses some people with words that name them."""

import smtplib
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

UNKNOWN = "nobody-"
"""Addresses that begin so are refused for ever."""


class Chatty:
    """Return the relay's answer: it repeats the address, as relays do."""

    def __init__(self, next_port: int) -> None:
        self._next_port = next_port

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Envelope, to: str, _options: Any
    ) -> str:
        if to.startswith(UNKNOWN):
            return f"550 <{to}>: there is no {to} here"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Envelope
    ) -> str:
        assert envelope.content is not None
        try:
            with smtplib.SMTP("127.0.0.1", self._next_port) as sink:
                sink.sendmail(envelope.mail_from or "", envelope.rcpt_tos, envelope.content)
        except OSError:
            return f"451 not now for {', '.join(envelope.rcpt_tos)}"
        return "250 OK"


def relay(port: int, next_port: int) -> Controller:
    """A relay on `port` that hands on to `next_port`."""
    return Controller(Chatty(next_port), hostname="127.0.0.1", port=port, ready_timeout=30)

"""Keeps out of traces and logs: links, searches, addresses, secrets, and what people typed."""

import re
from typing import Any

_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"'=]+@[^\s<>()\[\]:;,\"']+")
_SECRETS = (
    # Who signs in where, in an address: redis://user:password@host.
    (re.compile(r"(://)[^\s/]*@"), r"\1"),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)[\w.~+/=-]{8,}"), r"\1***"),
    (
        re.compile(
            r"(?i)([\w-]*(?:password|passwd|passcode|secret)[\"']?\s*[=:]\s*"
            r"|[\w-]*(?:token|cookie|session|code|key|authorization)[\"']?\s*=\s*)"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s&,;)]+)"
        ),
        r"\1***",
    ),
    # JWTs, JWEs, signed links, and random words: longer than a UUID, which is for all to see.
    (re.compile(r"\beyJ[\w-]+(?:\.[\w-]*)+|\b[\w-]{40,}(?:\.[\w-]+)*"), "***"),
)


def mask_address(address: str) -> str:
    """An address that only who knows it recognises: `ada@example.org` → `a***@example.org`."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"


def mask_addresses(text: str) -> str:
    """`text` with every address in it masked."""
    return _ADDRESS.sub(lambda found: mask_address(found.group()), text)


def first_line(message: str) -> str:
    """Return an exception's words, without the lines in which databases and parsers repeat values.

    Addresses, passwords and tokens in the line are masked. What else people typed can't be told
    from the words around it: no exception of ours repeats it.
    """
    line = message.partition("\n")[0]
    for secret, mask in _SECRETS:
        line = secret.sub(mask, line)
    return mask_addresses(line)


def first_lines(stacks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same for structlog's form of an exception: it, its causes, and the groups in them."""
    return [
        {
            **stack,
            "exc_value": first_line(stack["exc_value"]),
            "exc_notes": [],
            "exceptions": [first_lines(each) for each in stack["exceptions"]],
        }
        for stack in stacks
    ]

"""The rules of the frontend, pure: which agenda is served, who may be sent where."""

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from frontend.formatting import length_of_time

LATE_SECONDS = 0.5
"""How much older than fresh an agenda may be before an answer waits a moment for a newer one."""
AWAY_SECONDS = 10.0
"""The same while agenda-service did not answer when it was last asked: it most likely won't now."""
LATE_PATIENCE_SECONDS = 0.25
COLD_PATIENCE_SECONDS = 3.0
"""How long an answer waits when there is nothing at all to serve."""
MAX_NEXT_LENGTH = 500

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
READ_METHODS = ["GET", "HEAD"]
SESSION_LIFETIME = timedelta(hours=12)
ORGANIZER, REVIEWER = "organizer", "reviewer"
STAFF = frozenset({ORGANIZER, REVIEWER})
_IDENTIFIER = re.compile(r"[A-Za-z0-9-]{1,64}")


class SignInRequiredError(Exception):
    """Nobody is signed in, or not any more."""

    def __init__(self) -> None:
        super().__init__("Sign in first.")


class Source(StrEnum):
    """The source of a served agenda."""

    LIVE = "live"
    """The agenda service said so just now."""
    STALE = "stale"
    """It said so a moment ago, and is being asked again."""
    SAVED = "saved"
    """It doesn't answer: this is what it said last."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The facts known of the agenda; times are seconds of one clock that never goes back."""

    has_copy: bool = False
    confirmed_at: float | None = None
    """When the agenda service last confirmed the copy to this process."""
    attempted_at: float | None = None
    """When it was last asked, with whatever success."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of an answer: from where, whether to ask anew, and how long to wait for that."""

    source: Source | None
    """None where there is nothing to serve."""
    refresh: bool
    patience_seconds: float
    """Counted from the start of the refresh, so that not every visitor waits anew."""


def plan(known: Knowledge, now: float, fresh_seconds: float) -> Plan:
    """The cache policy: fresh, then stale-while-revalidate, then stale-if-error of any age.

    Nobody waits while visitors keep coming, since each finds a copy that the one before had
    renewed. After a quiet time the first one waits a moment, so as to see what was decided
    meanwhile; without any copy, as long as a call may take.
    """
    since_attempt = float("inf") if known.attempted_at is None else now - known.attempted_at
    refresh = since_attempt >= fresh_seconds
    if not known.has_copy:
        return Plan(None, refresh, COLD_PATIENCE_SECONDS)
    is_unavailable = known.confirmed_at is None or known.confirmed_at != known.attempted_at
    late_after = AWAY_SECONDS if is_unavailable else fresh_seconds + LATE_SECONDS
    patience = LATE_PATIENCE_SECONDS if since_attempt >= late_after else 0.0
    if is_unavailable:
        return Plan(Source.SAVED, refresh, patience)
    return Plan(Source.STALE if refresh else Source.LIVE, refresh, patience)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`most` at once, and as many again in every `period_ms`, evenly."""

    most: int
    period_ms: int = 600_000

    @property
    def interval_ms(self) -> int:
        """The time in which one wears off."""
        return self.period_ms // self.most


class RateLimitedError(Exception):
    """Too many came from one network."""

    def __init__(self, wait_ms: int) -> None:
        self.retry_after_seconds = math.ceil(wait_ms / 1000)
        wait = length_of_time(timedelta(seconds=self.retry_after_seconds))
        super().__init__(f"Too many came from your network just now. Please try again in {wait}.")


def admit(due: int, now: int, limit: RateLimit) -> tuple[int, int]:
    """The generic cell rate algorithm (GCRA, of ITU-T I.371), in milliseconds.

    `due` is the instant at which all that was let through has worn off. The new one, and how long
    to wait: 0 for who is let through.
    """
    after = max(due, now) + limit.interval_ms
    wait = after - now - limit.period_ms
    return (due, wait) if wait > 0 else (after, 0)


def network_of(address: str) -> str:
    """Whom a client's address stands for: of IPv6 every subscriber has a whole /64."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found
    return str(ip_network((found, 32 if found.version == 4 else 64), strict=False))


def zone_named(name: str) -> ZoneInfo | None:
    """The time zone with this IANA name; None where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def safe_next(path: str | None, otherwise: str = "/") -> str:
    """`path` if it leads to a page of ours, so that no link can send a visitor elsewhere."""
    if path is None or len(path) > MAX_NEXT_LENGTH or "\\" in path or not path.isprintable():
        return otherwise
    if not path.startswith("/") or path.startswith("//"):
        return otherwise
    parts = urlsplit(path)
    return otherwise if parts.scheme or parts.netloc else path


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether an Accept-Encoding header takes gzip (RFC 9110: `;q=0` is a refusal)."""
    for each in accept_encoding.lower().split(","):
        coding, _, quality = each.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def has_etag(if_none_match: str, etag: str) -> bool:
    """Return whether an If-None-Match header names `etag`, by the weak comparison that GET uses."""
    if if_none_match.strip() == "*":
        return True
    wanted = etag.removeprefix("W/")
    return any(each.strip().removeprefix("W/") == wanted for each in if_none_match.split(","))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in. Their roles decide what pages show; what they may do is decided
    by the services, who read it in the access token.
    """

    subject: str
    name: str
    roles: frozenset[str]
    handle: str
    """Under which the site keeps their tokens; it says nothing to anybody else."""

    @property
    def is_organizer(self) -> bool:
        """True when they decide."""
        return ORGANIZER in self.roles

    @property
    def is_reviewer(self) -> bool:
        """True when they review."""
        return REVIEWER in self.roles


@dataclass(frozen=True, slots=True)
class Tokens:
    """The provider's tokens of a session; times are in seconds since 1970."""

    access: str
    refresh: str | None
    id: str | None
    replace_at: float
    ends_at: float


def is_identifier(text: str) -> bool:
    """Return whether `text` may stand in a path that goes on to a service, and mean no other."""
    return _IDENTIFIER.fullmatch(text) is not None

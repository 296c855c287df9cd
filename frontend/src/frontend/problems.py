"""The problem types of the frontend's own answers, and the exceptions that become them."""

from frontend.domain import RateLimitedError
from servicekit.problems import ProblemType

RATE_LIMITED = ProblemType(
    "rate-limited",
    429,
    "Too many requests",
    "Send it again after `Retry-After` seconds, with the same Idempotency-Key.",
)
CROSS_SITE = ProblemType(
    "cross-site",
    403,
    "Another site may not change anything here",
    "Send the request from a page of this site, or from a program that is no browser.",
)

PROBLEMS: dict[type[Exception], ProblemType] = {RateLimitedError: RATE_LIMITED}
"""The problem that a client gets for an exception."""

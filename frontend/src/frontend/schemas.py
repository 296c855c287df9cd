"""What the gateway answers itself."""

from servicekit.problems import ProblemType

CROSS_SITE = ProblemType(
    "cross-site",
    403,
    "Another site may not change anything here",
    "Send the request from a page of this site, or from a program that is no browser.",
)

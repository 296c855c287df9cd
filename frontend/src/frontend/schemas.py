"""What the gateway answers itself."""

from servicekit.problems import ProblemType

CROSS_SITE = ProblemType(
    "cross-site",
    403,
    "Another site may not change anything here",
    "Send the request from a page of this site, or from a program that is no browser.",
)
URI_TOO_LONG = ProblemType(
    "uri-too-long", 414, "The address is too long", "Shorten the query; the limit is in `detail`."
)

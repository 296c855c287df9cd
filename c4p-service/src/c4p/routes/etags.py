"""ETags of proposals: the version in quotes."""

import re

_TAGS = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_VERSION = re.compile(r"[1-9]\d{0,8}", re.ASCII)


def etag(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def versions_in(if_match: str) -> frozenset[int] | None:
    """Return the versions that the ETags of an If-Match name (RFC 9110, 13.1.1).

    None is any, for `*`. A foreign ETag names no version, and a weak one neither: the comparison
    has to be a strong one.
    """
    if if_match.strip() == "*":
        return None
    tags = (text for weak, text in _TAGS.findall(if_match) if not weak)
    return frozenset(int(each) for each in tags if _VERSION.fullmatch(each))

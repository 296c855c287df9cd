"""Rules of versions: their order, and which one is next."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from delivery.commits import Level

FORM = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A semantic version."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    def raised(self, level: Level) -> "Version":
        """Return the next version of a level."""
        match level:
            case Level.MAJOR:
                return Version(self.major + 1, 0, 0)
            case Level.MINOR:
                return Version(self.major, self.minor + 1, 0)
            case Level.PATCH:
                return Version(self.major, self.minor, self.patch + 1)


def parsed(text: str) -> Version | None:
    """Return a version, or None of what is none."""
    found = FORM.fullmatch(text)
    return Version(*map(int, found.groups())) if found else None


def tag_of(service: str, version: "Version | str") -> str:
    """Return the tag that names a version of a service."""
    return f"{service}/v{version}"


def versions_of(service: str, tags: Iterable[str]) -> frozenset[Version]:
    """Return the versions of a service that tags name; a tag of another form names none."""
    prefix = tag_of(service, "")
    found = (parsed(each.removeprefix(prefix)) for each in tags if each.startswith(prefix))
    return frozenset(each for each in found if each)


def next_version(previous: Version, levels: Iterable[Level], taken: Collection[Version]) -> Version:
    """Return the version after `previous` that commits of these levels lead to.

    A version that is `taken`, as on another branch, has another content.
    """
    return free(previous.raised(max(levels, default=Level.PATCH)), taken)


def free(version: Version, taken: Collection[Version]) -> Version:
    """Return this version, or the first patch after it that nothing has yet."""
    while version in taken:
        version = version.raised(Level.PATCH)
    return version

"""What each image installs: the part of requirements.lock that its service needs, with hashes."""

from collections.abc import Iterator, Mapping
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = "requirements.lock"
SERVICES = (
    "agenda-service",
    "c4p-service",
    "consistency-job",
    "development-provider",
    "email-service",
    "frontend",
)
OWN = frozenset({"service-kit", *SERVICES})
"""Packages of this repository, which an image has from its own sources."""
IN_AN_IMAGE: Mapping[str, str] = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.13.0",
    "python_version": "3.13",
    "sys_platform": "linux",
}
BUILD = ("uv-build",)
"""What the packages of this repository are installed with, and no image keeps."""


def service_locks() -> Mapping[Path, str]:
    """The file of each service as it should be, and the one of what builds them all."""
    locked = _locked((ROOT / LOCK).read_text())
    files = {ROOT / each / LOCK: _lock(locked, _needed(each)) for each in SERVICES}
    return {**files, ROOT / "build.lock": _lock(locked, BUILD)}


def _lock(locked: Mapping[str, str], names: tuple[str, ...] | set[str]) -> str:
    return "".join(locked[name] for name in sorted(names))


def _locked(text: str) -> Mapping[str, str]:
    """The lines of each package; of several versions the one that an image takes."""
    found = {}
    for entry in text.replace("\\\n", "\\").splitlines():
        requirement = Requirement(entry.partition("\\")[0].partition("--hash")[0])
        if requirement.marker is None or requirement.marker.evaluate(dict(IN_AN_IMAGE)):
            found[canonicalize_name(requirement.name)] = entry.replace("\\", "\\\n") + "\n"
    return found


def _needed(service: str) -> set[str]:
    """The packages that `service` needs, and those need, by what their installed versions say."""
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(service)]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += _requirements(name, extra)
    return {name for name, _ in seen} - OWN


def _requirements(name: str, extra: str) -> Iterator[Requirement]:
    for line in requires(name) or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or marker.evaluate({**IN_AN_IMAGE, "extra": extra}):
            yield requirement

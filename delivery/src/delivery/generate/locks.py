"""What each image installs: the part of requirements.lock that is needed in it, with hashes."""

import ast
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from delivery.repository import ROOT

LOCK = "requirements.lock"
SERVICES = (
    "agenda-service",
    "c4p-service",
    "consistency-job",
    "development-provider",
    "email-service",
    "frontend",
)
ROOTS: Mapping[str, tuple[str, ...]] = {
    **{each: (each,) for each in SERVICES},
    "tests/load": ("httpx2", "locust"),
}
"""What is wanted in the image of each folder."""
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
    """The file of each image as it should be, and the one of what builds their own packages."""
    locked = _locked((ROOT / LOCK).read_text())
    files = {ROOT / folder / LOCK: _lock(locked, _needed(roots)) for folder, roots in ROOTS.items()}
    return {**files, ROOT / "build.lock": _lock(locked, BUILD)}


def undeclared() -> Iterator[str]:
    """Imports of what a service has here by chance, since another one needs it."""
    owners = packages_distributions()
    for service in SERVICES:
        has = _needed((service,)) | {service, "service-kit"}
        for file in sorted((ROOT / service / "src").rglob("*.py")):
            for name in sorted(_imported(file)):
                if name in owners and not {canonicalize_name(each) for each in owners[name]} & has:
                    yield f"{file.relative_to(ROOT)} imports {name}, which {service} does not need."


def _imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def _lock(locked: Mapping[str, str], names: tuple[str, ...] | set[str]) -> str:
    return "".join(locked[name] for name in sorted(names))


def _locked(text: str) -> Mapping[str, str]:
    """The lines of each package; of several versions the one that an image takes."""
    found: dict[str, str] = {}
    for entry in text.replace("\\\n", "\\").splitlines():
        requirement = Requirement(entry.partition("\\")[0].partition("--hash")[0])
        if requirement.marker is None or requirement.marker.evaluate(dict(IN_AN_IMAGE)):
            found[canonicalize_name(requirement.name)] = entry.replace("\\", "\\\n") + "\n"
    return found


def _needed(roots: tuple[str, ...]) -> set[str]:
    """These packages and what they need, and so on, by what their installed versions say."""
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(each) for each in roots]
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

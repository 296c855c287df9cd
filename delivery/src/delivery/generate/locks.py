"""The locks of each image and of the tests of each service, with hashes.

Each is the part of requirements.lock that is needed there, so that all have the same versions.
"""

import ast
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from delivery.repository import ROOT

LOCK = "requirements.lock"
TEST_LOCK = "requirements-test.lock"
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
OWN = frozenset({"service-kit", "testkit", *SERVICES})
"""Packages of this repository, which are installed from its own sources."""
IN_AN_IMAGE: Mapping[str, str] = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.13.0",
    "python_version": "3.13",
    "sys_platform": "linux",
}
SYSTEMS = {"linux": "Linux", "darwin": "Darwin"}
"""Where tests run, by the two names that markers have for it."""
IN_TESTS = tuple(
    {
        **IN_AN_IMAGE,
        "python_full_version": f"{version}.0",
        "python_version": version,
        "sys_platform": system,
        "platform_system": name,
    }
    for version in ("3.11", "3.12", "3.13", "3.14")
    for system, name in SYSTEMS.items()
)
BUILD = ("uv-build",)
"""What the packages of this repository are installed with, and no image keeps."""
INSTALLER = ("uv",)
Environments = Sequence[Mapping[str, str]]


def service_locks() -> Mapping[Path, str]:
    """Return the text of every lock: of images, of what builds our packages in them, of tests."""
    locked = _locked((ROOT / LOCK).read_text())
    image = (IN_AN_IMAGE,)
    return {
        **{
            ROOT / folder / LOCK: _lock(locked, _needed(roots, image), image)
            for folder, roots in ROOTS.items()
        },
        ROOT / "build.lock": _lock(locked, BUILD, image),
        **{ROOT / service / TEST_LOCK: _test_lock(locked, service) for service in SERVICES},
    }


def _test_lock(locked: "Locked", service: str) -> str:
    project = tomllib.loads((ROOT / service / "pyproject.toml").read_text())
    needed = _needed((service, *project["dependency-groups"]["test"]), IN_TESTS)
    return _lock(locked, needed | {*BUILD, *INSTALLER}, IN_TESTS)


def undeclared() -> Iterator[str]:
    """Imports of what a service has here by chance, since another one needs it."""
    owners = packages_distributions()
    for service in SERVICES:
        has = _needed((service,), (IN_AN_IMAGE,)) | {service, "service-kit"}
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


Locked = Mapping[str, Sequence[tuple[Requirement, str]]]
"""The entries of each package: there may be several, each for other environments."""


def _lock(locked: Locked, names: Iterable[str], environments: Environments) -> str:
    return "".join(
        text
        for name in sorted(names)
        for requirement, text in locked[name]
        if _holds(requirement, environments)
    )


def _locked(text: str) -> Locked:
    found: dict[str, list[tuple[Requirement, str]]] = {}
    for entry in text.replace("\\\n", "\\").splitlines():
        requirement = Requirement(entry.partition("\\")[0].partition("--hash")[0])
        whole = entry.replace("\\", "\\\n") + "\n"
        found.setdefault(canonicalize_name(requirement.name), []).append((requirement, whole))
    return found


def _needed(roots: tuple[str, ...], environments: Environments) -> set[str]:
    """Return these packages and what they need, and so on, by what their installed versions say."""
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(each) for each in roots]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += _requirements(name, extra, environments)
    return {name for name, _ in seen} - OWN


def _requirements(name: str, extra: str, environments: Environments) -> Iterator[Requirement]:
    try:
        lines = requires(name) or ()
    except PackageNotFoundError:
        # It is wanted by another version of Python or another system: backports, with no needs.
        lines = ()
    for line in lines:
        requirement = Requirement(line)
        if _holds(requirement, environments, extra):
            yield requirement


def _holds(requirement: Requirement, environments: Environments, extra: str = "") -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**each, "extra": extra}) for each in environments)

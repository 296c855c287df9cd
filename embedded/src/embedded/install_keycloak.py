"""Puts Keycloak into the project folder, ready to start; does nothing where that is done.

The archive comes from Maven Central by Maven, as that is set up on this machine; where there is no
Maven, KEYCLOAK_ZIP names the file.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from hashlib import file_digest
from pathlib import Path

from embedded.keycloak import BUILT, BUILT_FOR, INSTALLED, VERSION, KeycloakError, command, java

SHA256 = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"
"""Of the archive that Maven Central has under this version."""
ARCHIVE = f"keycloak-quarkus-dist-{VERSION}.zip"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy"
OLDEST_JAVA = 17
_JAVA_VERSION = re.compile(r'version "(\d+)')


def main() -> None:
    """Install, or end with a sentence that says what is missing."""
    try:
        install()
    except KeycloakError as error:
        sys.exit(str(error))


def install() -> None:
    """Fetch, check, unpack and build Keycloak; KeycloakError when any of it can't be done."""
    if BUILT.exists():
        return
    _check_java()
    with tempfile.TemporaryDirectory() as folder:
        archive = _archive(Path(folder))
        _check(archive)
        _unpack(archive)
    _run("Keycloak can't be built", command(INSTALLED, "build", *BUILT_FOR))
    BUILT.touch()


def _check_java() -> None:
    said = _run("Java does not start", [java(), "-version"])
    found = _JAVA_VERSION.search(said)
    if found is None or int(found[1]) < OLDEST_JAVA:
        raise KeycloakError(
            f"Keycloak {VERSION} needs Java {OLDEST_JAVA} or later, and {java()} is "
            f"{found[1] if found else 'of no version known here'}; JAVA_HOME may name another."
        )


def _archive(folder: Path) -> Path:
    if named := os.environ.get("KEYCLOAK_ZIP"):
        return Path(named)
    maven = shutil.which("mvn")
    if maven is None:
        raise KeycloakError(
            f"Maven, which fetches Keycloak {VERSION}, is not here: install it (on Debian the "
            f"package maven), or let KEYCLOAK_ZIP name {ARCHIVE} of Maven Central."
        )
    artifact = f"-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
    fetching = [maven, "--batch-mode", "--quiet", COPY, artifact, f"-DoutputDirectory={folder}"]
    _run(f"Maven can't fetch Keycloak {VERSION}", fetching)
    return folder / ARCHIVE


def _check(archive: Path) -> None:
    try:
        with archive.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise KeycloakError(f"{archive} can't be read: {error.strerror}.") from error
    if digest != SHA256:
        raise KeycloakError(
            f"{archive} is not the archive of Keycloak {VERSION} that is expected here: its "
            f"SHA-256 is {digest}."
        )


def _unpack(archive: Path) -> None:
    shutil.rmtree(INSTALLED, ignore_errors=True)
    with zipfile.ZipFile(archive) as packed:
        # Everything in it is in one folder, which is called as INSTALLED is.
        packed.extractall(INSTALLED.parent)


def _run(failure: str, asked: list[str]) -> str:
    """Return the output of a command; KeycloakError with the line that tells why when it fails."""
    ended = subprocess.run(  # noqa: S603 - found by us
        asked, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if ended.returncode != 0:
        lines = ended.stdout.strip().splitlines() or ["it said nothing"]
        # Maven and Keycloak end with how to ask for more; the error itself comes first.
        reason = next((line for line in lines if "ERROR" in line), lines[-1])
        raise KeycloakError(f"{failure}: {reason.strip()}")
    return ended.stdout


if __name__ == "__main__":
    main()

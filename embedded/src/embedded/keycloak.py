"""Keycloak as a program: a real OpenID provider with the realm of the conference."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from embedded.home import PROJECT
from embedded.services import SERVICE_ROLES
from testkit.process import Program, answers
from testkit.service import Identities

VERSION = "26.7.3"
INSTALLED = PROJECT / ".local" / f"keycloak-{VERSION}"
"""Where `embedded.install_keycloak` puts it; it writes nothing there when it runs."""
BUILT = INSTALLED / "built"
"""Written last: without it the installation was interrupted."""
BUILT_FOR = ("--db=dev-file",)
"""The options that Keycloak compiles in, so that a start need not do it."""
REALM = PROJECT / "environments" / "local" / "keycloak" / "conference-realm.json"
PEOPLE = {"olga": "organizer", "rita": "reviewer", "sam": ""}
"""Who is in the realm file, and the role of each; without one they are speakers."""
ADMINISTRATOR = "admin"

# The options of Keycloak's own start script, less the shell in between: a signal reaches Java. The
# compiler that thinks less starts a third sooner, and nobody measures anything here.
_MEMORY = ("-Xms64m", "-Xmx384m", "-XX:MaxMetaspaceSize=256m", "-XX:+ExitOnOutOfMemoryError")
_QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_OPENED = ("java.util", "java.util.concurrent", "java.security", "java.lang")
_QUARKUS = (
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
    "--enable-native-access=ALL-UNNAMED",
    "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
)


class KeycloakError(Exception):
    """Keycloak can't be had or started here; the message is a sentence that says why."""


def java() -> str:
    """The path of Java: that of JAVA_HOME, else the one on the PATH; KeycloakError without."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else None)
    if found is None:
        raise KeycloakError(
            f"Keycloak {VERSION} needs Java 17 or later, and there is none"
            f"{f' in {home}/bin' if home else ''}: install one (on Debian the package "
            "openjdk-17-jre-headless), or let JAVA_HOME name its folder."
        )
    return found


def command(home: Path, *arguments: str) -> list[str]:
    """Return what runs Keycloak's command line on the data and the library of `home`."""
    library = ("-cp", str(home / "lib" / "quarkus-run.jar"))
    main = "io.quarkus.bootstrap.runner.QuarkusEntryPoint"
    options = (*_MEMORY, *_QUICK, *_QUARKUS, f"-Dkc.home.dir={home}")
    return [java(), *options, *library, main, *arguments]


def keycloak(
    port: int, *, passcode: str, client_key: str, data: Path, env: Mapping[str, str] = {}
) -> Program:
    """Keycloak on 127.0.0.1, its database under `data`; the first start makes the realm.

    Everybody in the realm, and Keycloak's administrator, has `passcode` as password; `env` adds to
    or overrides the environment. KeycloakError where it is not installed.
    """
    if not BUILT.exists():
        raise KeycloakError("Keycloak is not installed here; `make keycloak` does that.")
    has_started = data / "has-started"
    if not has_started.exists():
        # H2 can't take back half of a new schema, so what an interrupted first start has left
        # would never start again.
        shutil.rmtree(data, ignore_errors=True)
    _lay_out(data)
    url = f"http://127.0.0.1:{port}"
    identities = Identities(f"{url}/realms/conference", client_key)

    def is_ready() -> bool:
        if not answers(f"{identities.issuer}/.well-known/openid-configuration"):
            return False
        has_started.touch()
        return True

    listens = (f"--http-port={port}", "--http-host=127.0.0.1", f"--hostname={url}")
    alone = ("--http-enabled=true", "--cache=local")
    return Program(
        name="keycloak",
        command=command(data, "start", "--optimized", "--import-realm", *listens, *alone),
        is_ready=is_ready,
        env={
            **{_placeholder(client): identities.secret(client) for client in SERVICE_ROLES},
            "PEOPLE_PASSWORD": passcode,
            "KC_BOOTSTRAP_ADMIN_USERNAME": ADMINISTRATOR,
            "KC_BOOTSTRAP_ADMIN_PASSWORD": passcode,
            **env,
        },
        url=identities.issuer,
    )


def _lay_out(data: Path) -> None:
    """Return what Keycloak looks for in its own folder: its library, and the realms to be made."""
    imports = data / "data" / "import"
    imports.mkdir(parents=True, exist_ok=True)
    shutil.copy(REALM, imports)
    library = data / "lib"
    library.unlink(missing_ok=True)
    library.symlink_to(INSTALLED / "lib")


def _placeholder(client: str) -> str:
    """The name by which the realm file refers to a client's secret."""
    return f"{client.upper().replace('-', '_')}_CLIENT_SECRET"

"""The platform's own services as programs: the one place that knows their environment here."""

import sys
from collections.abc import Mapping
from pathlib import Path

from embedded.process import Program, answers

SCHEDULE = Path(__file__).with_name("conference.toml")
CONFERENCE = "Example Conference 2027"
ORGANIZERS = "organizers@example.org"


def _service(name: str, module: str, port: int, env: Mapping[str, str]) -> Program:
    url = f"http://127.0.0.1:{port}"
    own = {"PROFILE": "development", "PORT": str(port), "SHUTDOWN_GRACE_SECONDS": "5"}
    return Program(
        name=name,
        command=[sys.executable, "-m", module],
        is_ready=lambda: answers(f"{url}/readyz"),
        env={**own, **env},
        url=url,
    )


def agenda(
    port: int,
    metrics_port: int,
    valkey_url: str,
    schedule: Path = SCHEDULE,
    env: Mapping[str, str] = {},
) -> Program:
    """agenda-service; `env` adds to or overrides its settings."""
    own = {
        "METRICS_PORT": str(metrics_port),
        "VALKEY_URL": valkey_url,
        "SCHEDULE_FILE": str(schedule),
    }
    return _service("agenda-service", "agenda.main", port, {**own, **env})


def email(
    port: int, metrics_port: int, valkey_url: str, smtp_port: int, env: Mapping[str, str] = {}
) -> Program:
    """email-service; `env` adds to or overrides its settings."""
    own = {
        "METRICS_PORT": str(metrics_port),
        "VALKEY_URL": valkey_url,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(smtp_port),
        "SMTP_TLS": "none",
        "MAIL_FROM": "conference@example.org",
        "CONFERENCE_NAME": CONFERENCE,
    }
    return _service("email-service", "email_service.main", port, {**own, **env})


def c4p(
    port: int,
    metrics_port: int,
    *,
    database_url: str,
    urls: Mapping[str, str],
    link_key: str,
    env: Mapping[str, str] = {},
) -> Program:
    """c4p-service; `urls` has `agenda`, `email` and `public`; `env` adds or overrides."""
    own = {
        "METRICS_PORT": str(metrics_port),
        "DATABASE_URL": database_url,
        "AGENDA_URL": urls["agenda"],
        "EMAIL_URL": urls["email"],
        "PUBLIC_URL": urls["public"],
        "LINK_KEY": link_key,
    }
    return _service("c4p-service", "c4p.main", port, {**own, **env})


def frontend(
    port: int,
    metrics_port: int,
    *,
    urls: Mapping[str, str],
    data: Path,
    secrets: Mapping[str, str],
    env: Mapping[str, str] = {},
) -> Program:
    """frontend; `urls` has `agenda`, `c4p` and `email`; `secrets` has `session` and `passcode`."""
    own = {
        "METRICS_PORT": str(metrics_port),
        "AGENDA_URL": urls["agenda"],
        "C4P_URL": urls["c4p"],
        "EMAIL_URL": urls["email"],
        "SESSION_KEY": secrets["session"],
        "SIGN_IN_PASSCODE": secrets["passcode"],
        "DATA_DIR": str(data),
        "CONFERENCE_NAME": CONFERENCE,
    }
    return _service("frontend", "frontend.main", port, {**own, **env})


def migration(database_url: str) -> Program:
    """Brings c4p-service's database to its newest form, then ends."""
    return Program(
        name="migration",
        command=[sys.executable, "-m", "c4p.migrate"],
        is_ready=lambda: True,
        env={"DATABASE_URL": database_url},
    )


def consistency(
    every_seconds: int, *, urls: Mapping[str, str], env: Mapping[str, str] = {}
) -> Program:
    """consistency-job, repairing; `urls` has `agenda`, `c4p`, `email` and `public`."""
    own = {
        "PROFILE": "development",
        "AGENDA_URL": urls["agenda"],
        "C4P_URL": urls["c4p"],
        "EMAIL_URL": urls["email"],
        "PUBLIC_URL": urls["public"],
        "ORGANIZERS_EMAIL": ORGANIZERS,
    }
    return Program(
        name="consistency-job",
        command=[
            *(sys.executable, "-m", "consistency.main"),
            *("--repair", "--every", str(every_seconds)),
        ],
        is_ready=lambda: True,
        env={**own, **env},
    )

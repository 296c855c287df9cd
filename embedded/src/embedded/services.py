"""The platform's own services as programs: the one place that knows their environment here."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from testkit.process import Program
from testkit.service import Identities, service

SCHEDULE = Path(__file__).with_name("conference.toml")
CONFERENCE = "Example Conference 2027"
ORGANIZERS = "organizers@example.org"

SERVICE_ROLES = {
    "frontend": (),
    "c4p-service": ("agenda-writer", "mail-sender"),
    "consistency-job": ("auditor", "repairer", "mail-sender"),
}
"""What each program may do that calls services in its own name."""
SCOPES = ("conference", "conference-mail")
"""What they ask the provider for: to call whom people call too, or email-service."""
CALLBACK = "/sign-in/callback"


def agenda(
    port: int,
    metrics_port: int,
    valkey_url: str,
    identities: Identities,
    schedule: Path = SCHEDULE,
    env: Mapping[str, str] = {},
) -> Program:
    """agenda-service; `env` adds to or overrides its settings."""
    own = {
        **identities.verifying,
        "METRICS_PORT": str(metrics_port),
        "VALKEY_URL": valkey_url,
        "SCHEDULE_FILE": str(schedule),
    }
    return service("agenda-service", "agenda.main", port, {**own, **env})


def email(
    port: int,
    metrics_port: int,
    valkey_url: str,
    smtp_port: int,
    identities: Identities,
    env: Mapping[str, str] = {},
) -> Program:
    """email-service; `env` adds to or overrides its settings."""
    own = {
        **identities.verifying,
        "METRICS_PORT": str(metrics_port),
        "VALKEY_URL": valkey_url,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(smtp_port),
        "SMTP_TLS": "none",
        "MAIL_FROM": "conference@example.org",
        "CONFERENCE_NAME": CONFERENCE,
    }
    return service("email-service", "email_service.main", port, {**own, **env})


def c4p(
    port: int,
    metrics_port: int,
    *,
    database_url: str,
    urls: Mapping[str, str],
    link_key: str,
    identities: Identities,
    env: Mapping[str, str] = {},
) -> Program:
    """c4p-service; `urls` has `agenda`, `email` and `public`; `env` adds or overrides."""
    own = {
        **identities.of("c4p-service"),
        "METRICS_PORT": str(metrics_port),
        "DATABASE_URL": database_url,
        "AGENDA_URL": urls["agenda"],
        "EMAIL_URL": urls["email"],
        "PUBLIC_URL": urls["public"],
        "LINK_KEY": link_key,
    }
    return service("c4p-service", "c4p.main", port, {**own, **env})


def frontend(
    port: int,
    metrics_port: int,
    *,
    urls: Mapping[str, str],
    data: Path,
    valkey_url: str,
    session_key: str,
    identities: Identities,
    env: Mapping[str, str] = {},
) -> Program:
    """frontend; `urls` has `agenda`, `c4p`, `email` and `public`; `env` adds or overrides."""
    own = {
        **identities.of("frontend"),
        "METRICS_PORT": str(metrics_port),
        "PUBLIC_URL": urls["public"],
        "VALKEY_URL": valkey_url,
        "AGENDA_URL": urls["agenda"],
        "C4P_URL": urls["c4p"],
        "EMAIL_URL": urls["email"],
        # On one machine everybody has the same address.
        "SUBMISSIONS_PER_TEN_MINUTES": "600000",
        "SIGN_INS_PER_TEN_MINUTES": "600000",
        "SESSION_KEY": session_key,
        "DATA_DIR": str(data),
        "CONFERENCE_NAME": CONFERENCE,
    }
    return service("frontend", "frontend.main", port, {**own, **env})


def provider(
    port: int,
    metrics_port: int,
    *,
    passcode: str,
    client_key: str,
    site: str,
    data: Path,
    env: Mapping[str, str] = {},
) -> Program:
    """The development provider, whose people return to `site`; `env` adds or overrides."""
    identities = Identities(f"http://127.0.0.1:{port}", client_key)
    clients = [
        {
            "id": name,
            "secret": identities.secret(name),
            "roles": roles,
            **({"scopes": SCOPES} if roles else {}),
            **({"redirect_uris": [f"{site}{CALLBACK}"]} if name == "frontend" else {}),
            **({"signed_out_uris": [f"{site}/"]} if name == "frontend" else {}),
        }
        for name, roles in SERVICE_ROLES.items()
    ]
    own = {
        "METRICS_PORT": str(metrics_port),
        "ISSUER": identities.issuer,
        "PASSCODE": passcode,
        "CLIENTS": json.dumps(clients),
        "DATA_DIR": str(data),
    }
    return service("development-provider", "development_provider.main", port, {**own, **env})


def migration(database_url: str) -> Program:
    """Brings c4p-service's database to its newest form, then ends."""
    return Program(
        name="migration",
        command=[sys.executable, "-m", "c4p.migrate"],
        is_ready=lambda: True,
        env={"DATABASE_URL": database_url},
    )


def consistency(
    every_seconds: int,
    *,
    urls: Mapping[str, str],
    identities: Identities,
    env: Mapping[str, str] = {},
) -> Program:
    """consistency-job, repairing; `urls` has `agenda`, `c4p`, `email` and `public`."""
    own = {
        **identities.of("consistency-job"),
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

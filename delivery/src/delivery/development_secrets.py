"""Rules of the Secrets of development: names, keys and values as charts/conference makes them."""

import json
import re
import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any

from delivery.problems import DeliveryError

GENERATED = "conference-generated"
"""The Secret with every random value, of which the others are made; it outlives them."""
STANDS_IN: Mapping[str, tuple[str, str]] = {
    "postgresql": ("postgresql", "password"),
    "valkey": ("valkey", "password"),
    "link-key": ("c4p-service", "LINK_KEY"),
    "session-key": ("frontend", "SESSION_KEY"),
    "passcode": ("development-provider", "PASSCODE"),
    "frontend": ("frontend", "OIDC_CLIENT_SECRET"),
    "c4p-service": ("c4p-service", "OIDC_CLIENT_SECRET"),
    "consistency-job": ("consistency-job", "OIDC_CLIENT_SECRET"),
}
"""The Secret and the key in which each random value is used as it is."""
SCOPES = ("conference", "conference-mail")
LETTERS = string.ascii_letters + string.digits
LENGTH = 40
ADDRESS = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")

Texts = Mapping[str, str]
Secrets = Mapping[str, Texts]
"""The texts of Secrets by their keys, by the names of the Secrets."""


def random_value() -> str:
    """Return a value that nobody guesses, and that services refuse in production."""
    return "development-" + "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def site(public_url: str) -> str:
    """Return the site's address without a slash at its end; DeliveryError if it is none."""
    if not ADDRESS.fullmatch(public_url):
        raise DeliveryError(
            f"The public URL {public_url!r} is not as http://conference.example.org."
        )
    return public_url.rstrip("/")


def chosen(there: Secrets, make: Callable[[], str] = random_value) -> Texts:
    """Return every random value: as Secrets that are there have it, or a new one."""
    return {
        name: there.get(GENERATED, {}).get(name) or there.get(secret, {}).get(key) or make()
        for name, (secret, key) in STANDS_IN.items()
    }


def secrets_of(made: Texts, public_url: str) -> Secrets:
    """Return all Secrets that random values make, the one to be made first at the beginning."""
    address = site(public_url)
    valkey = {"VALKEY_URL": f"redis://:{made['valkey']}@valkey:6379/0"}
    clients = [
        {
            "id": "frontend",
            "secret": made["frontend"],
            "redirect_uris": [f"{address}/sign-in/callback"],
            "signed_out_uris": [f"{address}/"],
        },
        _machine("c4p-service", made, "agenda-writer", "mail-sender"),
        _machine("consistency-job", made, "auditor", "repairer", "mail-sender"),
    ]
    return {
        GENERATED: made,
        "postgresql": {"password": made["postgresql"]},
        "valkey": {"password": made["valkey"]},
        "agenda-service": valkey,
        "email-service": valkey,
        "frontend": {
            **valkey,
            "OIDC_CLIENT_SECRET": made["frontend"],
            "SESSION_KEY": made["session-key"],
        },
        "c4p-service": {
            "DATABASE_URL": f"postgresql://conference:{made['postgresql']}@postgresql:5432/c4p",
            "OIDC_CLIENT_SECRET": made["c4p-service"],
            "LINK_KEY": made["link-key"],
        },
        "consistency-job": {"OIDC_CLIENT_SECRET": made["consistency-job"]},
        "development-provider": {"PASSCODE": made["passcode"], "CLIENTS": json.dumps(clients)},
    }


def _machine(name: str, made: Texts, *roles: str) -> dict[str, Any]:
    return {"id": name, "secret": made[name], "roles": list(roles), "scopes": list(SCOPES)}


def manifest(name: str, texts: Texts) -> dict[str, Any]:
    """Return a Secret as Kubernetes takes it."""
    labels = {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": "conference",
        "app.kubernetes.io/managed-by": "delivery",
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": labels},
        "type": "Opaque",
        "stringData": dict(texts),
    }


def lacking(there: Texts, wanted: Texts) -> tuple[str, ...]:
    """Return the keys that a Secret does not have, and should."""
    return tuple(sorted(wanted.keys() - there.keys()))

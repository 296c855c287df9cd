"""The parts of the platform, their order and their settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embedded import prometheus, services, trace_page
from embedded.home import Secrets
from embedded.keycloak import keycloak
from testkit.backing import mail_sink, postgres, valkey
from testkit.process import Program
from testkit.service import Identities

CONSISTENCY_SECONDS = 60
PROVIDERS = {"development": "development-provider", "keycloak": "keycloak"}
"""The program that signs people in, by what AUTH may be."""


@dataclass(frozen=True, slots=True)
class Step:
    """A program, and what has to be ready before it starts."""

    program: Program
    stage: str
    """Those of one stage are stopped together, the last stage of the plan first."""
    after: tuple[str, ...] = ()
    runs_once: bool = False

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name


def plan(
    data: Path,
    ports: Mapping[str, int],
    secrets: Secrets,
    *,
    auth: str,
    schedule: Path,
    env: Mapping[str, Mapping[str, str]],
    observe: bool = False,
) -> list[Step]:
    """The whole platform; `env` adds to or overrides settings, by the program's name.

    To `observe` it, all its traces go to a page and all its metrics to Prometheus.
    `auth` is a key of PROVIDERS. KeycloakError where it names Keycloak and there is none.
    """
    backing = [
        postgres(data / "postgres", ports["postgres"]),
        valkey(data / "valkey", ports["valkey"]),
        mail_sink(data / "mail", ports["smtp"], ports["mail"]),
    ]
    database, store, mail = (program.url for program in backing)
    urls = {name: f"http://127.0.0.1:{ports[name]}" for name in ("agenda", "c4p", "email")}
    urls["public"] = f"http://127.0.0.1:{ports['site']}"
    site_data = data / "site"
    site_data.mkdir(parents=True, exist_ok=True)

    observers = _observers(data, ports) if observe else []
    otel = {"OTEL_EXPORTER_OTLP_ENDPOINT": observers[0].program.url} if observe else {}

    def own(name: str) -> Mapping[str, str]:
        return {**otel, **env.get(name, {})}

    provider = _provider(
        auth, ports, secrets, site=urls["public"], data=data, env=own(PROVIDERS[auth])
    )
    identities = Identities(provider.url, secrets.client_key)
    migration = services.migration(database)
    c4p = services.c4p(
        ports["c4p"],
        ports["c4p_metrics"],
        database_url=database,
        urls=urls,
        link_key=secrets.link_key,
        identities=identities,
        env=own("c4p-service"),
    )
    agenda = services.agenda(
        ports["agenda"],
        ports["agenda_metrics"],
        store,
        identities,
        schedule,
        own("agenda-service"),
    )
    email = services.email(
        ports["email"],
        ports["email_metrics"],
        store,
        ports["smtp"],
        identities,
        own("email-service"),
    )
    frontend = services.frontend(
        ports["site"],
        ports["site_metrics"],
        urls=urls,
        data=site_data,
        valkey_url=store,
        session_key=secrets.session_key,
        identities=identities,
        env={"MAIL_PAGE_URL": mail, **own("frontend")},
    )
    job = services.consistency(
        CONSISTENCY_SECONDS, urls=urls, identities=identities, env=own("consistency-job")
    )
    steps = [
        *observers,
        *(Step(program, "backing") for program in backing),
        Step(provider, "identity"),
        Step(migration, "migration", after=("postgres",), runs_once=True),
        Step(agenda, "receivers", after=("valkey",)),
        Step(email, "receivers", after=("valkey",)),
        Step(c4p, "proposals", after=("migration",)),
        Step(frontend, "site"),
    ]
    everything = tuple(step.name for step in steps)
    return [*steps, Step(job, "job", after=everything)]


def _observers(data: Path, ports: Mapping[str, int]) -> list[Step]:
    targets = {
        "frontend": ports["site_metrics"],
        "c4p-service": ports["c4p_metrics"],
        "agenda-service": ports["agenda_metrics"],
        "email-service": ports["email_metrics"],
    }
    programs = (
        trace_page.program(ports["traces"]),
        prometheus.program(data / "prometheus", ports["prometheus"], targets),
    )
    # Stopped last, so that they see the others stop.
    return [Step(program, "observers") for program in programs]


def _provider(
    auth: str,
    ports: Mapping[str, int],
    secrets: Secrets,
    *,
    site: str,
    data: Path,
    env: Mapping[str, str],
) -> Program:
    if auth == "keycloak":
        return keycloak(
            ports["provider"],
            passcode=secrets.passcode,
            client_key=secrets.client_key,
            data=data / "keycloak",
            env=env,
        )
    return services.provider(
        ports["provider"],
        ports["provider_metrics"],
        passcode=secrets.passcode,
        client_key=secrets.client_key,
        site=site,
        data=data / "provider",
        env=env,
    )

"""The environment, typed: a missing or wrong value stops the start with one sentence."""

import socket
import sys
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    Field,
    PostgresDsn,
    RedisDsn,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0.001, le=86_400, allow_inf_nan=False)]
"""A length of time in seconds, a millisecond to a day."""

EXAMPLE_PREFIX = "development-"
"""How every secret begins that is written down in this repository, passwords in addresses too."""


def _secrets_in(value: object) -> list[str]:
    """The secrets of a setting: itself, or the passwords in an address."""
    match value:
        case SecretStr():
            return [value.get_secret_value()]
        case PostgresDsn():
            # libpq takes it as a parameter too.
            said = [each["password"] or "" for each in value.hosts()]
            said += [text for name, text in value.query_params() if name == "password"]
        case RedisDsn():
            said = [value.password or ""]
        case _:
            return []
    return [unquote(each) for each in said]


class Settings(BaseSettings):
    """The settings of every process, from its environment; a service adds its own fields.

    A field's description is what a person reads when the value is missing or wrong.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    profile: Literal["development", "production"] = Field(
        "production", description="either development or production"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error"
    )
    service_version: str = Field("unknown", description="its version, which its image sets")
    service_source: str = Field(
        "unknown", description="the commit that it is made from, which its image sets"
    )
    pod_id: str = Field("local", description="the pod's name")
    pod_namespace: str = Field("local", description="the pod's namespace")
    pod_node_name: str = Field("local", description="the node's name")
    otel_exporter_otlp_endpoint: str | None = Field(
        None, description="where traces go (OTLP over HTTP); no value means no traces"
    )
    otel_sample_ratio: float = Field(
        1.0, ge=0, le=1, description="the share of new traces that are kept, 0 to 1"
    )

    @model_validator(mode="after")
    def _secrets_are_own(self) -> Self:
        for name in type(self).model_fields:
            secrets = _secrets_in(getattr(self, name))
            is_example = any(each.startswith(EXAMPLE_PREFIX) for each in secrets)
            if self.profile == "production" and is_example:
                raise ValueError(
                    f"The setting {name.upper()} is an example that everybody can read: "
                    "production needs a secret of its own."
                )
        return self


class ServerSettings(Settings):
    """The settings of every process that answers HTTP."""

    host: str = Field("127.0.0.1", description="the address to listen on")
    port: Port = Field(description="the port of the service, 1 to 65535")
    metrics_port: Port = Field(description="the port of /metrics, 1 to 65535")
    shutdown_grace_seconds: Seconds = Field(
        20, description="how long requests may take to finish after SIGTERM"
    )
    max_body_bytes: int = Field(65_536, ge=1, description="the largest request body in bytes")
    receive_seconds: Seconds = Field(
        20, description="how long a client may take to send a request, in seconds"
    )
    max_connections: int = Field(
        1_000, ge=1, description="how many clients are kept; who idles longest makes room for more"
    )

    connection_age_seconds: Seconds = Field(
        30,
        description="how long a connection to another service is used at most, in seconds; a pod "
        "that joins has its share of the requests after about twice that time",
    )
    fault_error_ratio: float = Field(
        0,
        ge=0,
        le=1,
        description="the share of requests that are answered with 500 on purpose, 0 to 1; "
        "never in production",
    )
    fault_delay_seconds: float = Field(
        0,
        ge=0,
        le=60,
        description="how long each request is delayed on purpose, in seconds, up to 60; "
        "never in production",
    )

    @model_validator(mode="after")
    def _production_has_no_faults_on_purpose(self) -> Self:
        for name in ("fault_error_ratio", "fault_delay_seconds"):
            if self.profile == "production" and getattr(self, name) > 0:
                raise ValueError(
                    f"The setting {name.upper()} makes requests fail or wait on purpose, "
                    "which production refuses."
                )
        return self

    @property
    def has_tls(self) -> bool:
        """True when people reach it by TLS alone, which every answer then tells their browsers."""
        return False


def issuer_address(url: str) -> str:
    """`url`, unchanged since issuers are compared to the letter, if it may be an issuer's."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("it must be an address as https://id.example.org/realms/conference")
    return url


class VerifyingSettings(Settings):
    """The settings of every process that verifies who calls it."""

    oidc_issuer: Annotated[str, AfterValidator(issuer_address)] = Field(
        description="the address of the OpenID provider, exactly as its tokens name it; "
        "https in production"
    )
    oidc_discovery_url: Annotated[str, AfterValidator(issuer_address)] | None = Field(
        None,
        description="where the provider describes itself, if this process can't reach it at its "
        "issuer's address; https in production",
    )
    oidc_audience: str = Field(
        "conference", min_length=1, description="what access tokens must name as their audience"
    )

    @model_validator(mode="after")
    def _provider_is_reached_by_tls(self) -> Self:
        for name in ("oidc_issuer", "oidc_discovery_url"):
            address = getattr(self, name) or "https://"
            if self.profile == "production" and not address.startswith("https://"):
                raise ValueError(
                    f"The setting {name.upper()} must be an https:// address in production, or "
                    "whoever is on the way could tell who somebody is. The development provider "
                    "has none."
                )
        return self


class ClientSettings(VerifyingSettings):
    """The settings of every process that has an identity of its own."""

    oidc_client_id: str = Field(min_length=1, description="its name at the OpenID provider")
    oidc_client_secret: SecretStr = Field(
        min_length=16, description="its secret at the OpenID provider, 16 characters or more"
    )

    @model_validator(mode="after")
    def _client_is_no_audience(self) -> Self:
        if self.oidc_client_id == self.oidc_audience:
            raise ValueError(
                "OIDC_CLIENT_ID and OIDC_AUDIENCE must differ, "
                "or an ID token would pass for an access token."
            )
        return self


class CallerSettings(ClientSettings):
    """The settings of every process that calls other services in its own name."""

    oidc_scope: str = Field(
        "conference",
        min_length=1,
        description="what it asks the OpenID provider for to call services that people call too",
    )


SettingsT = TypeVar("SettingsT", bound=Settings)


def load(kind: type[SettingsT]) -> SettingsT:
    """Read `kind` from the environment, or end the process with a sentence for each bad value."""
    try:
        return kind()
    except ValidationError as error:
        sys.exit("\n".join(explain(kind, error)))
    except SettingsError as error:
        # Where JSON is expected and something else is there; it names the setting.
        sys.exit(f"A setting is not JSON: {error}.")


def bound_socket(host: str, port: int, setting: str) -> socket.socket:
    """A TCP socket at `host` and `port`, or the end of the process with a sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    # The last process's connections may still be ending.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        sys.exit(f"Nothing can listen on port {port} of {host} ({error.strerror}): see {setting}.")
    return bound


def explain(kind: type[Settings], error: ValidationError) -> list[str]:
    """One sentence for each setting that `error` names; never the value, which may be a secret."""
    return [
        _sentence(kind, [str(part) for part in each["loc"]], each["type"], each["msg"])
        for each in error.errors(include_input=False, include_url=False)
    ]


def _sentence(kind: type[Settings], where: list[str], problem: str, message: str) -> str:
    field = where[0] if where else ""
    if field not in kind.model_fields:
        return message.removeprefix("Value error, ")
    meaning = kind.model_fields[field].description or field
    if problem == "missing" and len(where) == 1:
        return f"The setting {field.upper()} is missing: it is {meaning}."
    complaint = message.removeprefix("Value error, ")
    return f"The setting {field.upper()} is wrong ({complaint}): it is {meaning}."

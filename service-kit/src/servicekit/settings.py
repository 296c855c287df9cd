"""The environment, typed: a missing or wrong value stops the start with one sentence."""

import sys
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0.001, le=86_400, allow_inf_nan=False)]
"""A length of time in seconds, a millisecond to a day."""


class Settings(BaseSettings):
    """What every process reads from its environment; a service adds its own fields.

    A field's description is what a person reads when the value is missing or wrong.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    profile: Literal["development", "production"] = Field(
        "production", description="either development or production"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error"
    )
    service_version: str = Field("0.1.0", description="the version that /info tells")
    service_source: str = Field("unknown", description="the commit or URL that /info tells")
    pod_id: str = Field("local", description="the pod's name")
    pod_namespace: str = Field("local", description="the pod's namespace")
    pod_node_name: str = Field("local", description="the node's name")
    otel_exporter_otlp_endpoint: str | None = Field(
        None, description="where traces go (OTLP over HTTP); no value means no traces"
    )
    otel_sample_ratio: float = Field(
        1.0, ge=0, le=1, description="the share of new traces that are kept, 0 to 1"
    )


class ServerSettings(Settings):
    """What every process that answers HTTP reads, beside `Settings`."""

    host: str = Field("127.0.0.1", description="the address to listen on")
    port: Port = Field(description="the port of the service, 1 to 65535")
    metrics_port: Port = Field(description="the port of /metrics, 1 to 65535")
    shutdown_grace_seconds: Seconds = Field(
        20, description="how long requests may take to finish after SIGTERM"
    )
    max_body_bytes: int = Field(65_536, ge=1, description="the largest request body in bytes")


SettingsT = TypeVar("SettingsT", bound=Settings)


def load(kind: type[SettingsT]) -> SettingsT:
    """Read `kind` from the environment, or end the process with a sentence for each bad value."""
    try:
        return kind()
    except ValidationError as error:
        sys.exit("\n".join(explain(kind, error)))


def explain(kind: type[Settings], error: ValidationError) -> list[str]:
    """One sentence for each setting that `error` names; never the value, which may be a secret."""
    return [
        _sentence(kind, str(each["loc"][0]) if each["loc"] else "", each["type"], each["msg"])
        for each in error.errors(include_input=False, include_url=False)
    ]


def _sentence(kind: type[Settings], field: str, problem: str, message: str) -> str:
    if field not in kind.model_fields:
        return message.removeprefix("Value error, ")
    meaning = kind.model_fields[field].description or field
    if problem == "missing":
        return f"The setting {field.upper()} is missing: it is {meaning}."
    complaint = message.removeprefix("Value error, ")
    return f"The setting {field.upper()} is wrong ({complaint}): it is {meaning}."

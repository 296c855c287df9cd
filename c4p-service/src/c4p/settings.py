"""The settings of c4p-service, read from its environment."""

from typing import Annotated, Self

from pydantic import AnyHttpUrl, Field, PostgresDsn, SecretStr, UrlConstraints, model_validator

from servicekit.settings import CallerSettings, Seconds, ServerSettings, Settings


class DatabaseSettings(Settings):
    """The settings of the database."""

    database_url: Annotated[
        PostgresDsn, UrlConstraints(allowed_schemes=["postgresql", "postgres"])
    ] = Field(description="the address of PostgreSQL, as postgresql://user:password@host/database")


class MigrationSettings(DatabaseSettings):
    """The settings of c4p-migrate."""

    migration_wait_seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] = Field(
        300, description="how long the migration waits for PostgreSQL, in seconds; 0 is not at all"
    )


class OutboxSettings(ServerSettings):
    """The settings of deliveries and their retries; the defaults suit a conference."""

    outbox_lease_seconds: Seconds = Field(
        30, description="how long a claimed delivery belongs to its worker, in seconds"
    )
    outbox_first_wait_seconds: Seconds = Field(
        0.5, description="the wait after a first failure, in seconds; it doubles with each"
    )
    outbox_longest_wait_seconds: Seconds = Field(
        60, description="the longest wait between two attempts, in seconds"
    )
    outbox_give_up_hours: Annotated[float, Field(gt=0)] = Field(
        72, description="how long a delivery is tried before it waits for a person, in hours"
    )
    outbox_concurrency: int = Field(
        8, ge=1, le=64, description="how many deliveries are under way at once, 1 to 64"
    )
    call_timeout_seconds: Seconds = Field(
        12,
        description="the time limit of one call to another service, in seconds; "
        "more than email-service gives the relay",
    )

    @model_validator(mode="after")
    def _lease_outlasts_a_call(self) -> Self:
        if self.outbox_lease_seconds < 2 * self.call_timeout_seconds:
            raise ValueError(
                "OUTBOX_LEASE_SECONDS must be at least twice CALL_TIMEOUT_SECONDS, "
                "or a delivery may be claimed again while it is made."
            )
        return self


class C4pSettings(OutboxSettings, CallerSettings, MigrationSettings):
    """The settings of c4p-service, and of its migration, which runs in the same pod."""

    database_pool_size: int = Field(
        10, ge=1, le=100, description="how many connections to PostgreSQL are kept, 1 to 100"
    )
    database_timeout_seconds: Seconds = Field(
        2,
        description="how long a transaction may take, in seconds; "
        "less than the frontend's NEIGHBOUR_SECONDS",
    )
    agenda_url: AnyHttpUrl = Field(description="the address of agenda-service")
    email_url: AnyHttpUrl = Field(description="the address of email-service")
    email_scope: str = Field(
        "conference-mail",
        min_length=1,
        description="what it asks the OpenID provider for to call email-service",
    )
    public_url: AnyHttpUrl = Field(description="the address of the site, for links in mails")
    link_key: SecretStr = Field(
        min_length=32, description="the secret that signs speakers' links, 32 characters or more"
    )
    link_days: int = Field(
        400, ge=1, description="how many days the link in a mail to a speaker is valid"
    )

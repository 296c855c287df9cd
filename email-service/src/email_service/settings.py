"""The settings of email-service from its environment."""

from typing import Annotated, Literal, Self

from pydantic import EmailStr, Field, RedisDsn, SecretStr, StringConstraints, model_validator

from servicekit.settings import Port, Seconds, ServerSettings, VerifyingSettings

Header = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]+$")]


class RelaySettings(ServerSettings):
    """The settings of the SMTP relay, and of the sender of mails."""

    smtp_host: Header = Field(description="the host name of the SMTP relay")
    smtp_port: Port = Field(description="the port of the SMTP relay, 1 to 65535")
    smtp_tls: Literal["none", "starttls", "tls"] = Field(
        description="how the relay is spoken to: none, starttls or tls"
    )
    smtp_username: str | None = Field(None, description="the name to sign in to the relay with")
    smtp_password: SecretStr | None = Field(
        None, description="the password to sign in to the relay with"
    )
    smtp_timeout_seconds: Seconds = Field(
        10, description="how long the relay may take over one mail, in seconds"
    )
    mail_from: EmailStr = Field(description="the address that mails come from")
    conference_name: Header = Field(description="the name that mails come from")


class EmailSettings(RelaySettings, VerifyingSettings):
    """The settings of email-service."""

    # Not the audience of the other services: tokens that are sent here must not be valid there.
    oidc_audience: str = Field(
        "conference-mail",
        min_length=1,
        description="what access tokens must name as their audience",
    )
    valkey_url: RedisDsn = Field(
        description="the address of Valkey, as redis://user:password@host:port/database"
    )
    valkey_timeout_seconds: Seconds = Field(
        1, description="how long Valkey may take, in seconds; then it counts as unavailable"
    )
    sending_lease_seconds: Seconds = Field(
        30, description="how long a mail counts as being sent before it is sent again, in seconds"
    )

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("Set both SMTP_USERNAME and SMTP_PASSWORD, or neither.")
        if self.sending_lease_seconds < 2 * self.smtp_timeout_seconds:
            raise ValueError(
                "SENDING_LEASE_SECONDS must be at least twice SMTP_TIMEOUT_SECONDS: "
                "a lease that ends while the relay still works would send the mail twice."
            )
        return self

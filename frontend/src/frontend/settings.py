"""The environment of the frontend."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    Field,
    RedisDsn,
    SecretStr,
    UrlConstraints,
    model_validator,
)

from servicekit.settings import ClientSettings, Seconds, ServerSettings

Url = Annotated[AnyHttpUrl, UrlConstraints(max_length=300)]


NO_PROXY = "none"


def _networks(text: str) -> str:
    for each in text.split(",") if text != NO_PROXY else ():
        if ip_network(each.strip()).prefixlen == 0:
            raise ValueError("everybody is no proxy")
    return text


class FrontendSettings(ServerSettings, ClientSettings):
    """The frontend's settings, beside those of every server and every client."""

    public_url: Url = Field(
        description="the address of the site, to which people return from signing in; "
        "https in production"
    )
    valkey_url: RedisDsn = Field(
        description="the address of Valkey, as redis://user:password@host:port/database"
    )
    valkey_timeout_seconds: Seconds = Field(
        1, description="how long Valkey may take, in seconds; then it counts as unavailable"
    )
    agenda_url: Url = Field(description="where agenda-service is, an http:// address")
    c4p_url: Url = Field(description="where c4p-service is, an http:// address")
    email_url: Url = Field(description="where email-service is, an http:// address")
    session_key: SecretStr = Field(
        min_length=32, description="the key that encrypts sessions, at least 32 characters"
    )
    data_dir: Path = Field(description="the folder where the last agenda is kept")
    conference_name: str = Field(min_length=1, description="the name on every page")
    agenda_fresh_seconds: Seconds = Field(
        0.5, description="how long the agenda is served without asking agenda-service, in seconds"
    )
    neighbour_seconds: Seconds = Field(
        3, description="how long a call to another service may take, in seconds"
    )
    submissions_per_ten_minutes: int = Field(
        60, ge=1, description="how many proposals one network may hand in at once, or so often"
    )
    sign_ins_per_ten_minutes: int = Field(
        60,
        ge=1,
        description="how many steps of signing in one network may take at once, or so often; "
        "a sign-in has two",
    )
    forwarded_allow_ips: Annotated[str, AfterValidator(_networks)] | None = Field(
        None,
        description="the proxies whose X-Forwarded-For is believed, addresses and networks with "
        f"commas between them, or `{NO_PROXY}`; production needs it",
    )
    mail_page_url: Url | None = Field(
        None, description="the page that shows sent mails, an http:// address"
    )

    @property
    def site(self) -> str:
        """PUBLIC_URL without a slash at the end."""
        return str(self.public_url).rstrip("/")

    @property
    def has_tls(self) -> bool:
        """True when the site is reached by TLS alone."""
        return self.public_url.scheme == "https"

    @property
    def proxies(self) -> list[str]:
        """The addresses and networks of FORWARDED_ALLOW_IPS."""
        named = self.forwarded_allow_ips
        return [each.strip() for each in named.split(",")] if named not in {None, NO_PROXY} else []

    @model_validator(mode="after")
    def _proxies_are_named(self) -> Self:
        if self.profile == "production" and self.forwarded_allow_ips is None:
            raise ValueError(
                "The setting FORWARDED_ALLOW_IPS is missing: production needs the addresses of the "
                "proxies in front, or all visitors share one rate limit; without any proxy it is "
                f"`{NO_PROXY}`."
            )
        return self

    @model_validator(mode="after")
    def _cookies_travel_by_tls(self) -> Self:
        if self.profile == "production" and not self.has_tls:
            raise ValueError(
                "The setting PUBLIC_URL must be an https:// address in production: "
                "without TLS everybody on the way could read the session cookie."
            )
        return self

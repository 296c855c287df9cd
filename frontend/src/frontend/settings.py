"""The environment of the frontend."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AnyHttpUrl, Field, SecretStr, UrlConstraints, model_validator

from servicekit.settings import Seconds, ServerSettings

Url = Annotated[AnyHttpUrl, UrlConstraints(max_length=300)]


class FrontendSettings(ServerSettings):
    """What the frontend reads beside what every server reads."""

    agenda_url: Url = Field(description="where agenda-service is, an http:// address")
    c4p_url: Url = Field(description="where c4p-service is, an http:// address")
    email_url: Url = Field(description="where email-service is, an http:// address")
    session_key: SecretStr = Field(
        min_length=32, description="the key that signs the session cookie, at least 32 characters"
    )
    sign_in_passcode: SecretStr | None = Field(
        None, min_length=8, description="the organizers' passcode, at least 8 characters"
    )
    data_dir: Path = Field(description="the folder where the last agenda is kept")
    conference_name: str = Field(min_length=1, description="the name on every page")
    agenda_fresh_seconds: Seconds = Field(
        1, description="how long the agenda is served without asking agenda-service, in seconds"
    )
    neighbour_seconds: Seconds = Field(
        3, description="how long a call to another service may take, in seconds"
    )
    mail_page_url: Url | None = Field(
        None, description="the page that shows sent mails, an http:// address"
    )

    @model_validator(mode="after")
    def _has_no_development_sign_in(self) -> Self:
        if self.profile == "production" and self.sign_in_passcode is not None:
            raise ValueError(
                "The setting SIGN_IN_PASSCODE is for development only: there is no sign-in outside"
                " development yet, so remove it or set PROFILE=development."
            )
        return self

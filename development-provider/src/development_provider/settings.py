"""The settings of the development provider from its environment."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from development_provider.domain import Client
from servicekit.settings import Seconds, ServerSettings, issuer_address


def _without_slash(url: str) -> str:
    if url.endswith("/"):
        raise ValueError("it must not end with a slash")
    return url


class ProviderSettings(ServerSettings):
    """The settings of the provider: its address, its clients, and the passcode of all people."""

    issuer: Annotated[str, AfterValidator(issuer_address), AfterValidator(_without_slash)] = Field(
        description="the address at which browsers reach it, without a slash at the end; its path "
        "is where all endpoints are"
    )
    audience: str = Field(
        "conference", description="what the access tokens of people name as audience"
    )
    passcode: SecretStr = Field(min_length=8, description="what people sign in with")
    clients: list[Client] = Field(
        description="who may ask for tokens: a JSON list of id, secret, roles, scopes and addresses"
    )
    data_dir: Path = Field(description="the folder where its key is kept")
    token_seconds: Seconds = Field(300, description="how long an access token lives, in seconds")
    session_seconds: Seconds = Field(
        43_200, description="how long a person stays signed in, in seconds"
    )

    @model_validator(mode="after")
    def _refuse_production(self) -> Self:
        if self.profile != "development":
            raise ValueError(
                "The development provider lets everybody who has the passcode be anybody: it runs "
                "with PROFILE=development only. Use your organization's OpenID provider."
            )
        return self

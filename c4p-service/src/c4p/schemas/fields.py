"""The fields that several bodies have, and the base of every request's body."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from servicekit.text import Paragraphs

Message = Annotated[Paragraphs, Field(max_length=2000)]


def _check_text(value: object) -> object:
    if not isinstance(value, str | datetime | None):
        raise ValueError("give a time as text, such as 2027-01-31T12:00:00Z")
    return value


def _to_utc(time: datetime) -> datetime:
    return time.astimezone(UTC)


Instant = Annotated[AwareDatetime, BeforeValidator(_check_text), AfterValidator(_to_utc)]
"""A time sent with its offset, never as a number of seconds; from then on in UTC."""


class Input(BaseModel):
    """A request's body: a field that nobody knows is an error, not a typo without effect."""

    model_config = ConfigDict(extra="forbid")

"""The settings of consistency-job from its environment."""

from pydantic import AnyHttpUrl, EmailStr, Field

from servicekit.settings import CallerSettings, Seconds


class JobSettings(CallerSettings):
    """The settings of consistency-job: the services, the mail, and the tolerances in time."""

    c4p_url: AnyHttpUrl = Field(description="the address of c4p-service")
    agenda_url: AnyHttpUrl = Field(description="the address of agenda-service")
    email_url: AnyHttpUrl = Field(description="the address of email-service")
    email_scope: str = Field(
        "conference-mail",
        min_length=1,
        description="what it asks the OpenID provider for to call email-service",
    )
    public_url: AnyHttpUrl = Field(description="the address of the site, for the link in the mail")
    organizers_email: EmailStr = Field(description="the address that findings are mailed to")
    settle_seconds: Seconds = Field(
        30, description="how young a change may be to count as still under way, in seconds"
    )
    stuck_seconds: Seconds = Field(
        900, description="how long a delivery may wait before it counts as stuck, in seconds"
    )
    repair_seconds: Seconds = Field(
        30, description="how long repairs may take to show before they count as vain, in seconds"
    )
    call_timeout_seconds: Seconds = Field(
        10, description="the time limit of one call to a service, in seconds"
    )

"""The fields of a proposal, as more than one page has them."""

from frontend.pages.forms import Field

TITLE = Field("title", "Enter a title.", 200)
ABSTRACT = Field("abstract", "Write an abstract.", 5000, is_long=True)
SPEAKER_NAME = Field("speaker_name", "Enter your name.", 120)
SPEAKER_EMAIL = Field(
    "speaker_email", "Enter an address such as name@example.org.", 254, pattern=r"\S+@\S+\.\S+"
)
"""c4p-service judges addresses; this says at once what is plainly none."""
NEW = (TITLE, ABSTRACT, SPEAKER_NAME, SPEAKER_EMAIL)

WITHDRAWAL_UNCONFIRMED = {"confirm": "Tick this box if you want to withdraw it."}
"""The error of a withdrawal whose box is not ticked, by its field."""
MESSAGE = Field("message", "", 2000, is_long=True)
"""The words for the speaker with a decision."""

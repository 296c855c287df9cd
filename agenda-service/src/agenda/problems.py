"""The problems that clients of agenda-service get, beside those of every service."""

from agenda.domain import (
    AgendaFullError,
    SessionNotFoundError,
    SlotTakenError,
    StaleVersionError,
    UnknownSlotError,
)
from agenda.store import StoreUnavailableError
from servicekit.problems import UNAVAILABLE, ProblemType

SESSION_NOT_FOUND = ProblemType(
    "session-not-found",
    404,
    "The proposal is not on the agenda",
    "Check the id; a proposal is on the agenda once it is accepted.",
)
AGENDA_FULL = ProblemType(
    "agenda-full",
    409,
    "Every slot is taken",
    "Take a session off, or give the schedule more slots; then send it again.",
)
STALE_VERSION = ProblemType(
    "stale-version",
    409,
    "A newer version was seen before",
    "Nothing to do: `current` is the newest version that came, and yours is older.",
)
SLOT_TAKEN = ProblemType(
    "slot-taken",
    409,
    "The slot is taken",
    "Choose another slot, or move the session of the proposal `taken_by` first; "
    "`taken_by_title` is its title.",
)
UNKNOWN_SLOT = ProblemType(
    "unknown-slot", 422, "There is no such slot", "Choose one of `GET /schedule`."
)

PROBLEMS: dict[type[Exception], ProblemType] = {
    SessionNotFoundError: SESSION_NOT_FOUND,
    AgendaFullError: AGENDA_FULL,
    StaleVersionError: STALE_VERSION,
    SlotTakenError: SLOT_TAKEN,
    UnknownSlotError: UNKNOWN_SLOT,
    StoreUnavailableError: UNAVAILABLE,
}
"""The problem that clients get for each exception of the service."""

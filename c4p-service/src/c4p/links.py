"""The signed links by which speakers return to their proposals."""

from datetime import datetime, timedelta
from uuid import UUID

from servicekit.security import LinkRefusedError, Signer

MAX_TOKEN_LENGTH = 1000


class Links:
    """Makes and checks the links of speakers, each for one proposal and with an end."""

    def __init__(self, key: str, public_url: str, days: int) -> None:
        self._signer = Signer(key, "proposal")
        self._public_url = public_url.rstrip("/")
        self._validity = timedelta(days=days)

    def link(self, proposal_id: UUID, since: datetime) -> str:
        """Return the address of a proposal's page for its speaker."""
        token = self._signer.sign({"proposal": str(proposal_id)}, since + self._validity)
        return f"{self._public_url}/proposals/{proposal_id}?token={token}"

    def check(self, token: str, proposal_id: UUID, now: datetime) -> None:
        """Raise LinkRefusedError or LinkExpiredError unless `token` is good for the proposal."""
        signed = self._signer.read(token[:MAX_TOKEN_LENGTH], now)
        if signed.get("proposal") != str(proposal_id):
            raise LinkRefusedError("The link belongs to another proposal.")

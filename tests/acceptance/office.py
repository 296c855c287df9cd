"""The organizers' side of the API, for what a story needs but is not about."""

from collections.abc import Mapping
from typing import Any

from tests.acceptance.programs import program

from testkit.waiting import wait_for

Answer = dict[str, Any]

PODS_AT_MOST = 4
"""Each pod of the site has an agenda of its own, and they are asked in turn."""

Talk = dict[str, str]
"""What a speaker hands in: title, abstract, speaker_name and speaker_email."""


class Office:
    """An organizer with a program: calls that must succeed, and `client` for all others."""

    def __init__(self, site: str, session: str) -> None:
        self.client = program(f"{site}/api", cookies={"session": session})

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()

    def submit(self, talk: Talk) -> Answer:
        """A new proposal."""
        return self._ask("POST", "/proposals", talk)

    def decide(self, proposal: Answer, decision: str, message: str | None = None) -> Answer:
        """The proposal, accepted or rejected."""
        body = {"decision": decision, "message": message}
        return self._ask("POST", f"/proposals/{proposal['id']}/decision", body)

    def withdraw(self, proposal: Answer) -> Answer:
        """The proposal, withdrawn for its speaker."""
        return self._ask("POST", f"/proposals/{proposal['id']}/withdrawal")

    def proposal(self, proposal_id: str) -> Answer:
        """A proposal as it is now."""
        return self._ask("GET", f"/proposals/{proposal_id}")

    def found(self, words: str, state: str = "") -> list[Answer]:
        """The proposals that a search finds, at most 200."""
        params = {"q": words, "limit": "200", **({"state": state} if state else {})}
        items: list[Answer] = self._ask("GET", "/proposals", params=params)["items"]
        return items

    def events(self, proposal: Answer) -> list[Answer]:
        """Return what happened to it, the oldest first."""
        items: list[Answer] = self._ask("GET", f"/proposals/{proposal['id']}/events")["items"]
        return items

    def mails(self, proposal: Answer) -> list[str]:
        """The kinds of mails that the mail service has sent about it."""
        items = self._ask("GET", f"/proposals/{proposal['id']}/emails")["items"]
        return sorted(each["template"].removeprefix("proposal-") for each in items)

    def wait_until_told(self, proposal: Answer) -> None:
        """Return when everything about it is told to whom it concerns."""
        wait_for(lambda: self._is_told(proposal), f"what is told of {proposal['title']!r}", 30, 0.1)

    def _is_told(self, proposal: Answer) -> bool:
        params = {"proposal_id": proposal["id"]}
        items = self._ask("GET", "/deliveries", params=params)["items"]
        return all(each["state"] == "delivered" for each in items)

    def wait_until_all_is_told(self, seconds: float) -> None:
        """Return when everything is told to whom it concerns; nothing may have been given up."""
        wait_for(lambda: not self._deliveries("waiting"), "all mails and sessions", seconds, 0.2)
        assert not self._deliveries("failed")

    def _deliveries(self, state: str) -> list[Answer]:
        items: list[Answer] = self._ask("GET", "/deliveries", params={"state": state})["items"]
        return items

    def session(self, proposal: Answer) -> Answer | None:
        """The session that everybody sees on the agenda, None where it is not there."""
        items = self._ask("GET", "/sessions")["items"]
        return next((each for each in items if each["proposal_id"] == proposal["id"]), None)

    def wait_for_session(self, proposal: Answer) -> Answer:
        """The session, once it is on the agenda."""
        what = f"the session {proposal['title']!r}"
        return wait_for(lambda: self._shown_by_all(proposal), what, 30)

    def _shown_by_all(self, proposal: Answer) -> Answer | None:
        shown = [self.session(proposal) for _ in range(PODS_AT_MOST)]
        return shown[0] if all(each == shown[0] for each in shown) else None

    def wait_until_off_the_agenda(self, proposal: Answer) -> None:
        """Return when nobody sees the session any more."""
        what = f"the session {proposal['title']!r} to leave the agenda"
        wait_for(lambda: not any(self.session(proposal) for _ in range(PODS_AT_MOST)), what, 30)

    def window(self) -> Answer:
        """Return when proposals are taken."""
        return self._ask("GET", "/cfp")

    def set_window(self, opens_at: str | None, closes_at: str | None) -> None:
        """Set when proposals are taken."""
        self._ask("PUT", "/cfp", {"opens_at": opens_at, "closes_at": closes_at})

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        answer = self.client.request(method, path, json=body, params=params)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        content: Answer = answer.json()
        return content

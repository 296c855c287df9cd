"""The mail sink, as the people whose mails end there."""

import re
from collections.abc import Iterator
from typing import Any

from tests.acceptance.programs import program

from testkit.waiting import wait_for


class Mails:
    """The mails that the sink has got since this was made; mails of before belong to others."""

    def __init__(self, url: str) -> None:
        self._client = program(url)
        self._before = max((mail["id"] for mail in self._page(1)), default=0)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _page(self, number: int) -> list[dict[str, Any]]:
        answer = self._client.get("/api/messages/", params={"page": number})
        mails: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
        return mails

    def _new(self) -> Iterator[dict[str, Any]]:
        number = 1
        while page := [mail for mail in self._page(number) if mail["id"] > self._before]:
            yield from page
            number += 1

    def to(self, address: str, subject: str) -> list[str]:
        """The texts of the mails to `address` whose subjects begin so, the newest first."""
        return [
            self._text(mail)
            for mail in self._new()
            if mail["recipients_envelope"] == [address] and mail["subject"].startswith(subject)
        ]

    def _text(self, mail: dict[str, Any]) -> str:
        answer = self._client.get(f"/api/messages/{mail['id']}.plain").raise_for_status()
        return answer.text.replace("\r\n", "\n")

    def number(self, address: str, subject: str, least: int) -> int:
        """Return how many such mails there are once they are `least`: the sink shows a mail a
        moment after it has taken it.
        """
        what = f"{least} mails {subject!r} to {address}"
        return wait_for(
            lambda: found if (found := len(self.to(address, subject))) >= least else 0,
            what,
            30,
            0.1,
        )

    def wait_for(self, address: str, subject: str) -> str:
        """The text of the newest such mail, once there is one."""
        return wait_for(
            lambda: self.to(address, subject), f"a mail {subject!r} to {address}", 30, 0.1
        )[0]

    def link_to(self, address: str) -> str:
        """The speaker's own link, out of the mail that confirms the proposal."""
        text = self.wait_for(address, "We have your proposal")
        found = re.search(r"^https?://\S+/proposals/\S+", text, re.MULTILINE)
        assert found is not None, text
        return found[0]

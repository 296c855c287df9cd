"""For consumer tests: a pact that records itself, and the matchers that they share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pact import Pact, generate, match
from pact.match import AbstractMatcher
from pact.match.matcher import GenericMatcher

from servicekit.http import Neighbour
from servicekit.problems import MEDIA_TYPE

JSON = "application/json"
PROBLEM = MEDIA_TYPE
STORE_UNAVAILABLE = "the store is unavailable"
"""The state in which a provider can't reach its own database."""

RUNNING = "a running service"

_TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"


BEARER = match.regex("Bearer token", regex="^Bearer .+$")
"""Who asks: the provider is verified with a real token of that consumer."""


class OwnToken:
    """The credentials of a program, or of somebody who is signed in."""

    async def token(self) -> str:
        """Any token."""
        return "token"

    def forget(self, token: str) -> None:
        """It is good for ever."""


class RecordedPact(Pact):
    """A pact of one test; what was expected is written into `folder` once it has happened.

    Programs show who they are with each call; the frontend does for who is signed in, which a test
    expects by `identified`.
    """

    def __init__(self, consumer: str, provider: str, folder: Path) -> None:
        super().__init__(consumer, provider)
        self._folder = folder
        self._own = None if consumer == "frontend" else OwnToken()

    def upon_receiving(self, description: str, interaction: Any = "HTTP") -> Any:
        """A request as the consumer sends it by itself."""
        asked = super().upon_receiving(description, interaction)
        return asked if self._own is None else asked.with_header("Authorization", BEARER)

    def identified(self, description: str) -> Any:
        """A request that shows who asks: the program, or who is signed in."""
        asked = self.upon_receiving(description)
        return asked if self._own else asked.with_header("Authorization", BEARER)

    @asynccontextmanager
    async def neighbour(self) -> AsyncIterator[Neighbour]:
        """The provider as it was agreed; an error at the end if it was not asked exactly so."""
        with self.serve("127.0.0.1") as server:
            neighbour = Neighbour(
                self.provider, str(server.url), timeout_seconds=5, credentials=self._own
            )
            try:
                yield neighbour
            finally:
                await neighbour.close()
        self.write_file(self._folder)


def time(example: str = "2027-01-10T09:00:00Z") -> AbstractMatcher[str]:
    """An instant in ISO 8601 with its offset from UTC."""
    return match.regex(example, regex=_TIME)


def day(example: str = "2027-06-14") -> AbstractMatcher[str]:
    """A date in ISO 8601."""
    return match.regex(example, regex=r"^\d{4}-\d{2}-\d{2}$")


def one_of(example: str, *others: str) -> AbstractMatcher[str]:
    """One of these words."""
    return match.regex(example, regex=f"^({'|'.join((example, *others))})$")


def some(item: Any) -> AbstractMatcher[Any]:
    """A list of one or more like `item`."""
    return match.each_like(item, min=1)


def made(example: str, expression: str) -> AbstractMatcher[str]:
    """Something in a request that only the provider can make, such as an id.

    The consumer sends `example`; the provider gets what `expression` is with the values that its
    state has returned, as in `/proposals/${proposal_id}`.
    """
    return GenericMatcher("equality", example, generator=generate.provider_state(expression))


def problem(slug: str, status: int, **members: Any) -> dict[str, Any]:
    """A problem document with these `members` beside those that all have."""
    return {
        "type": f"urn:problem:{slug}",
        "title": match.str("What it is"),
        "status": status,
        "detail": match.str("What happened."),
        **members,
    }


def question_for_mails(
    pact: RecordedPact,
    about: str,
    state: str,
    question: str = "a question for the mails about a proposal",
    **parameters: str,
) -> Any:
    """Return what email-service is asked for its mails `about` a proposal, in a `state` of its."""
    return (
        pact.identified(question)
        .given(state, **parameters)
        .with_request("GET", "/emails")
        .with_query_parameter("reference", about)
    )


def expect_info(pact: RecordedPact) -> None:
    """Let `pact` have the question which build answers."""
    names = ("version", "source", "podId", "podNamespace", "podNodeName")
    (
        pact.upon_receiving("a question for the build")
        .given(RUNNING)
        .with_request("GET", "/info")
        .will_respond_with(200)
        .with_body({"name": pact.provider, **{each: match.str("local") for each in names}}, JSON)
    )

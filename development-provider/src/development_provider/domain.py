"""The rules of the provider, pure: clients, people, and what a request for a code must say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, Field, SecretStr

ROLES = ("organizer", "reviewer")
"""What a person may be; without a role everybody is a speaker."""
MAX_NAME = 80
FREE_GUESSES = 10
"""How many wrong passcodes in a row cost nothing."""
LONGEST_WAIT_SECONDS = 60.0


class Client(BaseModel):
    """Who may ask for tokens: for people who return to its addresses, or with its own roles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=1)]
    secret: SecretStr
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    """The audiences of the tokens that it may ask for in its own name."""
    redirect_uris: tuple[str, ...] = ()
    signed_out_uris: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever signs in says so: there is nobody to ask."""

    name: str
    email: str
    roles: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The same for the same name, so that who comes again is known again."""
        return str(uuid5(NAMESPACE_URL, f"person:{self.name.casefold()}"))


class Guesses:
    """How often in a row the passcode was wrong. After FREE_GUESSES each wrong one makes everybody
    wait, twice as long as the one before: there is one passcode, so it does not matter who guesses.

    It is kept in memory, which is enough for a provider that runs in development only.
    """

    def __init__(self) -> None:
        self._wrong = 0
        self._open_at = 0.0

    def wait_seconds(self, now: float) -> float:
        """How long nobody may try; `now` is in seconds of a clock that never goes back."""
        return max(0.0, self._open_at - now)

    def wrong(self, now: float) -> None:
        """One more that was wrong."""
        self._wrong += 1
        if self._wrong > FREE_GUESSES:
            # No power beyond what is a minute in any case.
            doubled = 2.0 ** min(self._wrong - FREE_GUESSES - 1, 10)
            self._open_at = now + min(doubled, LONGEST_WAIT_SECONDS)

    def right(self) -> None:
        """Somebody knew it."""
        self._wrong = 0


class RequestRefusedError(Exception):
    """A request for a code that is not answered; a sentence for who has written the client.

    Nobody is sent back with it, since the address to return to may be anybody's.
    """


class OAuthError(Exception):
    """An error as RFC 6749 names it, for the client."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """A request for a code that may be answered."""

    client: Client
    redirect_uri: str
    state: str
    nonce: str
    challenge: str

    def back(self, **answer: str) -> str:
        """Where the person goes with the answer."""
        return f"{self.redirect_uri}?{urlencode({**answer, 'state': self.state})}"


def read_code_request(clients: Mapping[str, Client], asked: Mapping[str, str]) -> CodeRequest:
    """The request, or RequestRefusedError.

    PKCE by S256 is demanded of everybody (RFC 9700).
    """
    client = clients.get(asked.get("client_id", ""))
    if client is None or asked.get("redirect_uri") not in client.redirect_uris:
        raise RequestRefusedError("The client, or the address to return to, is not known here.")
    if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
        raise RequestRefusedError("Only response_type=code with the scope openid is answered here.")
    if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        raise RequestRefusedError("PKCE is needed: code_challenge with the method S256.")
    return CodeRequest(
        client=client,
        redirect_uri=asked["redirect_uri"],
        state=asked.get("state", ""),
        nonce=asked.get("nonce", ""),
        challenge=asked["code_challenge"],
    )


def read_person(
    form: Mapping[str, str], roles: tuple[str, ...]
) -> tuple[Person | None, dict[str, str]]:
    """The person that a form describes, or what is wrong by field."""
    name, email = form.get("name", "").strip(), form.get("email", "").strip()
    errors: dict[str, str] = {}
    if not name or len(name) > MAX_NAME or not name.isprintable():
        errors["name"] = f"Enter a name of at most {MAX_NAME} characters."
    if email and (email.count("@") != 1 or not email.isprintable() or " " in email):
        errors["email"] = "Enter an address as ada@example.org, or none."
    if errors:
        return None, errors
    return Person(name, email, tuple(each for each in ROLES if each in roles)), {}

"""The rules of the provider: clients, people, passcode attempts, and requests for a code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, Field, SecretStr

ALGORITHM = "ES256"
"""The algorithm of all signatures."""
ROLES = ("organizer", "reviewer")
"""The roles that a person may choose; a person without a role is a speaker."""
MAX_NAME_LENGTH = 80
FREE_ATTEMPTS = 10
"""The number of wrong passcodes in a row that cost nothing."""
MAX_WAIT_SECONDS = 60.0


class Client(BaseModel):
    """A program that may ask for tokens: for people who sign in, or in its own name."""

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
    """A person who signs in, as the form describes them: nobody checks it."""

    name: str
    email: str
    roles: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The subject in tokens: the same for the same name, so that it is the same person."""
        return str(uuid5(NAMESPACE_URL, f"person:{self.name.casefold()}"))


class WrongPasscodeError(Exception):
    """Raised when what was entered is not the passcode."""

    def __init__(self) -> None:
        super().__init__("That is not the passcode.")


class TooManyAttemptsError(Exception):
    """Nobody may try a passcode for `wait_seconds`."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(f"Too many were wrong. Try again in {wait_seconds} s.")
        self.wait_seconds = wait_seconds


class PasscodeAttempts:
    """A limit to guessing the passcode: a wait that doubles with each wrong attempt.

    The first FREE_ATTEMPTS wrong ones in a row cost nothing. All people share one passcode, so the
    wait is for everybody. `now` is in seconds of a clock that never goes back.
    """

    def __init__(self) -> None:
        self._wrong = 0
        self._allowed_at = 0.0

    def wait_seconds(self, now: float) -> float:
        """Return how long nobody may try, in seconds; 0 if everybody may try now."""
        return max(0.0, self._allowed_at - now)

    def count_wrong(self, now: float) -> None:
        """Count a wrong attempt, and let the wait begin if there were too many."""
        self._wrong += 1
        if self._wrong > FREE_ATTEMPTS:
            # The exponent is bounded: a larger one gives the longest wait in any case.
            doubled = 2.0 ** min(self._wrong - FREE_ATTEMPTS - 1, 10)
            self._allowed_at = now + min(doubled, MAX_WAIT_SECONDS)

    def count_right(self) -> None:
        """Begin to count anew."""
        self._wrong = 0


class RequestRefusedError(Exception):
    """A request for a code is refused; its message is for the developer of the client.

    It is shown here and not sent to the client, whose address may be wrong or an attacker's.
    """


class OAuthError(Exception):
    """An error for the client, with a `code` of RFC 6749."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """A valid request for a code; `challenge` is that of PKCE."""

    client: Client
    redirect_uri: str
    state: str
    nonce: str
    challenge: str

    def callback(self, **parameters: str) -> str:
        """Return the client's address with `parameters`, to which the browser is redirected."""
        return f"{self.redirect_uri}?{urlencode({**parameters, 'state': self.state})}"


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """The meaning of a code, until it is exchanged or expires."""

    request: CodeRequest
    person: Person
    expires_at: float


def parse_code_request(clients: Mapping[str, Client], parameters: Mapping[str, str]) -> CodeRequest:
    """Return the request in the query `parameters`, or raise RequestRefusedError.

    Every client has to use PKCE with S256 (RFC 9700).
    """
    client = clients.get(parameters.get("client_id", ""))
    if client is None or parameters.get("redirect_uri") not in client.redirect_uris:
        raise RequestRefusedError("The client, or the address to return to, is not known here.")
    scopes = parameters.get("scope", "").split()
    if parameters.get("response_type") != "code" or "openid" not in scopes:
        raise RequestRefusedError("Only response_type=code with the scope openid is answered here.")
    if parameters.get("code_challenge_method") != "S256" or not parameters.get("code_challenge"):
        raise RequestRefusedError("PKCE is needed: code_challenge with the method S256.")
    return CodeRequest(
        client=client,
        redirect_uri=parameters["redirect_uri"],
        state=parameters.get("state", ""),
        nonce=parameters.get("nonce", ""),
        challenge=parameters["code_challenge"],
    )


def parse_person(
    form: Mapping[str, str], roles: tuple[str, ...]
) -> tuple[Person | None, dict[str, str]]:
    """Return the person in a form and no errors, or None and the errors by field."""
    name, email = form.get("name", "").strip(), form.get("email", "").strip()
    errors: dict[str, str] = {}
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        errors["name"] = f"Enter a name of at most {MAX_NAME_LENGTH} characters."
    if email and (email.count("@") != 1 or not email.isprintable() or " " in email):
        errors["email"] = "Enter an address as ada@example.org, or none."
    if errors:
        return None, errors
    return Person(name, email, tuple(each for each in ROLES if each in roles)), {}

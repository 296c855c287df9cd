"""The platform under test, and the way in."""

from dataclasses import dataclass

from tests.acceptance.programs import program

from embedded.signing_in import sign_in


@dataclass(frozen=True, slots=True)
class Site:
    """The addresses of a site, without slashes at the end, and the passcode of its provider."""

    url: str
    mail_url: str
    passcode: str

    def sign_in(self, name: str, *roles: str, email: str = "") -> str:
        """The session cookie of somebody called `name`, who has these roles."""
        with program(self.url) as client:
            answer = sign_in(client, name, self.passcode, roles=roles, email=email)
            return answer.cookies["session"]

"""The platform under test, and the way in."""

from dataclasses import dataclass

from tests.acceptance.programs import program


@dataclass(frozen=True, slots=True)
class Site:
    """Where it is reached, without slashes at the end, and what organizers sign in with."""

    url: str
    mail_url: str
    passcode: str

    def sign_in(self, name: str) -> str:
        """The session cookie of an organizer called `name`."""
        form = {"name": name, "passcode": self.passcode, "next": "/"}
        with program(self.url) as client:
            answer = client.post("/sign-in", data=form)
        assert answer.status_code == 303, answer.text
        return answer.cookies["session"]

"""The expectations of frontend of email-service: to say which build it is, to whoever asks."""

from frontend.clients.client import Client
from testkit.contract.consumer import RecordedPact, expect_info


async def test_which_build_answers(pact: RecordedPact) -> None:
    expect_info(pact)
    async with pact.neighbour() as email:
        assert (await Client(email).info()).name == "email-service"

"""What frontend expects of email-service: to say which build it is, to whoever asks."""

from tests.contract.consumer import RecordedPact, expect_info

from frontend.clients import Client


async def test_which_build_answers(pact: RecordedPact) -> None:
    expect_info(pact)
    async with pact.neighbour() as email:
        assert (await Client(email).info()).name == "email-service"

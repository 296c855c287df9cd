"""For provider tests: verify a pact against a running service, whose states the test sets up."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pact import Verifier

from testkit.fake import Answer, Call, fake_neighbour

Handlers = Mapping[str, Callable[..., Mapping[str, Any] | None]]
"""Handlers by the names of the states that consumers ask for.

A handler gets the state's parameters by name and returns the values that only the provider can
make, such as ids, or None.
"""

REQUEST_MILLISECONDS = 15_000


def verify(
    pact: Path,
    provider: str,
    url: str,
    states: Handlers,
    reset: Callable[[], None],
    token: str = "",
) -> None:
    """Ask `provider`, which runs at `url`, for everything that `pact` expects of it.

    AssertionError that names what differs, or the state that is not known or can't be set up; a
    state is never passed over. `reset` forgets what a state has set up, and every request carries
    the access token `token`.
    """
    failed: list[str] = []

    def change_state(call: Call) -> Answer:
        state, is_setup = call.body["state"], call.body["action"] == "setup"
        try:
            if not is_setup:
                reset()
                return _values({})
            if state not in states:
                raise LookupError("no such state is known here")
            return _values(states[state](**call.body["params"]) or {})
        except Exception as error:  # noqa: BLE001 - whatever it is, it fails the verification
            failed.append(f"{call.body['action']} of {state!r}: {type(error).__name__}: {error}")
            # Not a 5xx: that would be asked again and again for two minutes.
            return Answer(422)

    reset()
    with fake_neighbour() as setting:
        setting.answer = change_state
        verifier = (
            Verifier(provider, host="127.0.0.1")
            .add_transport(url=url)
            .add_source(pact)
            .state_handler(f"{setting.url}/state", teardown=True, body=True)
            .set_request_timeout(REQUEST_MILLISECONDS)
            .set_coloured_output(enabled=False)
            .set_error_on_empty_pact()
        )
        if token:
            verifier.add_custom_header("Authorization", f"Bearer {token}")
        try:
            verifier.verify()
        except RuntimeError:
            _, _, failures = verifier.output(strip_ansi=True).partition("Failures:")
            failed.append(failures.strip())
    assert not failed, f"{provider} does not keep {pact.name}:\n" + "\n".join(failed)


def _values(values: Mapping[str, Any]) -> Answer:
    return Answer(body=values, headers={"Content-Type": "application/json"})

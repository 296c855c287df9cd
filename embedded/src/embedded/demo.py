"""`make demo`: fills a running platform with believable proposals, through its public door."""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import cycle
from random import Random
from typing import Any

import httpx2

from embedded.home import default_home
from embedded.signing_in import SignInError, sign_in, sign_in_at_keycloak
from frontend.example_proposals import examples
from servicekit.http import trusted

PATIENCE = 5
"""How often something is asked for while a part of the platform is unavailable, or slow."""
HOW_MANY = 40
ACCEPTED = 26
REJECTED = 8
WITHDRAWN = (0, 1, -1)
"""By their place: two that were accepted and one that nobody has decided on."""
ACCEPTING = cycle(
    [
        None,
        "We look forward to it. Could you leave ten minutes for questions?",
        "The committee liked the numbers best: please keep them.",
    ]
)
REJECTING = cycle([None, "We had three talks on this and chose one. Do send us the next one."])


class DemoError(Exception):
    """The platform can't be filled; the message is a sentence that says why."""


def main() -> None:
    """Fill the platform of BASE_URL, or the one that runs here; run twice it changes nothing."""
    try:
        site, passcode, auth = _way_in()
        with httpx2.Client(base_url=site, timeout=30, trust_env=False, verify=trusted()) as client:
            if auth == "keycloak":
                sign_in_at_keycloak(client, "olga", passcode)
            else:
                sign_in(client, "Demo Organizer", passcode)
            counts = fill(client)
    except httpx2.HTTPError as error:
        sys.exit(f"The platform does not answer ({type(error).__name__}); start it by `make up`.")
    except (DemoError, SignInError) as error:
        sys.exit(str(error))
    told = ", ".join(f"{number} {state}" for state, number in counts.items())
    print(f"The platform has {told}. See {site}/agenda and {site}/back-office.")  # noqa: T201


def _way_in() -> tuple[str, str, str]:
    home = default_home()
    if site := os.environ.get("BASE_URL"):
        passcode = os.environ.get("PASSCODE")
        if not passcode:
            raise DemoError("Beside BASE_URL, PASSCODE is needed: its development provider's.")
        return site.rstrip("/"), passcode, "development"
    state = home.state()
    if state is None:
        raise DemoError(f"No platform runs in {home.folder}; start it by `make up`.")
    return state.site, home.secrets().passcode, state.auth


def fill(client: httpx2.Client) -> Mapping[str, int]:
    """Submit, decide and withdraw; return how many proposals the platform has, by state."""
    talks = examples(HOW_MANY, Random(2027))  # noqa: S311 - the same ones each time, on purpose
    proposals = [
        _ask(client, "/api/proposals", asdict(talk), {"Idempotency-Key": f"demo-{number}"})
        for number, talk in enumerate(talks)
    ]
    decisions = list(_decisions(proposals))
    if decisions:
        _ask(client, "/api/proposals/decisions", {"decisions": decisions})
    for place in WITHDRAWN:
        _ask(client, f"/api/proposals/{proposals[place]['id']}/withdrawal")
    counts: Mapping[str, int] = _checked(client.get("/api/proposals?limit=1"))["counts"]
    return counts


def _decisions(proposals: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for number, proposal in enumerate(proposals[: ACCEPTED + REJECTED]):
        is_accepted = number < ACCEPTED
        if proposal["state"] == "submitted":
            yield {
                "proposal_id": proposal["id"],
                "decision": "accepted" if is_accepted else "rejected",
                "message": next(ACCEPTING if is_accepted else REJECTING),
            }


def _ask(
    client: httpx2.Client,
    path: str,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    for _ in range(PATIENCE):
        answer = client.post(path, json=body, headers=headers)
        if answer.status_code != 503:
            break
        # What was done of it meanwhile is not done again.
        time.sleep(float(answer.headers.get("Retry-After", 1)))
    return _checked(answer)


def _checked(answer: httpx2.Response) -> Any:
    if not answer.is_success:
        raise DemoError(f"The platform answers {answer.status_code}: {answer.text[:300]}")
    return answer.json()


if __name__ == "__main__":
    main()

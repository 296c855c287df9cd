"""The committed pacts are those that the consumer tests of this run have recorded."""

from pathlib import Path

import pytest

from testkit.contract.files import COMMITTED, content

CURE = "Run `make pacts`, look at the difference, and commit it."
COMMITTED_NAMES = sorted(path.name for path in COMMITTED.glob("*.json"))


@pytest.mark.parametrize("name", COMMITTED_NAMES)
def test_committed_pact_is_what_its_consumer_expects(name: str, recorded_pacts: Path) -> None:
    recorded = recorded_pacts / name
    assert recorded.exists(), (
        f"No consumer test of this run has recorded {name}. `make test-contract` runs all of them "
        "first; if that is how it was run, the file is left over: remove it."
    )
    assert content(COMMITTED / name) == content(recorded), (
        f"tests/contract/pacts/{name} is stale: the consumer now expects something else. {CURE}"
    )


def test_every_recorded_pact_is_committed(recorded_pacts: Path) -> None:
    new = sorted({path.name for path in recorded_pacts.glob("*.json")} - set(COMMITTED_NAMES))
    assert not new, f"Not committed yet: {', '.join(new)}. {CURE}"

"""The pact files: where they are, and what of them counts."""

import json
from pathlib import Path
from typing import Any

COMMITTED = Path("tests/contract/pacts").absolute()
"""Where they are in the repository, from whose root tests are run."""


def content(path: Path) -> dict[str, Any]:
    """A pact in one fixed order and without the versions of the library that wrote it."""
    pact: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    pact["metadata"] = {"pactSpecification": pact["metadata"]["pactSpecification"]}
    pact["interactions"].sort(key=lambda each: json.dumps(each, sort_keys=True))
    pact["interactions"].sort(key=lambda each: str(each["description"]))
    return pact


def keep(recorded: Path) -> None:
    """Write the pacts in the folder `recorded` over those that are committed."""
    for path in recorded.glob("*.json"):
        text = json.dumps(content(path), indent=2, sort_keys=True, ensure_ascii=False)
        (COMMITTED / path.name).write_text(f"{text}\n", encoding="utf-8")


def pacts_with(provider: str) -> list[Path]:
    """The committed pacts of all consumers of `provider`; there has to be one."""
    found = sorted(COMMITTED.glob(f"*-{provider}.json"))
    assert found, f"No consumer has a pact with {provider}: run `make pacts`."
    return found


def consumer_of(pact: Path, provider: str) -> str:
    """Return the consumer whose pact with `provider` this file is."""
    return pact.stem.removesuffix(f"-{provider}")

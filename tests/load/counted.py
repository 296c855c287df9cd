"""The counts of locust, as `locustfile.py` writes them."""

import json
from dataclasses import dataclass, field
from typing import Self


@dataclass(slots=True)
class Counted:
    """The answers that visitors got, counted; failures by what was asked and what went wrong."""

    titles: dict[str, str] = field(default_factory=dict)
    decisions: dict[str, str] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    p99_milliseconds: float = 0.0

    @classmethod
    def read(cls, text: str) -> Self:
        """Out of lines of JSON, among which there may be others."""
        counted = cls()
        for line in text.splitlines():
            for name, value in json.loads(line).items() if line.startswith('{"') else ():
                if isinstance(value, dict):
                    getattr(counted, name).update(value)
                else:
                    setattr(counted, name, value)
        assert counted.seconds, f"locust has not said what it counted: {text[-4000:]}"
        return counted

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return sum(self.requests.values()) / self.seconds

    def assert_everybody_came(self) -> None:
        """Each kind of people was there, and what was sent twice was taken once."""
        assert {"GET /agenda", "POST /api/proposals", "GET /back-office"} <= self.requests.keys()
        assert self.titles
        assert self.decisions
        assert len(set(self.titles.values())) == len(self.titles)

    def __str__(self) -> str:
        return (
            f"{sum(self.requests.values()):,} requests in {self.seconds:.0f} s, "
            f"{self.per_second:.0f} a second, p99 {self.p99_milliseconds:.0f} ms, "
            f"{sum(self.failures.values())} failed; "
            f"{len(self.titles)} proposals and {len(self.decisions)} decisions acknowledged"
        )

"""The report of `make bench`: a row a scenario, and the aims beside the figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

HEADER = "| scenario | per second | p50 ms | p99 ms | CPU µs | KiB | not as expected |"
KUBERNETES = "## On Kubernetes\n"
RULE = "|---|---:|---:|---:|---:|---:|---:|"


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario; `cpu_us` is the processor time of each server for an answer, in µs."""

    name: str
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: Mapping[str, float]
    kib: float
    wrong: int


@dataclass(frozen=True, slots=True)
class Decisions:
    """Times of decisions one after another, in milliseconds."""

    count: int
    decided_p50: float
    decided_p95: float
    published_p50: float
    published_p95: float

    @classmethod
    def of(cls, decided: Sequence[float], published: Sequence[float]) -> Self:
        """From seconds."""
        return cls(
            len(decided),
            _quantile(decided, 0.5),
            _quantile(decided, 0.95),
            _quantile(published, 0.5),
            _quantile(published, 0.95),
        )


def _quantile(seconds: Sequence[float], share: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def line(row: Row) -> str:
    """A row of the table."""
    return (
        f"| {row.name} | {row.per_second:,.0f} | {row.p50_ms:.1f} | {row.p99_ms:.1f} "
        f"| {sum(row.cpu_us.values()):,.0f} | {row.kib:.1f} | {row.wrong} |"
    )


def tracing(rows: Sequence[Row]) -> str:
    """The part of docs/benchmarks.md about traces."""
    table = "\n".join(line(row) for row in rows)
    return f"""## What traces cost

The agenda when it is empty, from three platforms one after another. Without an endpoint nothing is
instrumented; a request that is not sampled goes round the instrumentation, see
[decision 8](decisions/0008-errors-are-always-traced.md).

{HEADER}
{RULE}
{table}"""


def kubernetes(text: str) -> str:
    """The part of docs/benchmarks.md that `make cluster-bench` writes, empty where it is not."""
    _, heading, part = text.partition(KUBERNETES)
    return f"\n{heading}{part}" if heading else ""


def write_kubernetes(file: Path, part: str) -> None:
    """Put another part in its place, the last of the page."""
    before, _, _ = file.read_text().partition(KUBERNETES)
    file.write_text(f"{before.rstrip()}\n\n{KUBERNETES}\n{part}")


def page(rows: Sequence[Row], decisions: Decisions, traced: Sequence[Row], machine: str) -> str:
    """docs/benchmarks.md."""
    found = {row.name: row for row in rows}
    small, large = found["agenda JSON, 200 sessions"], found["agenda JSON, 2000 sessions"]
    submit = found["submit a proposal"]
    aims = [
        ("agenda JSON with 200 sessions, a second", "4,000", f"{small.per_second:,.0f}"),
        (
            "agenda JSON with 2,000 sessions, beside 200",
            "not slower",
            f"{large.per_second / small.per_second:.0%}",
        ),
        ("durable submissions a second", "350", f"{submit.per_second:,.0f}"),
        ("a decision, p95", "50 ms", f"{decisions.decided_p95:.0f} ms"),
        ("from a decision to the agenda, p95", "1 s", f"{decisions.published_p95:.0f} ms"),
    ]
    split = "\n".join(f"| {part} | {each:,.0f} |" for part, each in submit.cpu_us.items())
    table = "\n".join(line(row) for row in rows)
    against = "\n".join(f"| {what} | {aim} | {is_now} |" for what, aim, is_now in aims)
    return f"""# Benchmarks

Written by `make bench`: {machine}. One process a service, 32 connections, load and servers on the
same cores, traces sampled at 10 % and exported. The bare ASGI hello is the yardstick: the least
that the same server does on the same machine, minutes before.

{HEADER}
{RULE}
{table}

“CPU” is the processor time of the servers that take part for one answer: the frontend for reading,
everything to the mail sink for submitting. “KiB” is what an answer weighs on the wire, compressed
by gzip as browsers ask for it.

{decisions.count} decisions one after another, through the gateway: p50 {decisions.decided_p50:.1f}
ms, p95 {decisions.decided_p95:.1f} ms; until the session is on the agenda p50
{decisions.published_p50:.1f} ms, p95 {decisions.published_p95:.1f} ms.

| what | aim | here |
|---|---:|---:|
{against}

Its bytes are finished whatever the agenda's size; with 2,000 sessions there are nine times as many
to hand to the kernel, and for the load beside it to take.

## Where the time of a submission goes

| part | CPU µs |
|---|---:|
{split}

{_WHY}

{tracing(traced)}
"""


_WHY = """\
Two cores have 2,000,000 µs a second for all of these and for the load itself, and under full load
each of them is slower than alone. What a profile shows of the two largest:

- **frontend**: more than half is the HTTP client. A call by httpx2 costs some 800 µs alone (see
  [decision 3](decisions/0003-httpx2.md)), nearly all of it in its pool, its pure Python parser and
  the objects around a request; the framework's routing and the answer take most of the rest.
- **c4p-service**: a third is its two statements through SQLAlchemy (window, change), a third the
  outbox (claim, call to email-service, end), which here works at the same time on the same cores.
  Its handlers and their dependencies are coroutines: as plain functions, handed to threads, they
  cost half as much again, so `create_app` refuses those.

What the aim would take: mails on cores of their own, as with any real relay, and two of each of
frontend and c4p-service on four cores; both are stateless, and their outboxes share the work.
On the same two cores it would take an HTTP client with a compiled parser."""

"""The needs of each service: its size, the time until it answers, memory and processor."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tests.bench.report import write_kubernetes
from tests.cluster.cluster import ROOT, SERVICES, Cluster
from tests.cluster.visitors import Visitors
from tests.machine import machine

MEASURED = (*SERVICES, "development-provider")
MB = 1_000_000
MOST_INSTALLED_MB = 90
MOST_MEMORY_MB = 90
LOAD_SECONDS = 30
SIZE = (
    "import os; print(sum(os.lstat(os.path.join(at, name)).st_size"
    " for at, _, names in os.walk('/app') for name in names))"
)


@dataclass(slots=True)
class Row:
    """A pod of a service; sizes in MB, times in seconds, `cpu` a share of one core."""

    service: str
    pod: str
    installed: float
    start: float
    idle: float
    loaded: float = 0.0
    cpu: float = 0.0

    def __str__(self) -> str:
        return (
            f"| {self.service} | {self.installed:.0f} | {self.start:.1f} "
            f"| {self.idle:.0f} | {self.loaded:.0f} | {self.cpu:.0%} |"
        )


def seconds_to_answer(cluster: Cluster, pod: str) -> float:
    """Between the start of a pod's process and the moment from which it answers."""
    lines = [json.loads(each) for each in cluster.kubectl("logs", pod).splitlines()]
    (started,) = (each for each in lines if each["event"] == "Application startup complete.")
    answers = datetime.fromisoformat(started["timestamp"]).timestamp()
    return answers - cluster.metrics(pod)["process_start_time_seconds"]


def own_memory(cluster: Cluster, pod: str) -> float:
    """The memory that is a pod's alone, in MB: pages of files are shared and can be dropped."""
    status = cluster.run(pod, "python", "-c", "print(open('/proc/1/status').read())")
    (line,) = (each for each in status.splitlines() if each.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024 / MB


def processor_seconds(cluster: Cluster, pod: str) -> tuple[float, float]:
    """Return what a pod's process has taken of the processor, and when that was so."""
    return cluster.metrics(pod)["process_cpu_seconds_total"], time.monotonic()


def measured_idle(cluster: Cluster, service: str) -> Row:
    pod = cluster.pods(service)[0]["metadata"]["name"]
    installed = int(cluster.run(pod, "python", "-c", SIZE)) / MB
    start, idle = seconds_to_answer(cluster, pod), own_memory(cluster, pod)
    return Row(service, pod, installed, start, idle)


def measure_under_load(cluster: Cluster, rows: list[Row]) -> None:
    before = [processor_seconds(cluster, row.pod) for row in rows]
    # What is measured is this time itself.
    time.sleep(LOAD_SECONDS)
    for row, (used_before, started) in zip(rows, before, strict=True):
        used, ended = processor_seconds(cluster, row.pod)
        row.cpu = (used - used_before) / (ended - started)
        row.loaded = own_memory(cluster, row.pod)


def test_services_are_small(cluster: Cluster, visitors: Callable[[], Visitors]) -> None:
    for service in MEASURED:
        cluster.restart(service)
    rows = [measured_idle(cluster, each) for each in MEASURED]
    with visitors() as day:
        measure_under_load(cluster, rows)
    table = "\n".join(map(str, rows))
    text = f"""\
Written by `make cluster-bench`: {machine()}; one node for the services, all below them, the control
plane and the visitors. A pod of each service, of which two share the work. Under load:
{day.counted}.

| service | installed MB | start s | idle MB | under load MB | CPU, one core |
|---|---:|---:|---:|---:|---:|
{table}

“Installed” is all that its image has beyond `python:3.13-slim-trixie`, “start” the time from the
start of the process until it answers. Memory is what is the process's alone: pages of files, some
30 MB, are shared and dropped when they are needed.
"""
    print(f"\n{text}")
    if os.environ.get("WRITE_BENCHMARKS"):
        write_kubernetes(ROOT / "docs/benchmarks.md", text)
    assert not day.counted.failures
    for row in rows:
        assert row.installed < MOST_INSTALLED_MB, row
        assert max(row.idle, row.loaded) < MOST_MEMORY_MB, row

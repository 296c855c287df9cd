"""A real process: the version that it says, and the faults that it has on purpose."""

import json
import sys
from pathlib import Path

import httpx2

from testkit.ports import free_port
from testkit.process import Program, answers, running

Address = tuple[Program, str]
"""A service of the kit, and where its metrics are."""


def example(name: str, **env: str) -> Address:
    url, metrics = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    ports = {"PORT": url.rpartition(":")[2], "METRICS_PORT": metrics.rpartition(":")[2]}
    command = [sys.executable, str(Path(__file__).with_name("example.py"))]
    program = Program(name, command, lambda: answers(f"{url}/readyz"), {**ports, **env}, url=url)
    return program, metrics


def test_version_is_the_same_in_info_log_and_metrics(folder: Path) -> None:
    program, metrics = example("versioned", SERVICE_VERSION="1.4.2", SERVICE_SOURCE="0123abc")
    with running(program, folder) as process:
        info = httpx2.get(f"{process.url}/info").json()
        counted = httpx2.get(f"{metrics}/metrics").text.splitlines()
    lines = process.log_text().splitlines()
    started = next(json.loads(line) for line in lines if '"starting"' in line)
    assert (info["version"], info["source"]) == ("1.4.2", "0123abc")
    assert (started["version"], started["revision"]) == ("1.4.2", "0123abc")
    assert 'service_info{revision="0123abc",version="1.4.2"} 1.0' in counted


def test_faults_on_purpose_reach_visitors_and_no_probe(folder: Path) -> None:
    program, metrics = example("faulty", PROFILE="development", FAULT_ERROR_RATIO="1")
    with running(program, folder) as process:
        assert httpx2.post(f"{process.url}/length", content=b"1234").status_code == 500
        assert httpx2.get(f"{process.url}/info").status_code == 200
        counted = httpx2.get(f"{metrics}/metrics").text.splitlines()
    assert 'faults_injected_total{kind="error"} 1.0' in counted
    assert 'http_requests_total{method="POST",route="/length",status="500"} 1.0' in counted

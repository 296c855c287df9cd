"""A start that can't succeed says why, in one sentence."""

import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from testkit.ports import free_port
from testkit.process import Program, refusal


def example(env: Mapping[str, str]) -> Program:
    command = [sys.executable, str(Path(__file__).with_name("example.py"))]
    ports = {"PORT": str(free_port()), "METRICS_PORT": str(free_port())}
    return Program("example", command, lambda: False, {**ports, **env})


@pytest.mark.parametrize("setting", ["PORT", "METRICS_PORT"])
def test_start_names_the_setting_whose_port_is_taken(setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        (said,) = refusal(example({setting: port})).splitlines()
    assert said.startswith(f"Nothing can listen on port {port} of 127.0.0.1")
    assert said.endswith(f"see {setting}.")


def test_start_refuses_one_port_for_both() -> None:
    port = str(free_port())
    assert refusal(example({"PORT": port, "METRICS_PORT": port})).endswith("see PORT.\n")


def test_start_refuses_a_host_that_is_not_here() -> None:
    (said,) = refusal(example({"HOST": "192.0.2.1"})).splitlines()
    assert said.startswith("Nothing can listen on port")


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_start_refuses_a_file_without_certificates(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_text(content)
    (said,) = refusal(example({"SSL_CERT_FILE": str(file)})).splitlines()
    assert said.startswith("The setting SSL_CERT_FILE is wrong")

"""The cluster on this machine: what kind.yaml and gateway.yaml say of each other."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.charts.rendering import CHARTS
from tests.charts.test_profiles import KUBERNETES, invalid

LOCAL = CHARTS.parent / "environments" / "local"
OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all((LOCAL / "gateway.yaml").read_text()))
NODES = yaml.safe_load((LOCAL / "kind.yaml").read_text())["nodes"]


def one(kind: str) -> dict[str, Any]:
    """The spec of the only object of a kind."""
    (found,) = (each["spec"] for each in OBJECTS if each["kind"] == kind)
    return dict(found)


@pytest.mark.parametrize("version", KUBERNETES)
def test_gateway_is_known_to_kubernetes(version: str) -> None:
    assert invalid(OBJECTS, version) == []


def test_listener_is_at_an_entry_point_which_a_user_without_rights_can_open() -> None:
    (listener,) = one("Gateway")["listeners"]
    (container,) = one("Deployment")["template"]["spec"]["containers"]
    (port,) = container["ports"]
    assert listener["port"] == port["containerPort"] > 1024
    assert f"--entrypoints.web.address=:{listener['port']}" in container["args"]


def test_gateway_waits_for_slow_clients_no_longer_than_it_says() -> None:
    (container,) = one("Deployment")["template"]["spec"]["containers"]
    transport = "--entrypoints.web.transport.respondingtimeouts"
    assert f"{transport}.readtimeout=20s" in container["args"]
    assert f"{transport}.idletimeout=180s" in container["args"]


def test_gateway_is_on_the_node_whose_port_this_machine_has() -> None:
    pod = one("Deployment")["template"]["spec"]
    (node,) = (
        each for each in NODES if pod["nodeSelector"].items() <= each.get("labels", {}).items()
    )
    (mapping,) = node["extraPortMappings"]
    assert mapping["containerPort"] == pod["containers"][0]["ports"][0]["hostPort"]
    assert (mapping["listenAddress"], mapping["hostPort"]) == ("127.0.0.1", 8080)


def test_every_node_is_the_same_kubernetes_and_three_are_workers() -> None:
    assert len({each["image"] for each in NODES}) == 1
    assert sorted(each["role"] for each in NODES) == ["control-plane", *["worker"] * 3]


@pytest.mark.parametrize(
    ("script", "arguments", "missing"),
    [
        ("kind", ("up",), "make kind-up needs docker"),
        ("kind", ("down",), "make kind-down needs docker"),
        ("deploy", ("localhost:5001", "0.1.0"), "make deploy needs kubectl"),
    ],
)
def test_missing_program_is_named_in_a_sentence_with_the_other_way(
    tmp_path: Path, script: str, arguments: tuple[str, ...], missing: str
) -> None:
    bash, dirname = (shutil.which(each) for each in ("bash", "dirname"))
    assert bash
    assert dirname
    (tmp_path / "dirname").symlink_to(dirname)
    ended = subprocess.run(
        [bash, str(LOCAL / script), *arguments],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"{missing}, which this machine does not have; `make up` starts")
    assert ended.stderr.count("\n") == 1

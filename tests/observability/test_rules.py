"""The rules are right by Prometheus' own tool, and each alert has a test and a runbook."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded.prometheus import find

ROOT = Path(__file__).parents[2]
RULES = ROOT / "observability" / "rules"
SECTIONS = ("What it means", "What people see", "What to look at", "What to do")


def rules(kind: str) -> list[dict[str, Any]]:
    """Every rule of `kind`: alert or record."""
    files = [yaml.safe_load(file.read_text()) for file in RULES.glob("*.yaml")]
    groups = [group for file in files for group in file["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


@pytest.mark.parametrize(
    ("command", "folder"), [("check", RULES), ("test", RULES / "tests")], ids=["check", "test"]
)
def test_rules_pass_promtool(command: str, folder: Path) -> None:
    files = [str(file) for file in sorted(folder.glob("*.yaml"))]
    done = subprocess.run(
        [find("promtool"), command, "rules", *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_test() -> None:
    tests = [
        test
        for file in (RULES / "tests").glob("*.yaml")
        for test in yaml.safe_load(file.read_text())["tests"]
    ]
    set_off = {
        each["alertname"]
        for test in tests
        for each in test["alert_rule_test"]
        if each.get("exp_alerts")
    }
    assert {rule["alert"] for rule in rules("alert")} == set_off


@pytest.mark.parametrize("rule", rules("alert"), ids=lambda rule: rule["alert"])
def test_alert_has_a_runbook(rule: dict[str, Any]) -> None:
    page = f"docs/runbooks/{rule['alert']}.md"
    assert rule["annotations"]["runbook_url"] == page
    headings = [
        line.removeprefix("## ")
        for line in (ROOT / page).read_text().splitlines()
        if line.startswith("## ")
    ]
    assert headings == list(SECTIONS)


def test_runbook_has_an_alert() -> None:
    pages = {file.stem for file in (ROOT / "docs" / "runbooks").glob("[A-Z]*.md")} - {"README"}
    assert pages == {rule["alert"] for rule in rules("alert")}

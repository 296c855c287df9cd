"""Every file that CONTRIBUTING.md names is there."""

import re

import pytest
from tests.documentation.commands import ROOT

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
SPANS = re.findall(r"`([\w./-]+)`", CONTRIBUTING)
FILES = sorted({each for each in SPANS if re.search(r"/.*\.(py|toml|yaml|md|html)$", each)})
TABLE = CONTRIBUTING.partition("## To change something")[2].partition("\n## ")[0]
CHANGES = [line for line in TABLE.splitlines() if re.match(r"\| an? ", line)]


def test_contributing_says_what_to_edit_for_each_kind_of_change() -> None:
    assert len(CHANGES) >= 15


@pytest.mark.parametrize("name", FILES)
def test_named_file_is_there(name: str) -> None:
    assert (ROOT / name).is_file()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.split("|")[1].strip())
def test_change_names_files_and_folders_that_are_there(change: str) -> None:
    named = [each for each in re.findall(r"`([\w./-]+)`", change) if "/" in each]
    assert named
    assert [each for each in named if not (ROOT / each).exists()] == []

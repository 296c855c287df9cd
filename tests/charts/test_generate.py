"""The READMEs and schemas follow from the values, and it is told when they no longer do."""

import shutil
from pathlib import Path

import pytest
from tests import check_repository
from tests.charts.rendering import CHARTS

from delivery.generate import charts as generate


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The charts, to be changed."""
    charts = tmp_path / "charts"
    for file in (
        *CHARTS.glob("*/values*"),
        *CHARTS.glob("*/README.md"),
        *CHARTS.glob("*/Chart.yaml"),
    ):
        (charts / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, charts / file.parent.name)
    monkeypatch.setattr(generate, "CHARTS", charts)
    monkeypatch.setattr(check_repository, "ROOT", tmp_path)
    return charts


def add_value(chart: Path, text: str) -> None:
    """Lets a chart have one more default."""
    values = chart / "values.yaml"
    values.write_text(values.read_text() + text)


def test_fresh_files_are_passed(copy: Path) -> None:
    assert (copy / "frontend" / "README.md") in generate.pages()
    assert list(check_repository.stale(generate.pages())) == []


def test_stale_files_are_named(copy: Path) -> None:
    add_value(copy / "frontend", "# -- Something new.\nnovel: true\n")
    assert list(check_repository.stale(generate.pages())) == [
        f"charts/frontend/{name} is stale: run `make docs`."
        for name in ("values.schema.json", "README.md")
    ]


def test_missing_file_and_one_written_by_hand_are_named(copy: Path) -> None:
    (copy / "frontend" / "values.schema.json").unlink()
    by_hand = copy / "conference" / "README.md"
    by_hand.write_text(by_hand.read_text().replace("PostgreSQL", "Postgres"))
    assert list(check_repository.stale(generate.pages())) == [
        f"charts/{name} is stale: run `make docs`."
        for name in ("frontend/values.schema.json", "conference/README.md")
    ]


def test_value_is_a_row_of_the_readme_and_a_property_of_the_schema(copy: Path) -> None:
    add_value(copy / "frontend", "# -- Something new,\n# on two lines.\nnovel: {each: 1}\n")
    assert '| `novel` | `{"each": 1}` | Something new, on two lines. |' in generate.readme_of(
        "frontend"
    )
    assert generate.service_schema("frontend")["properties"]["novel"] == {
        "type": "object",
        "additionalProperties": False,
        "properties": {"each": {"type": "integer", "minimum": 0}},
    }


def test_value_whose_form_nobody_knows_is_refused(copy: Path) -> None:
    add_value(copy / "frontend", "novel: []\n")
    with pytest.raises(TypeError, match="add it to FORMS"):
        generate.service_schema("frontend")

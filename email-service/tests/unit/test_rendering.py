from html.parser import HTMLParser
from typing import Any

import pytest
from jinja2 import UndefinedError

from email_service.domain import Mail, TemplateDataError, UnknownTemplateError
from email_service.rendering import TEMPLATES, Renderer, validate_data

CONFERENCE = "Example & Friends 2027"
RENDERER = Renderer(CONFERENCE)
PROPOSAL: dict[str, Any] = {
    "speaker_name": "Ada Lovelace",
    "title": "Notes on the Engine",
    "link": "https://conference.example.org/proposals/1?token=a&x=b",
}
FINDING = {
    "check": "accepted-not-on-agenda",
    "subject": "Notes on the Engine",
    "detail": "It is accepted, and not on the agenda.",
    "cure": "Send the session again.",
}
REPORT: dict[str, Any] = {"findings": [FINDING], "link": "https://conference.example.org/report"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "proposal-received": PROPOSAL,
    "proposal-accepted": {**PROPOSAL, "message": "Bring a charger.\nSee you!"},
    "proposal-rejected": {**PROPOSAL, "message": None},
    "proposal-withdrawn": PROPOSAL,
    "consistency-report": REPORT,
}


def render(template: str, data: dict[str, Any]) -> Mail:
    return RENDERER.render(template, validate_data(template, data))


def complaints(template: str, data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(TemplateDataError) as caught:
        validate_data(template, data)
    return {each["field"]: each["detail"] for each in caught.value.members["errors"]}


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_every_template_has_an_example() -> None:
    assert EXAMPLES.keys() == TEMPLATES.keys()


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_mail_says_the_same_in_text_and_html(template: str) -> None:
    data = EXAMPLES[template]
    mail = render(template, data)
    html = read(mail.html)
    assert html.links == [data["link"]]
    assert data["link"] in mail.text
    for part in (mail.text, html.text):
        assert CONFERENCE in part
        assert "None" not in part
        assert PROPOSAL["title"] in part
    assert mail.subject
    assert max(len(line) for line in mail.text.splitlines()) < 100


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_html_loads_nothing_and_names_its_language(template: str) -> None:
    html = render(template, EXAMPLES[template]).html
    assert '<html lang="en">' in html
    assert "color-scheme" in html
    assert not {"img", "script", "link", "iframe", "form"} & set(read(html).tags)


@pytest.mark.parametrize("template", ["proposal-accepted", "proposal-rejected"])
def test_decision_quotes_the_message_line_by_line(template: str) -> None:
    mail = render(template, {**PROPOSAL, "message": "first\n\n<b>second</b>"})
    assert "> first\n> \n> <b>second</b>\n" in mail.text
    assert "&lt;b&gt;second&lt;/b&gt;" in mail.html
    assert "<b>" not in mail.html


@pytest.mark.parametrize("template", ["proposal-accepted", "proposal-rejected"])
@pytest.mark.parametrize("data", [PROPOSAL, {**PROPOSAL, "message": None}])
def test_decision_without_a_message_quotes_nothing(template: str, data: dict[str, Any]) -> None:
    mail = render(template, data)
    assert "organizers add" not in mail.text
    assert "blockquote" not in mail.html


def test_html_in_data_stays_text() -> None:
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{ 7 * 7 }} {% raw %}"
    mail = render("proposal-received", {**PROPOSAL, "title": hostile, "speaker_name": hostile})
    html = read(mail.html)
    assert "script" not in html.tags
    assert "img" not in html.tags
    assert hostile in html.text
    assert hostile in mail.text
    assert mail.subject.endswith(hostile)


def test_report_shows_fifty_findings_and_counts_the_rest() -> None:
    mail = render("consistency-report", {**REPORT, "findings": [FINDING] * 53})
    assert mail.subject == "Consistency check: 53 findings"
    assert mail.text.count(FINDING["cure"]) == 50
    assert mail.html.count(FINDING["cure"]) == 50
    assert "and 3 more" in mail.text
    assert "and 3 more" in mail.html


def test_report_counts_one_finding_in_the_singular() -> None:
    mail = render("consistency-report", REPORT)
    assert mail.subject == "Consistency check: 1 finding"
    assert "one thing does" in mail.text


def test_unknown_template_names_those_there_are() -> None:
    with pytest.raises(UnknownTemplateError) as caught:
        validate_data("../settings", {})
    assert caught.value.members == {"templates": sorted(TEMPLATES)}


@pytest.mark.parametrize("field", sorted(PROPOSAL))
def test_missing_data_are_named(field: str) -> None:
    data = {name: value for name, value in PROPOSAL.items() if name != field}
    assert complaints("proposal-received", data) == {
        f"data.{field}": "It is needed, and was not sent."
    }


def test_unknown_data_are_named() -> None:
    found = complaints("proposal-received", {**PROPOSAL, "message": "hello"})
    assert list(found) == ["data.message"]


def test_data_within_a_finding_are_named_with_their_place() -> None:
    found = complaints("consistency-report", {**REPORT, "findings": [FINDING, {"check": 1}]})
    assert "data.findings.1.check" in found


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "   "),
        ("title", "x" * 301),
        ("title", "a\nBcc: eve@example.org"),
        ("title", "a\r\nBcc: eve@example.org"),
        ("title", "a\x00"),
        ("title", "a\u2028b"),
        ("title", "\ud800"),
        ("title", 7),
        ("title", None),
        ("title", ["a"]),
        ("speaker_name", "Ada\nLovelace"),
        ("link", "javascript:alert(1)"),
        ("link", "/proposals/1"),
        ("link", "https://example.org/a b"),
        ("link", "https://example.org/\nx"),
        ("link", "https://example.org/ü"),
        ("message", "\x1b[2J"),
        ("message", ""),
        ("message", "x" * 10_001),
    ],
)
def test_wrong_data_are_named(field: str, value: object) -> None:
    assert list(complaints("proposal-accepted", {**PROPOSAL, field: value})) == [f"data.{field}"]


@pytest.mark.parametrize(
    "findings", [[], "x", {}, [1], [{**FINDING, "\ud800": 1}], [FINDING] * 1001]
)
def test_wrong_findings_are_named(findings: object) -> None:
    assert all(
        name.startswith("data.findings")
        for name in complaints("consistency-report", {**REPORT, "findings": findings})
    )


def test_complaints_are_few_however_much_is_wrong() -> None:
    data = {**PROPOSAL, **{f"extra{number}": 1 for number in range(500)}}
    assert len(complaints("proposal-received", data)) == 20


def test_data_are_trimmed() -> None:
    assert validate_data("proposal-received", {**PROPOSAL, "title": "  a  "})["title"] == "a"


def test_template_that_lacks_data_fails() -> None:
    with pytest.raises(UndefinedError):
        RENDERER.render("proposal-received", {})

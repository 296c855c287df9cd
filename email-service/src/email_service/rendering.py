"""The templates: what data each needs, and how it becomes a mail.

A template is a folder under `templates/` with subject.txt, body.txt and body.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from email_service.domain import Mail, TemplateDataError, UnknownTemplateError, one_line
from servicekit.field_errors import field_error
from servicekit.text import Line, Paragraphs

_MOST_ERRORS = 20

Link = Annotated[
    str, StringConstraints(pattern=r"^https?://[!-~]+$", max_length=2000, strip_whitespace=True)
]
"""An absolute address in ASCII; never javascript: or another scheme that a click would run."""


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProposalData(_Data):
    """For the mails about a proposal."""

    speaker_name: Annotated[Line, Field(max_length=200)]
    title: Annotated[Line, Field(max_length=300)]
    link: Link


class DecisionData(ProposalData):
    """For a decision; `message` is what the organizers add, None when nothing."""

    message: Annotated[Paragraphs, Field(max_length=10_000)] | None = None


class Finding(_Data):
    """One thing that does not fit, and what would put it right."""

    check: Annotated[Line, Field(max_length=200)]
    subject: Annotated[Line, Field(max_length=500)]
    detail: Annotated[Paragraphs, Field(max_length=2000)]
    cure: Annotated[Paragraphs, Field(max_length=2000)]


class ReportData(_Data):
    """For the consistency report; the mail shows the first findings and counts the rest."""

    findings: list[Finding] = Field(min_length=1, max_length=1000)
    link: Link


DATA: Mapping[str, type[_Data]] = {
    "proposal-received": ProposalData,
    "proposal-accepted": DecisionData,
    "proposal-rejected": DecisionData,
    "proposal-withdrawn": ProposalData,
    "consistency-report": ReportData,
}
"""Every template, and the shape of its data."""


def checked(template: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """`data` cleaned as `template` needs it; UnknownTemplateError, or TemplateDataError."""
    if template not in DATA:
        raise UnknownTemplateError(template, sorted(DATA))
    try:
        return DATA[template].model_validate(data).model_dump()
    except ValidationError as error:
        found = error.errors(include_url=False)[:_MOST_ERRORS]
        complaints = [field_error({**each, "loc": ("data", *each["loc"])}) for each in found]
        raise TemplateDataError(template, complaints) from error


@dataclass(frozen=True, slots=True)
class _Parts:
    subject: Template
    text: Template
    html: Template


class Renderer:
    """Holds every template compiled; a broken one fails here, at the start."""

    def __init__(self, conference: str) -> None:
        environment = Environment(
            loader=PackageLoader("email_service"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.globals["conference"] = conference
        self._templates = {
            name: _Parts(
                environment.get_template(f"{name}/subject.txt"),
                environment.get_template(f"{name}/body.txt"),
                environment.get_template(f"{name}/body.html"),
            )
            for name in DATA
        }

    def render(self, template: str, data: Mapping[str, Any]) -> Mail:
        """The mail from what `checked` gave."""
        parts = self._templates[template]
        return Mail(
            subject=one_line(parts.subject.render(data)),
            text=parts.text.render(data),
            html=parts.html.render(data),
        )

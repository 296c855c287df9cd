"""The templates of mails: the data that each needs, and their rendering.

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

_MAX_ERRORS = 20

Link = Annotated[
    str, StringConstraints(pattern=r"^https?://[!-~]+$", max_length=2000, strip_whitespace=True)
]
"""An absolute address in ASCII; never javascript: or another scheme that a click would run."""


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProposalData(_Data):
    """The data of the mails about a proposal."""

    speaker_name: Annotated[Line, Field(max_length=200)]
    title: Annotated[Line, Field(max_length=300)]
    link: Link


class DecisionData(ProposalData):
    """The data of a decision; `message` is what the organizers add, None when they add nothing."""

    message: Annotated[Paragraphs, Field(max_length=10_000)] | None = None


class Finding(_Data):
    """A finding of the consistency job, and its cure."""

    check: Annotated[Line, Field(max_length=200)]
    subject: Annotated[Line, Field(max_length=500)]
    detail: Annotated[Paragraphs, Field(max_length=2000)]
    cure: Annotated[Paragraphs, Field(max_length=2000)]


class ReportData(_Data):
    """The data of the consistency report; the mail shows the first findings and counts the rest."""

    findings: list[Finding] = Field(min_length=1, max_length=1000)
    link: Link


TEMPLATES: Mapping[str, type[_Data]] = {
    "proposal-received": ProposalData,
    "proposal-accepted": DecisionData,
    "proposal-rejected": DecisionData,
    "proposal-withdrawn": ProposalData,
    "consistency-report": ReportData,
}
"""The shape of the data by the name of the template, for every template."""


def validate_data(template: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return `data` trimmed and complete, as `template` needs it.

    Raise UnknownTemplateError, or TemplateDataError which names each wrong field.
    """
    if template not in TEMPLATES:
        raise UnknownTemplateError(template, sorted(TEMPLATES))
    try:
        return TEMPLATES[template].model_validate(data).model_dump()
    except ValidationError as error:
        found = error.errors(include_url=False)[:_MAX_ERRORS]
        errors = [field_error({**each, "loc": ("data", *each["loc"])}) for each in found]
        raise TemplateDataError(template, errors) from error


@dataclass(frozen=True, slots=True)
class _CompiledTemplate:
    subject: Template
    text: Template
    html: Template


class Renderer:
    """The compiled templates; a broken one fails when this is made, at the start."""

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
            name: _CompiledTemplate(
                environment.get_template(f"{name}/subject.txt"),
                environment.get_template(f"{name}/body.txt"),
                environment.get_template(f"{name}/body.html"),
            )
            for name in TEMPLATES
        }

    def render(self, template: str, data: Mapping[str, Any]) -> Mail:
        """Return the mail for data that `validate_data` has returned."""
        compiled = self._templates[template]
        return Mail(
            subject=one_line(compiled.subject.render(data)),
            text=compiled.text.render(data),
            html=compiled.html.render(data),
        )

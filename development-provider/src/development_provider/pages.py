"""The pages of the provider, rendered from templates."""

from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from fastapi import Response
from jinja2 import Environment, PackageLoader, StrictUndefined

CSP = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
STYLE = files("development_provider").joinpath("static", "style.css").read_bytes()

_environment = Environment(
    loader=PackageLoader("development_provider"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, *, status: int = 200, returns_to: str = "", **context: Any) -> Response:
    """Return a page that is not cached; its form may redirect to the origin of `returns_to`."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(returns_to)) if returns_to else ""
    # Browsers apply form-action also to the redirect that answers a form.
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"{CSP}; form-action 'self' {origin}".rstrip(),
    }
    html = _environment.get_template(template).render(context)
    return Response(html, status, headers, "text/html; charset=utf-8")

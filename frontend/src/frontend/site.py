"""Everything that people see, in one place for main.py.

app = create_app(..., [*site.ROUTERS, ...], csp=site.csp(settings.oidc_issuer))
site.install(app, settings.conference_name)   # after create_app: its middleware is outermost
"""

from fastapi import FastAPI

from frontend import (
    back_office,
    back_office_proposal,
    call_window,
    consistency,
    error_pages,
    my_proposal,
    pages,
    proposals,
    rendering,
    sign_in,
)
from frontend.access import to_sign_in
from frontend.domain import SignInRequiredError
from frontend.rendering import Pages, csp

__all__ = ["ROUTERS", "csp", "install"]

ROUTERS = tuple(
    module.router
    for module in (
        rendering,
        pages,
        proposals,
        my_proposal,
        back_office,
        back_office_proposal,
        call_window,
        consistency,
        sign_in,
    )
)


def install(app: FastAPI, conference: str) -> None:
    """Give `app` its pages, and let errors be pages too."""
    app.state.pages = Pages(conference)
    app.add_exception_handler(SignInRequiredError, to_sign_in)
    error_pages.install(app, app.state.pages)

"""Everything that the site answers, to people and to programs, in one place for main.py.

app = create_app(..., site.ROUTERS, csp=site.csp(settings.oidc_issuer))
site.install(app, settings)   # after create_app: its middleware is outermost
"""

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from frontend import (
    agenda_api,
    back_office,
    back_office_proposal,
    call_window,
    consistency,
    error_pages,
    gateway,
    my_proposal,
    my_proposals,
    pages,
    proposals,
    rendering,
    sign_in,
)
from frontend.access import to_sign_in
from frontend.domain import SignInRequiredError
from frontend.rendering import Pages, csp
from frontend.settings import FrontendSettings

__all__ = ["ROUTERS", "csp", "install"]

ROUTERS = (
    agenda_api.router,
    gateway.routes(),
    rendering.router,
    pages.router,
    proposals.router,
    my_proposal.router,
    my_proposals.router,
    back_office.router,
    back_office_proposal.router,
    call_window.router,
    consistency.router,
    sign_in.router,
)


def install(app: FastAPI, settings: FrontendSettings) -> None:
    """Give `app` its pages, let errors be pages too, and believe its proxies who the visitor is."""
    app.state.pages = Pages(settings.conference_name)
    app.add_exception_handler(SignInRequiredError, to_sign_in)
    error_pages.install(app, app.state.pages)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.proxies)
    # The first route that fits answers: the most visited before all, what refuses after all.
    app.router.routes[:0] = [*agenda_api.fast_routes(), *pages.fast_routes()]
    app.router.routes.append(gateway.refusal())

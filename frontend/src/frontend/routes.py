"""The routes and the middleware of the site, for people and for programs.

app = create_app(..., routes.ROUTERS, csp=routes.csp(settings.oidc_issuer))
routes.install(app, settings)   # after create_app: its middleware is outermost
"""

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from frontend import rendering
from frontend.domain import SignInRequiredError
from frontend.gateway import cached_agenda, forwarding
from frontend.pages import (
    about,
    agenda,
    call_for_proposals,
    errors,
    home,
    my_proposal,
    my_proposals,
    sign_in,
)
from frontend.pages.back_office import consistency, proposal, proposals, window
from frontend.pages.permissions import to_sign_in
from frontend.rendering import Pages, csp
from frontend.settings import FrontendSettings

__all__ = ["ROUTERS", "csp", "install"]

ROUTERS = (
    cached_agenda.router,
    forwarding.routes(),
    rendering.router,
    home.router,
    agenda.router,
    about.router,
    call_for_proposals.router,
    my_proposal.router,
    my_proposals.router,
    proposals.router,
    proposal.router,
    window.router,
    consistency.router,
    sign_in.router,
)


def install(app: FastAPI, settings: FrontendSettings) -> None:
    """Give `app` its pages, let errors be pages too, and believe its proxies who the visitor is."""
    app.state.pages = Pages(settings.conference_name)
    app.add_exception_handler(SignInRequiredError, to_sign_in)
    errors.install(app, app.state.pages)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.proxies)
    # The first route that fits answers: the most visited before all, what refuses after all.
    app.router.routes[:0] = [*cached_agenda.fast_routes(), *agenda.fast_routes()]
    app.router.routes.append(forwarding.refusal())

"""Puts the frontend together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from frontend import agenda_api, gateway, pages, site
from frontend.parts import build
from frontend.rate_limits import RateLimitedError
from frontend.schemas import RATE_LIMITED
from frontend.settings import FrontendSettings
from servicekit.app import create_app, run


def create(settings: FrontendSettings) -> FastAPI:
    """The app; what lives as long as it is made when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with build(app, settings):
            yield

    routers = [agenda_api.router, gateway.routes(), *site.ROUTERS]
    csp = site.csp(settings.oidc_issuer)
    app = create_app(
        "frontend",
        settings,
        routers,
        lifespan=lifespan,
        errors={RateLimitedError: RATE_LIMITED},
        csp=csp,
        public=True,
    )
    site.install(app, settings.conference_name)
    if settings.forwarded_allow_ips:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.forwarded_allow_ips)
    app.router.routes[:0] = [*agenda_api.fast_routes(), *pages.fast_routes()]
    app.router.routes.append(gateway.refusal())
    return app


def main() -> None:
    """Serve until told to stop."""
    run(create, FrontendSettings)


if __name__ == "__main__":
    main()

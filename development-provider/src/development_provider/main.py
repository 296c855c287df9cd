"""Puts the development provider together."""

from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI

from development_provider.pages import CSP
from development_provider.routes import Desk, router
from development_provider.settings import ProviderSettings
from servicekit.app import create_app, run


def create(settings: ProviderSettings) -> FastAPI:
    """The provider, with its key."""
    # Proxies that give it a part of a site's paths pass these on whole.
    endpoints = APIRouter(prefix=urlsplit(settings.issuer).path)
    endpoints.include_router(router)
    app = create_app("development-provider", settings, [endpoints], csp=CSP, public=True)
    app.state.desk = Desk(settings)
    return app


def main() -> None:
    """Serve until SIGTERM."""
    run(create, ProviderSettings)


if __name__ == "__main__":
    main()

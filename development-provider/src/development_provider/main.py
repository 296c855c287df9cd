"""The development provider's program: its parts, and the command that serves them."""

from functools import partial
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI

from development_provider.lifespan import build
from development_provider.pages import CSP
from development_provider.routes import router
from development_provider.settings import ProviderSettings
from servicekit.app import create_app, run


def create(settings: ProviderSettings) -> FastAPI:
    """Return the app, with all endpoints under the path of the issuer.

    A proxy that forwards a part of a site's paths to the provider leaves the paths as they are.
    """
    endpoints = APIRouter(prefix=urlsplit(settings.issuer).path)
    endpoints.include_router(router)
    return create_app(
        "development-provider",
        settings,
        [endpoints],
        lifespan=partial(build, settings=settings),
        csp=CSP,
        public=True,
    )


def main() -> None:
    """Serve until SIGTERM."""
    run(create, ProviderSettings)


if __name__ == "__main__":
    main()

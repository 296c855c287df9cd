"""Puts the frontend together."""

from functools import partial

from fastapi import FastAPI

from frontend import routes
from frontend.lifespan import build
from frontend.problems import PROBLEMS
from frontend.settings import FrontendSettings
from servicekit.app import create_app, run


def create(settings: FrontendSettings) -> FastAPI:
    """The app; what lives as long as it is made when it starts."""
    app = create_app(
        "frontend",
        settings,
        routes.ROUTERS,
        lifespan=partial(build, settings=settings),
        errors=PROBLEMS,
        csp=routes.csp(settings.oidc_issuer),
        traced=["redis"],
        public=True,
    )
    routes.install(app, settings)
    return app


def main() -> None:
    """Serve until told to stop."""
    run(create, FrontendSettings)


if __name__ == "__main__":
    main()

"""Pages from templates, escaped everywhere, and the files beside them."""

from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from frontend import formatting
from frontend.clients.schemas import Schedule

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
"""The policy of a page whose forms stay on the site."""
HTML = "text/html; charset=utf-8"
TRACK_COLOURS = 6
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FILTERS = (
    formatting.iso,
    formatting.clock,
    formatting.long_day,
    formatting.long_date,
    formatting.weekday,
    formatting.moment,
    formatting.short_moment,
    formatting.day_range,
    formatting.length_of_time,
    formatting.in_words,
)


def csp(issuer: str) -> str:
    """The policy of all pages: *Sign out* leads on to the provider, to which browsers hold the
    redirect that answers a form too.
    """
    parts = urlsplit(issuer)
    return f"{CSP} {parts.scheme}://{parts.netloc}"


class StaticFile:
    """A file that every page needs, in memory; its address changes when it changes."""

    def __init__(self, name: str, content: bytes) -> None:
        self.content = content
        self.media_type = _MEDIA_TYPES[name[name.rindex(".") :]]
        self.digest = sha256(content).hexdigest()[:12]
        self.address = f"/static/{self.digest}/{name}"


STATIC = {
    each.name: StaticFile(each.name, each.read_bytes())
    for each in files("frontend").joinpath("static").iterdir()
    if each.is_file()
}

router = APIRouter(include_in_schema=False)


@router.get("/static/{digest}/{name}")
async def static_file(digest: str, name: str) -> Response:
    """One of the files. While two versions of the platform run side by side, a page of the other
    one may ask for its own file here: it gets ours, but may not keep it.
    """
    file = STATIC.get(name)
    if file is None:
        raise HTTPException(404)
    is_exact = digest == file.digest
    keep = "public, max-age=31536000, immutable" if is_exact else "no-store"
    return Response(file.content, media_type=file.media_type, headers={"Cache-Control": keep})


class Pages:
    """Renders the templates of the conference called `conference`."""

    def __init__(self, conference: str) -> None:
        self._environment = Environment(
            loader=PackageLoader("frontend"),
            autoescape=True,
            auto_reload=False,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "conference": conference,
            "static": lambda name: STATIC[name].address,
            "zone": ZoneInfo("UTC"),
        }
        self._environment.filters |= {each.__name__: each for each in _FILTERS}

    def html(self, template: str, **context: Any) -> bytes:
        """The page as finished bytes."""
        return self._environment.get_template(template).render(context).encode()

    def response(
        self,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """The page as an answer for everybody, asked for anew each time."""
        all_headers = {"Cache-Control": "no-cache", **(headers or {})}
        if status == 503:
            all_headers.setdefault("Retry-After", "5")
        return Response(self.html(template, **context), status, all_headers, HTML)

    def private(
        self,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """The page as an answer that shows personal data or typed text, and is kept nowhere."""
        kept_nowhere = {"Cache-Control": "no-store", **(headers or {})}
        return self.response(template, status=status, headers=kept_nowhere, **context)


def venue(schedule: Schedule | None) -> dict[str, Any]:
    """Return what templates need to show times and tracks: `zone` and `track_class`."""
    tracks = list(dict.fromkeys(room.track for room in schedule.rooms)) if schedule else []

    def track_class(track: str) -> str:
        return f"track-{tracks.index(track) % TRACK_COLOURS + 1}" if track in tracks else ""

    return {"zone": zone_of(schedule), "track_class": track_class}


def zone_of(schedule: Schedule | None) -> ZoneInfo:
    """The conference's own time zone; UTC while it is not known."""
    return ZoneInfo(schedule.timezone) if schedule else ZoneInfo("UTC")

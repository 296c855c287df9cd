"""Reading the problem documents of RFC 9457."""

import httpx2

from servicekit.problems import MEDIA_TYPE


def problem(response: httpx2.Response) -> tuple[int, str]:
    """Return the status and the last part of the type of what must be a whole problem."""
    assert response.headers["content-type"] == MEDIA_TYPE
    body = response.json()
    assert {"type", "title", "status", "detail"} <= body.keys()
    assert body["status"] == response.status_code
    return response.status_code, body["type"].removeprefix("urn:problem:")

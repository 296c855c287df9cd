"""The small rules of the gateway and the sign-in."""

import pytest

from frontend.domain import accepts_gzip, has_etag, safe_next, zone_named


@pytest.mark.parametrize("path", ["/", "/back-office", "/back-office?state=accepted&q=a%20b"])
def test_safe_next_keeps_a_page_of_ours(path: str) -> None:
    assert safe_next(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "back-office",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/a\r\nSet-Cookie: x=y",
        "/" + "a" * 500,
    ],
)
def test_safe_next_refuses_what_could_lead_elsewhere(path: str | None) -> None:
    assert safe_next(path, "/home") == "/home"


@pytest.mark.parametrize("header", ["gzip", "br, gzip", "GZIP;q=0.5", "*", "deflate,gzip;q=1.0"])
def test_accepts_gzip_when_it_is_named(header: str) -> None:
    assert accepts_gzip(header)


@pytest.mark.parametrize("header", ["", "br", "identity", "gzip;q=0", "gzip; q=0.0", "x-gzip2"])
def test_accepts_gzip_not_when_it_is_missing_or_refused(header: str) -> None:
    assert not accepts_gzip(header)


@pytest.mark.parametrize("header", ['W/"a"', '"a"', '"b", W/"a"', "*"])
def test_has_etag_compares_weakly(header: str) -> None:
    assert has_etag(header, 'W/"a"')


@pytest.mark.parametrize("header", ["", '"b"', "a", 'W/"ab"'])
def test_has_etag_not_for_another(header: str) -> None:
    assert not has_etag(header, 'W/"a"')


def test_zone_named_finds_a_zone() -> None:
    zone = zone_named("Europe/Berlin")
    assert zone is not None
    assert zone.key == "Europe/Berlin"


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "Europe", "..", "/etc/passwd", "a\0b", "x" * 5000]
)
def test_zone_named_finds_nothing_else(name: str) -> None:
    assert zone_named(name) is None

"""Answers as finished bytes."""

import gzip

import pytest

from frontend.agenda.responses import JSON, Finished, Memo

BODY = b'{"items": []}' * 50


def scope(**headers: str) -> dict[str, object]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "headers": pairs}


def finished() -> Finished:
    return Finished(BODY, JSON, {"cache-control": "no-cache"})


def test_finished_sends_plain_bytes_to_who_takes_no_gzip() -> None:
    response = finished().response(scope())
    assert response.status_code == 200
    assert response.body == BODY
    assert "content-encoding" not in response.headers


def test_finished_sends_gzip_to_who_takes_it() -> None:
    response = finished().response(scope(accept_encoding="br, gzip"))
    assert gzip.decompress(bytes(response.body)) == BODY
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-length"] == str(len(response.body))
    assert response.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_finished_sends_a_304_to_who_has_it(encoding: str) -> None:
    answer = finished()
    etag = answer.response(scope()).headers["etag"]
    response = answer.response(scope(if_none_match=etag, accept_encoding=encoding))
    assert (response.status_code, response.body) == (304, b"")
    assert response.headers["etag"] == etag
    assert "content-length" not in response.headers


@pytest.mark.parametrize("held", [False, True])
def test_finished_takes_headers_that_are_not_kept(held: bool) -> None:
    answer = finished()
    etag = answer.response(scope()).headers["etag"] if held else ""
    asked = scope(if_none_match=etag)
    assert answer.response(asked, ((b"x-a", b"1"),)).headers["x-a"] == "1"
    assert "x-a" not in answer.response(asked).headers


def test_finished_does_not_share_headers_between_answers() -> None:
    answer = finished()
    answer.response(scope()).set_cookie("session", "secret")
    assert "set-cookie" not in answer.response(scope()).headers


def test_memo_makes_an_answer_once() -> None:
    memo = Memo()
    first = memo.get("key", finished)
    assert memo.get("key", finished) is first
    assert memo.get("other", finished) is not first


def test_memo_forgets_what_was_asked_for_longest_ago() -> None:
    memo = Memo(max_bytes=finished().size * 2)
    first, second = memo.get(1, finished), memo.get(2, finished)
    memo.get(1, finished)
    memo.get(3, finished)
    assert memo.get(1, finished) is first
    assert memo.get(2, finished) is not second

"""Bad input: a problem with its own type, and no mail."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest

Order = Callable[..., dict[str, Any]]
Post = Callable[..., httpx2.Response]
Kind = Callable[[httpx2.Response], tuple[int, str]]

JSON = {"Content-Type": "application/json"}


def headers(**more: str) -> dict[str, str]:
    return {**JSON, "Idempotency-Key": uuid4().hex, **more}


@pytest.mark.parametrize("key", [None, ""])
def test_missing_key_has_a_problem_of_its_own(
    client: httpx2.Client, order: Order, problem: Kind, key: str | None
) -> None:
    sent = JSON if key is None else {**JSON, "Idempotency-Key": key}
    answer = client.post("/emails", json=order(), headers=sent)
    assert problem(answer) == (400, "idempotency-key-missing")


@pytest.mark.parametrize("key", ["x" * 201, "two words", "schlüssel".encode()])
def test_malformed_key_is_refused(
    client: httpx2.Client, order: Order, problem: Kind, key: str | bytes
) -> None:
    raw = key.encode() if isinstance(key, str) else key
    answer = client.post("/emails", json=order(), headers={b"Idempotency-Key": raw})
    assert problem(answer) == (422, "invalid-request")
    assert [each["field"] for each in answer.json()["errors"]] == ["idempotency-key"]


def test_longest_key_is_taken(order: Order, post: Post) -> None:
    assert post(order(), "!~" * 100).status_code == 202


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("to", ""),
        ("to", "   "),
        ("to", "ada"),
        ("to", "ada@"),
        ("to", "ada@example.org, eve@example.org"),
        ("to", "Ada <ada@example.org>"),
        ("to", "ada@example.org\r\nRCPT TO:<eve@example.org>"),
        ("to", "ada\x00@example.org"),
        ("to", "\ud800@example.org"),
        ("to", f"{'a' * 250}@example.org"),
        ("to", None),
        ("to", ["ada@example.org"]),
        ("reference", ""),
        ("reference", "x" * 201),
        ("reference", "a\nb"),
        ("reference", "\ud800"),
        ("reference", 1),
        ("template", ""),
        ("template", "a\x00"),
        ("template", "x" * 101),
        ("template", {}),
        ("data", None),
        ("data", []),
        ("data", "text"),
        ("extra", 1),
    ],
)
def test_bad_field_is_named(
    client: httpx2.Client, order: Order, problem: Kind, field: str, value: object
) -> None:
    body = json.dumps(order(**{field: value}))
    answer = client.post("/emails", content=body, headers=headers())
    assert problem(answer) == (422, "invalid-request")
    assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("field", ["template", "to", "reference", "data"])
def test_missing_field_is_named(order: Order, post: Post, problem: Kind, field: str) -> None:
    body = order()
    del body[field]
    answer = post(body)
    assert problem(answer) == (422, "invalid-request")
    assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("template", ["nothing", "../main", "layout", "proposal-received/body"])
def test_unknown_template_names_those_there_are(
    order: Order, post: Post, problem: Kind, template: str
) -> None:
    answer = post(order(template=template))
    assert problem(answer) == (422, "unknown-template")
    assert "proposal-received" in answer.json()["templates"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None}, "data.title"),
        ({"title": " "}, "data.title"),
        ({"title": "x" * 301}, "data.title"),
        ({"title": {"$ne": 1}}, "data.title"),
        ({"speaker_name": 7}, "data.speaker_name"),
        ({"link": "javascript:alert(1)"}, "data.link"),
        ({"message": "not for this template"}, "data.message"),
    ],
)
def test_wrong_data_are_named(
    order: Order, post: Post, problem: Kind, change: dict[str, Any], field: str
) -> None:
    body = order()
    body["data"].update(change)
    answer = post(body)
    assert problem(answer) == (422, "template-data")
    assert [each["field"] for each in answer.json()["errors"]] == [field]


def test_refused_body_leaves_the_key_and_the_ledger_alone(
    client: httpx2.Client, order: Order, post: Post
) -> None:
    body, key = order(), uuid4().hex
    assert post({**body, "data": {}}, key).status_code == 422
    listed = client.get("/emails", params={"reference": body["reference"]})
    assert listed.json() == {"items": []}
    assert post(body, key).status_code == 202


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (422, "invalid-request")),
        (b"   ", (400, "malformed-body")),
        (b"hello", (400, "malformed-body")),
        (b'{"to": "ada@example.org"', (400, "malformed-body")),
        (b"\xff\xfe\x00", (400, "body-not-utf-8")),
        (b'{"to": "\xff"}', (400, "body-not-utf-8")),
        (b"[" * 30_000, (400, "malformed-body")),
        (b"null", (422, "invalid-request")),
        (b"[]", (422, "invalid-request")),
        (b"NaN", (422, "invalid-request")),
        (b'{"\\ud800": 1}', (422, "invalid-request")),
    ],
)
def test_body_that_is_no_order_is_a_problem(
    client: httpx2.Client, problem: Kind, body: bytes, expected: tuple[int, str]
) -> None:
    answer = client.post("/emails", content=body, headers=headers())
    assert problem(answer) == expected


def test_lone_surrogates_anywhere_in_the_data_are_a_problem(
    client: httpx2.Client, order: Order, problem: Kind
) -> None:
    finding = {"check": "a", "subject": "b", "detail": "c", "cure": "d", "\ud800": "\ud800"}
    for data in ({"\ud800": "x"}, {"findings": [finding], "link": "https://example.org/"}):
        body = json.dumps(order(template="consistency-report", data=data))
        answer = client.post("/emails", content=body, headers=headers())
        assert problem(answer) == (422, "template-data")


@pytest.mark.parametrize("chunked", [False, True])
def test_ten_megabytes_are_refused(client: httpx2.Client, problem: Kind, chunked: bool) -> None:
    parts = [b"x" * 1_000_000] * 10
    try:
        answer = client.post(
            "/emails", content=iter(parts) if chunked else b"".join(parts), headers=headers()
        )
    except httpx2.WriteError:
        # The answer came before the whole body went, and the connection was closed.
        return
    assert problem(answer) == (413, "body-too-large")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_body_of_another_kind_is_refused(
    client: httpx2.Client, order: Order, problem: Kind, kind: str
) -> None:
    answer = client.post(
        "/emails", content=json.dumps(order()), headers=headers(**{"Content-Type": kind})
    )
    assert problem(answer) == (415, "unsupported-media-type")


@pytest.mark.parametrize("query", ["", "?reference=", "?reference=%00", "?reference=" + "x" * 201])
def test_list_needs_a_reference(client: httpx2.Client, problem: Kind, query: str) -> None:
    answer = client.get(f"/emails{query}")
    assert problem(answer) == (422, "invalid-request")
    assert [each["field"] for each in answer.json()["errors"]] == ["reference"]


def test_unknown_address_and_method_are_problems(client: httpx2.Client, problem: Kind) -> None:
    assert problem(client.get("/emails/1")) == (404, "not-found")
    refused = client.delete("/emails")
    assert problem(refused) == (405, "method-not-allowed")
    assert refused.headers["allow"]

"""Errors as problem documents."""

import orjson

from servicekit.problems import MEDIA_TYPE, Problem, ProblemType, responses, unavailable

FULL = ProblemType("full", 409, "It is full", "Make room.")
LATE = ProblemType("late", 409, "It is late", "Come earlier.")


def test_problem_carries_its_type_and_members() -> None:
    response = Problem(FULL, "All 40 seats are taken.", seats=40).response()
    assert (response.status_code, response.media_type) == (409, MEDIA_TYPE)
    assert orjson.loads(response.body) == {
        "type": "urn:problem:full",
        "title": "It is full",
        "status": 409,
        "detail": "All 40 seats are taken.",
        "seats": 40,
    }


def test_unavailable_says_when_to_try_again() -> None:
    assert unavailable("The database", 7).response().headers["retry-after"] == "7"


def test_responses_group_types_by_status() -> None:
    described = responses(FULL, LATE)
    assert set(described) == {409}
    assert described[409]["description"] == "urn:problem:full · urn:problem:late"

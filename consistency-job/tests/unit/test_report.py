from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

from consistency.domain import Finding
from consistency.report import MAX_FINDINGS_BYTES, limit_size, make_mail_key

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
ONE = Finding("a check", UUID(int=1), "It does not fit.", "Make it fit.")
TWO = replace(ONE, subject=UUID(int=2))


def test_mail_key_is_the_same_for_the_same_findings_on_one_day() -> None:
    again = [TWO, replace(ONE, detail="It still does not fit.")]
    assert make_mail_key([ONE, TWO], (), NOON) == make_mail_key(
        again, (), NOON + timedelta(hours=11)
    )


def test_mail_key_changes_with_the_day() -> None:
    assert make_mail_key([ONE], (), NOON) != make_mail_key([ONE], (), NOON + timedelta(days=1))


def test_mail_key_changes_with_the_findings() -> None:
    assert len({make_mail_key(found, (), NOON) for found in ([ONE], [TWO], [ONE, TWO])}) == 3


def test_mail_key_changes_when_a_finding_is_repaired() -> None:
    assert make_mail_key([ONE], (), NOON) != make_mail_key([ONE], {ONE}, NOON)


def test_mail_key_is_one_that_services_take() -> None:
    key = make_mail_key([ONE], (), NOON)
    assert key.isascii()
    assert " " not in key
    assert len(key) <= 200


def test_limit_size_drops_only_what_a_request_can_not_carry() -> None:
    items: list[dict[str, str | bool]] = [{"detail": "x" * 1000}] * 100
    sent = limit_size(items)
    assert 50 < len(sent) < 100
    assert len(orjson.dumps(sent)) <= MAX_FINDINGS_BYTES + 2
    assert limit_size(sent) == sent

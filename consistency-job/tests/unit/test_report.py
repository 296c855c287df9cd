from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

from consistency.domain import Finding
from consistency.report import LARGEST_BODY_BYTES, mail_key, that_fit

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
ONE = Finding("a check", UUID(int=1), "It does not fit.", "Make it fit.")
TWO = replace(ONE, subject=UUID(int=2))


def test_mail_key_is_the_same_for_the_same_findings_on_one_day() -> None:
    again = [TWO, replace(ONE, detail="It still does not fit.")]
    assert mail_key([ONE, TWO], (), NOON) == mail_key(again, (), NOON + timedelta(hours=11))


def test_mail_key_changes_with_the_day() -> None:
    assert mail_key([ONE], (), NOON) != mail_key([ONE], (), NOON + timedelta(days=1))


def test_mail_key_changes_with_the_findings() -> None:
    assert len({mail_key(found, (), NOON) for found in ([ONE], [TWO], [ONE, TWO])}) == 3


def test_mail_key_changes_when_a_finding_is_repaired() -> None:
    assert mail_key([ONE], (), NOON) != mail_key([ONE], {ONE}, NOON)


def test_mail_key_is_one_that_services_take() -> None:
    key = mail_key([ONE], (), NOON)
    assert key.isascii()
    assert " " not in key
    assert len(key) <= 200


def test_that_fit_drops_only_what_a_request_can_not_carry() -> None:
    items: list[dict[str, str | bool]] = [{"detail": "x" * 1000}] * 100
    sent = that_fit(items)
    assert 50 < len(sent) < 100
    assert len(orjson.dumps(sent)) <= LARGEST_BODY_BYTES + 2
    assert that_fit(sent) == sent

"""Missing and wrong settings stop the start, each with a sentence; the unit tests know each."""

from collections.abc import Callable

from testkit.process import Program, refusal


def test_missing_and_wrong_settings_stop_the_start(
    make_email_service: Callable[..., Program],
) -> None:
    url = "redis://127.0.0.1:1/0"
    changed = {"PORT": "", "VALKEY_URL": "", "SMTP_TLS": "yes", "MAIL_FROM": "nobody"}
    said = refusal(make_email_service(url, 1, **changed)).splitlines()
    found = {sentence.partition(":")[0].partition(" (")[0] for sentence in said}
    assert found == {
        "The setting PORT is missing",
        "The setting VALKEY_URL is missing",
        "The setting SMTP_TLS is wrong",
        "The setting MAIL_FROM is wrong",
    }

"""Missing and wrong settings stop the start, each with a sentence; the unit tests know each."""

from embedded import services
from embedded.process import refusal
from servicekit.testing import free_port


def test_missing_and_wrong_settings_stop_the_start() -> None:
    nobody = services.Identities("http://127.0.0.1:1")
    url = "redis://127.0.0.1:1/0"
    changed = {"PORT": "", "VALKEY_URL": "", "SMTP_TLS": "yes", "MAIL_FROM": "nobody"}
    said = refusal(services.email(free_port(), free_port(), url, 1, nobody, changed)).splitlines()
    found = {sentence.partition(":")[0].partition(" (")[0] for sentence in said}
    assert found == {
        "The setting PORT is missing",
        "The setting VALKEY_URL is missing",
        "The setting SMTP_TLS is wrong",
        "The setting MAIL_FROM is wrong",
    }

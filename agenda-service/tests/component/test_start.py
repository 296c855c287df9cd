"""The process: what stops its start, what does not, and another schedule the next time."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from agenda.settings import AgendaSettings
from servicekit.settings import load
from testkit.ports import free_port
from testkit.process import Process, Program, refusal, running

GOOD = Path(__file__).parents[1].joinpath("schedule.toml").read_text()
WITHOUT_MAIN = GOOD.replace('"main"', '"cellar"')
WithSettings = Callable[[Mapping[str, str]], Program]


@pytest.fixture
def with_settings(make_agenda_service: Callable[..., Program]) -> WithSettings:
    """Make a service with these settings over good ones; an empty one counts as missing."""
    # The provider is not there either: nothing here waits for it.
    nowhere = {"OIDC_ISSUER": "http://127.0.0.1:1"}
    return lambda env: make_agenda_service("redis://127.0.0.1:1/0", **{**nowhere, **env})


def test_missing_settings_stop_the_start(with_settings: WithSettings) -> None:
    names = ["OIDC_ISSUER", "PORT", "METRICS_PORT", "VALKEY_URL", "SCHEDULE_FILE"]
    sentences = refusal(with_settings(dict.fromkeys(names, ""))).splitlines()
    found = [sentence.partition(" is missing: it is ")[0] for sentence in sentences]
    assert found == [f"The setting {name}" for name in names]


def test_wrong_settings_stop_the_start(with_settings: WithSettings) -> None:
    wrong = {
        "PROFILE": "holiday",
        "PORT": "70000",
        "METRICS_PORT": "eighty",
        "VALKEY_URL": "http://127.0.0.1",
        "VALKEY_TIMEOUT_SECONDS": "0",
    }
    sentences = refusal(with_settings(wrong)).splitlines()
    found = [sentence.partition(" is wrong (")[0] for sentence in sentences]
    assert found == [f"The setting {name}" for name in wrong]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, " can't be read: No such file or directory)"),
        (b"", ": timezone: Field required)"),
        (b"timezone = ", " is not TOML: Invalid value (at end of document))"),
        (b"\xff\xfe", " is not TOML: 'utf-8' codec can't decode"),
        (GOOD.replace('"garden"', '"Garden Room"').encode(), ": rooms: 2: id: String should"),
        (GOOD.replace('"garden"', '"main"').encode(), ": rooms: main is there 2 times)"),
    ],
)
def test_wrong_schedule_stops_the_start(
    content: bytes | None,
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    with_settings: WithSettings,
) -> None:
    path = tmp_path / "schedule.toml"
    if content is not None:
        path.write_bytes(content)
    for name, value in with_settings({"SCHEDULE_FILE": str(path)}).env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        load(AgendaSettings)
    (sentence,) = str(ended.value).splitlines()
    assert sentence.startswith(f"The setting SCHEDULE_FILE is wrong ({path}{complaint}")


def test_start_does_not_wait_for_valkey(tmp_path: Path, with_settings: WithSettings) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    with running(with_settings({"VALKEY_URL": nowhere}), tmp_path) as process:
        assert httpx2.get(f"{process.url}/sessions").status_code == 503
        assert httpx2.get(f"{process.url}/schedule").status_code == 200


@pytest.mark.usefixtures("valkey")
def test_agenda_outlives_the_service(
    valkey_server: Process,
    make_agenda_service: Callable[..., Program],
    rights: Mapping[str, str],
    tmp_path: Path,
    talk: Callable[..., dict[str, Any]],
    new_id: Callable[[], str],
) -> None:
    program = make_agenda_service(valkey_server.url)
    with running(program, tmp_path) as process:
        httpx2.put(f"{process.url}/sessions/{new_id()}", json=talk(), headers=rights)
        before = httpx2.get(f"{process.url}/sessions")
    with running(program, tmp_path) as process:
        headers = {"If-None-Match": before.headers["etag"]}
        assert httpx2.get(f"{process.url}/sessions", headers=headers).status_code == 304
        assert httpx2.get(f"{process.url}/sessions").json() == before.json()


@pytest.mark.usefixtures("valkey")
def test_slot_that_the_schedule_loses_is_given_up_for_another(
    valkey_server: Process,
    make_agenda_service: Callable[..., Program],
    rights: Mapping[str, str],
    tmp_path: Path,
    talk: Callable[..., dict[str, Any]],
    new_id: Callable[[], str],
) -> None:
    stays, leaves = new_id(), new_id()
    in_main = f"/sessions/{leaves}"
    with running(
        make_agenda_service(valkey_server.url),
        tmp_path,
    ) as process:
        httpx2.put(f"{process.url}{in_main}", json=talk(title="Was in main"), headers=rights)
        httpx2.put(
            f"{process.url}/sessions/{stays}", json=talk(title="Is in harbour"), headers=rights
        )
        before = httpx2.get(f"{process.url}/sessions")
    schedule = tmp_path / "schedule.toml"
    schedule.write_text(WITHOUT_MAIN)
    program = make_agenda_service(valkey_server.url, SCHEDULE_FILE=str(schedule))
    with running(program, tmp_path) as process:
        # The same in Valkey, another agenda: the tag of before must not hold.
        headers = {"If-None-Match": before.headers["etag"]}
        after = httpx2.get(f"{process.url}/sessions", headers=headers)
        assert [item["title"] for item in after.json()["items"]] == ["Is in harbour"]
        assert httpx2.get(f"{process.url}{in_main}").status_code == 404
        # As the consistency job would: say it again.
        response = httpx2.put(
            f"{process.url}{in_main}", json=talk(title="Was in main"), headers=rights
        )
        assert response.status_code == 201
        assert response.json()["slot"]["id"] == "20270614T0900-cellar"
        assert len(httpx2.get(f"{process.url}/sessions").json()["items"]) == 2

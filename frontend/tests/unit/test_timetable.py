from datetime import UTC, datetime

from frontend.agenda.timetable import UNKNOWN, Choice, arrange, choose, upcoming
from frontend.clients.schemas import ListedSession, Room, Schedule

from .conftest import SCHEDULE, SESSION

PLAN = Schedule.model_validate(SCHEDULE)
FIRST = ListedSession.model_validate(SESSION)
LAST = FIRST.model_copy(update={"slot": PLAN.slots[3], "title": "The last one"})


def test_sessions_stand_in_their_day_row_and_room() -> None:
    days = arrange([FIRST, LAST], PLAN, Choice()).days

    assert [day.date.isoformat() for day in days] == ["2027-06-14", "2027-06-15"]
    assert [room.name for room in days[0].rooms] == ["Main Hall", "Garden Room"]
    assert [list(row.cells) for row in days[0].rows] == [[FIRST, None]]
    assert [list(row.cells) for row in days[1].rows] == [[None, LAST]]


def test_a_choice_narrows_sessions_and_columns() -> None:
    arranged = arrange([FIRST, LAST], PLAN, Choice(track="People"))

    assert [day.date.isoformat() for day in arranged.days] == ["2027-06-15"]
    assert [room.id for room in arranged.days[0].rooms] == ["garden"]


def test_a_room_that_left_the_schedule_keeps_its_session() -> None:
    slot = FIRST.slot.model_copy(update={"room": Room(id="attic", name="Attic")})
    (day,) = arrange([FIRST.model_copy(update={"slot": slot})], PLAN, Choice()).days

    assert day.rooms[-1].name == "Attic"
    assert day.rows[0].cells[-1] is not None


def test_what_the_schedule_does_not_know_becomes_one_choice() -> None:
    choice = choose(PLAN, "yesterday", "'; DROP", "x" * 10_000)

    assert choice == Choice(UNKNOWN, UNKNOWN, UNKNOWN)
    assert arrange([FIRST], PLAN, choice).days == []
    assert not arrange([FIRST], PLAN, choice).is_empty


def test_filters_lead_to_the_other_choices_and_keep_the_rest() -> None:
    day, room, track = arrange([], PLAN, Choice(day="2027-06-14", room="main")).filters

    assert [option.chosen for option in day.options] == [False, True, False]
    assert day.options[0].address == "/agenda?room=main"
    assert room.options[2].address == "/agenda?day=2027-06-14&room=garden"
    assert [option.label for option in track.options] == ["All", "Platform", "People"]


def test_a_filter_with_one_option_is_left_out() -> None:
    one_day = PLAN.model_copy(update={"days": PLAN.days[:1]})

    assert [each.name for each in arrange([], one_day, Choice()).filters] == ["Room", "Track"]


def test_upcoming_leaves_out_what_has_ended() -> None:
    now = datetime(2027, 6, 14, 8, 0, tzinfo=UTC)

    assert upcoming([FIRST, LAST], now, 5) == [LAST]

"""Organizers decide, move sessions, send mails again, and find what they look for."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from tests.acceptance.mails import Mails
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.visitor import Visitor

from testkit.waiting import wait_for

AT_ONCE = 50
MESSAGE = "Message to the speaker (optional)"
MESSAGE_TO_MANY = "Message to the selected speakers (optional)"
ON_A_PAGE = 50
DASH = "\N{EN DASH}"


def test_accepted_proposal_is_on_the_agenda_and_its_speaker_knows(
    organizer: Visitor,
    speaker: Visitor,
    talk: Talk,
    submitted: Answer,
    mails: Mails,
    office: Office,
) -> None:
    organizer.open("/back-office")
    organizer.press("Search", {"Search the proposals": talk["title"]})
    organizer.follow(talk["title"])
    organizer.press("Accept", {MESSAGE: "Please bring\nyour own canary."})
    assert organizer.page.said("status").startswith("The proposal is accepted.")

    mail = mails.wait_for(talk["speaker_email"], f"Your proposal is accepted: {talk['title']}")
    assert "> Please bring\n> your own canary." in mail
    office.wait_for_session(submitted)
    speaker.open(mails.link_to(talk["speaker_email"]))
    assert "Please bring your own canary." in speaker.page.text
    speaker.follow("See when and where")
    assert speaker.page.heading == talk["title"]
    assert "What a canary tells" in speaker.page.text

    organizer.open(f"/back-office/proposals/{submitted['id']}")
    assert "Accepted by Olga Organizer" in organizer.page.text


def test_rejected_proposal_is_told_with_the_message_and_may_be_accepted_later(
    organizer: Visitor, talk: Talk, submitted: Answer, mails: Mails, office: Office
) -> None:
    organizer.open(f"/back-office/proposals/{submitted['id']}")
    organizer.press("Reject", {MESSAGE: "We had three of these."})
    assert organizer.page.said("status").startswith("The proposal is rejected.")
    mail = mails.wait_for(talk["speaker_email"], f"About your proposal: {talk['title']}")
    assert "> We had three of these." in mail
    assert office.session(submitted) is None

    organizer.press("Accept")
    office.wait_for_session(submitted)
    mails.wait_for(talk["speaker_email"], f"Your proposal is accepted: {talk['title']}")


def test_withdrawal_by_an_organizer_frees_the_slot(
    organizer: Visitor, accepted: Answer, talk: Talk, mails: Mails, office: Office
) -> None:
    organizer.open(f"/back-office/proposals/{accepted['id']}")
    organizer.press("Withdraw proposal")
    assert organizer.page.status == 422
    assert "Tick this box" in organizer.page.said("alert")
    assert office.proposal(accepted["id"])["state"] == "accepted"

    organizer.press("Withdraw proposal", {"Yes, I want to withdraw it": True})
    assert organizer.page.said("status").startswith("The proposal is withdrawn.")
    assert not organizer.page.has_button("Withdraw proposal")
    office.wait_until_off_the_agenda(accepted)
    mails.wait_for(talk["speaker_email"], f"Your proposal is withdrawn: {talk['title']}")
    assert office.events(accepted)[-1]["actor"] == "Olga Organizer"


def test_decision_on_many_tells_the_result_of_each(
    organizer: Visitor, new_talk: Callable[[], Talk], mark: str, mails: Mails, office: Office
) -> None:
    talks = [new_talk() for _ in range(3)]
    *_, last = proposals = [office.submit(each) for each in talks]
    organizer.open(f"/back-office?q={mark}")
    # Somebody else is faster with one of them.
    office.decide(last, "accepted")
    ticks = {f"Select “{each['title']}”": True for each in talks}
    organizer.press("Reject", {**ticks, MESSAGE_TO_MANY: "So many talks."})
    said = organizer.page.said("status")
    assert "2 of 3 decided" in said
    assert f"{talks[0]['title']} {DASH} is rejected." in said
    assert f"{last['title']} {DASH} refused, since it is accepted." in said
    states = [office.proposal(each["id"])["state"] for each in proposals]
    assert states == ["rejected", "rejected", "accepted"]
    for talk in talks[:2]:
        assert "> So many talks." in mails.wait_for(talk["speaker_email"], "About your proposal")
    assert not mails.to(last["speaker_email"], "About your proposal")


def test_decision_on_nothing_asks_for_a_selection(
    organizer: Visitor, submitted: Answer, mark: str
) -> None:
    organizer.open(f"/back-office?q={mark}")
    organizer.press("Accept", {MESSAGE_TO_MANY: "Kept."})
    assert organizer.page.status == 422
    assert organizer.page.said("alert") == "Select at least one proposal first."
    assert organizer.page.value(MESSAGE_TO_MANY, "Accept") == "Kept."


def test_fifty_approvals_at_once_make_one_session_and_one_mail(
    submitted: Answer, talk: Talk, mails: Mails, office: Office
) -> None:
    path = f"/proposals/{submitted['id']}/decision"
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [
            pool.submit(office.client.post, path, json={"decision": "accepted"})
            for _ in range(AT_ONCE)
        ]
        assert {each.result().status_code for each in answers} == {200}
    office.wait_until_told(submitted)
    office.wait_for_session(submitted)
    assert [each["kind"] for each in office.events(submitted)] == ["submitted", "accepted"]
    items = office.client.get("/sessions").json()["items"]
    assert sum(each["proposal_id"] == submitted["id"] for each in items) == 1
    assert mails.number(talk["speaker_email"], "Your proposal is accepted", 1) == 1
    assert office.mails(submitted) == ["accepted", "received"]


def test_opposite_decisions_at_once_leave_one_of_them(
    submitted: Answer, talk: Talk, mails: Mails, office: Office
) -> None:
    path = f"/proposals/{submitted['id']}/decision"
    # An acceptance may follow a rejection but not the other way round.
    with ThreadPoolExecutor(2) as pool:
        statuses = list(
            pool.map(
                lambda decision: office.client.post(path, json={"decision": decision}).status_code,
                ("accepted", "rejected"),
            )
        )
    assert statuses in ([200, 409], [200, 200])
    assert office.proposal(submitted["id"])["state"] == "accepted"
    office.wait_until_told(submitted)
    # Each after those before it.
    mails.wait_for(talk["speaker_email"], "Your proposal is accepted")
    rejections = mails.to(talk["speaker_email"], "About your proposal")
    assert len(rejections) == statuses.count(200) - 1


def test_session_moves_to_a_free_slot_and_not_to_a_taken_one(
    organizer: Visitor, new_talk: Callable[[], Talk], office: Office
) -> None:
    first, second = (office.submit(new_talk()) for _ in range(2))
    for each in (first, second):
        office.decide(each, "accepted")
        office.wait_for_session(each)
    organizer.open(f"/back-office/proposals/{first['id']}")
    slots = organizer.page.form("Move").options("Move to")
    free = [slot for name, slot in slots.items() if "taken" not in name and "(now)" not in name]
    organizer.press("Move", {"Move to": free[-1]})
    assert organizer.page.said("status") == "The session is moved."
    wait_for(lambda: office.wait_for_session(first)["slot"]["id"] == free[-1], "the session there")

    before = office.wait_for_session(second)["slot"]["id"]
    organizer.open(f"/back-office/proposals/{second['id']}")
    organizer.press("Move", {"Move to": free[-1]})
    assert organizer.page.status == 409
    alert = organizer.page.said("alert")
    assert first["title"] in alert
    assert alert.endswith("The session stays where it is.")
    assert office.wait_for_session(second)["slot"]["id"] == before


def test_mail_is_sent_again_on_demand(
    organizer: Visitor, talk: Talk, submitted: Answer, mails: Mails, office: Office
) -> None:
    subject = "We have your proposal"
    office.wait_until_told(submitted)
    organizer.open(f"/back-office/proposals/{submitted['id']}")
    organizer.press("Send again: email received")
    assert organizer.page.said("status") == "It is being sent again."
    assert mails.number(talk["speaker_email"], subject, 2) == 2
    office.wait_until_told(submitted)
    organizer.open(f"/back-office/proposals/{submitted['id']}")
    assert office.mails(submitted) == ["received", "received"]
    sent = [each.text for each in organizer.page.root.all("li") if " to a" in each.text]
    assert len(sent) == 2
    assert not any(talk["speaker_email"] in each for each in sent)


def test_double_click_sends_a_mail_again_only_once(
    organizer: Visitor, talk: Talk, submitted: Answer, mails: Mails, office: Office
) -> None:
    office.wait_until_told(submitted)
    organizer.open(f"/back-office/proposals/{submitted['id']}")
    form = organizer.page.form("Send again: email received")
    body = urlencode(form.filled({})).encode()
    organizer.send(form.action, body)
    office.wait_until_told(submitted)
    organizer.send(form.action, body)
    assert organizer.page.said("status").startswith("It was sent again already.")
    office.wait_until_told(submitted)
    assert mails.number(talk["speaker_email"], "We have your proposal", 2) == 2


def test_tabs_count_and_show_what_is_in_each_state(
    organizer: Visitor, new_talk: Callable[[], Talk], mark: str, office: Office
) -> None:
    by_state = {state: office.submit(new_talk()) for state in ("accepted", "rejected", "withdrawn")}
    office.submit(new_talk())
    for state in ("accepted", "rejected"):
        office.decide(by_state[state], state)
    office.withdraw(by_state["withdrawn"])
    organizer.open(f"/back-office?q={mark}")
    assert len(organizer.page.rows()) == 1 + 4
    for state, proposal in by_state.items():
        organizer.open(f"/back-office?q={mark}")
        organizer.follow(f"{state.capitalize()}1")
        (_, row) = organizer.page.rows()
        assert row[1] == proposal["title"]
        assert row[3].startswith(state)
    organizer.follow("Clear the search")
    assert f"q={mark}" not in organizer.page.url


def test_search_that_finds_nothing_says_so(organizer: Visitor, mark: str) -> None:
    organizer.open("/back-office")
    organizer.press("Search", {"Search the proposals": f"{mark} <nowhere>"})
    assert f"No proposal fits “{mark} <nowhere>”." in organizer.page.text
    assert organizer.page.value("Search the proposals", "Search") == f"{mark} <nowhere>"


def test_search_that_is_too_long_says_so_and_stays_in_the_box(
    organizer: Visitor, submitted: Answer, mark: str
) -> None:
    words = f"{mark} {'x' * 100}"
    organizer.open("/back-office")
    organizer.press("Search", {"Search the proposals": words})
    assert organizer.page.status == 422
    assert organizer.page.said("alert") == "Use at most 100 characters; these are 113."
    assert organizer.page.value("Search the proposals", "Search") == words
    assert not organizer.page.rows()
    organizer.press("Search", {"Search the proposals": mark})
    assert organizer.page.rows()[1][1] == submitted["title"]


def test_long_list_is_turned_page_by_page(
    organizer: Visitor, talk: Talk, mark: str, office: Office
) -> None:
    titles = [f"{talk['title']} {number:02}" for number in range(ON_A_PAGE + 3)]
    for title in titles:
        office.submit({**talk, "title": title})
    organizer.open(f"/back-office?q={mark}")
    seen = [row[1] for row in organizer.page.rows()[1:]]
    assert len(seen) == ON_A_PAGE
    organizer.follow("Older proposals")
    seen += [row[1] for row in organizer.page.rows()[1:]]
    assert seen == titles[::-1]
    assert not organizer.page.has_link("Older proposals")
    organizer.follow("Newest")
    assert organizer.page.rows()[1][1] == titles[-1]


def test_window_that_ends_before_it_begins_is_refused(
    organizer: Visitor, window: Answer, office: Office
) -> None:
    organizer.open("/back-office/window")
    organizer.press("Save changes", {"Opens": "2027-02-01T00:00", "Closes": "2027-01-01T00:00"})
    assert organizer.page.status == 422
    error = "The call must close after it opens."
    assert organizer.page.error("Closes", "Save changes") == error
    assert organizer.page.value("Opens", "Save changes") == "2027-02-01T00:00"
    assert office.window() == window


def test_consistency_page_shows_the_latest_reports(organizer: Visitor, office: Office) -> None:
    def shows_all() -> bool:
        reports = office.client.get("/consistency-reports").json()["items"]
        page = organizer.open("/back-office/consistency")
        assert page.status == 200
        shown = [each.get("id") for each in page.root.all("h2") if each.has("id")]
        return shown == [f"report-{each['id']}" for each in reports]

    # A report may come between the two looks.
    wait_for(shows_all, "the page and the API to agree")
    assert organizer.page.heading == "Consistency"

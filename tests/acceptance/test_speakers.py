"""Speakers hand in a talk, come back by the link in their mail, change it, and take it back."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from tests.acceptance.mails import Mails
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.visitor import Visitor

SUBMIT = "Submit proposal"
LABELS = {
    "title": "Title",
    "abstract": "Abstract",
    "speaker_name": "Your name",
    "speaker_email": "Email",
}


def typed(talk: Talk) -> dict[str, str | bool]:
    return {label: talk[name] for name, label in LABELS.items()}


def shown(visitor: Visitor) -> Talk:
    return {name: visitor.page.value(label, SUBMIT) for name, label in LABELS.items()}


def test_speaker_hands_in_a_talk_and_gets_a_link_by_mail(
    speaker: Visitor, talk: Talk, mails: Mails
) -> None:
    speaker.open("/")
    speaker.follow("Call for Proposals")
    speaker.press(SUBMIT, typed(talk))
    assert speaker.page.status == 200
    assert speaker.page.heading == "Thank you, your proposal is in"

    speaker.open(mails.link_to(talk["speaker_email"]))
    assert speaker.page.heading == talk["title"]
    assert "The organizers have not decided yet." in speaker.page.text
    assert speaker.page.value("Abstract", "Save changes") == talk["abstract"]


def test_form_sent_twice_makes_one_proposal(
    speaker: Visitor, talk: Talk, office: Office, mark: str, mails: Mails
) -> None:
    speaker.open("/call-for-proposals")
    pairs = speaker.page.form(SUBMIT).filled(typed(talk))
    body = urlencode(pairs).encode()
    first = speaker.send("/call-for-proposals", body)
    second = speaker.send("/call-for-proposals", body)
    assert first.url == second.url
    (proposal,) = office.found(mark)
    office.wait_until_told(proposal)
    assert mails.number(talk["speaker_email"], "We have your proposal", 1) == 1


def test_form_sent_again_with_another_text_asks_before_it_makes_a_second_one(
    speaker: Visitor, new_talk: Callable[[], Talk], office: Office, mark: str
) -> None:
    first, second = new_talk(), new_talk()
    speaker.open("/call-for-proposals")
    form = speaker.page.form(SUBMIT)
    speaker.send(form.action, urlencode(form.filled(typed(first))).encode())
    speaker.send(form.action, urlencode(form.filled(typed(second))).encode())
    assert "This form was sent before" in speaker.page.said("alert")
    assert shown(speaker) == second
    assert len(office.found(mark)) == 1
    speaker.press(SUBMIT)
    assert len(office.found(mark)) == 2


def test_generate_fills_the_form_with_something_that_can_be_handed_in(speaker: Visitor) -> None:
    speaker.open("/call-for-proposals")
    speaker.press("Generate")
    assert all(shown(speaker).values())
    # Handed in it would be a proposal that no test could tell from other people's.
    speaker.press(SUBMIT, {"Email": ""})
    alert = speaker.page.said("alert")
    assert alert == "Please look at this again Enter an address such as name@example.org."


@pytest.mark.parametrize(
    ("label", "wrong", "error"),
    [
        ("Title", "", "Enter a title."),
        ("Title", "x" * 201, "Use at most 200 characters; these are 201."),
        ("Title", "bell \x07", "This cannot be stored: control characters are not allowed."),
        ("Abstract", " \n ", "Write an abstract."),
        ("Your name", "", "Enter your name."),
        ("Email", "nobody", "Enter an address such as name@example.org."),
    ],
)
def test_error_stands_beside_its_field_and_all_that_was_typed_stays(
    speaker: Visitor, talk: Talk, office: Office, mark: str, label: str, wrong: str, error: str
) -> None:
    speaker.open("/call-for-proposals")
    speaker.press(SUBMIT, {**typed(talk), label: wrong})
    assert speaker.page.status == 422
    assert speaker.page.title.startswith("Error:")
    assert speaker.page.error(label, SUBMIT) == error
    others = {each for each in LABELS.values() if each != label}
    assert {each: speaker.page.value(each, SUBMIT) for each in others} == {
        each: text for each, text in typed(talk).items() if each != label
    }
    assert not office.found(mark)
    speaker.press(SUBMIT, {label: typed(talk)[label]})
    assert speaker.page.heading == "Thank you, your proposal is in"
    assert len(office.found(mark)) == 1


def test_address_that_only_the_service_knows_to_be_bad_is_told_beside_its_field(
    speaker: Visitor, talk: Talk
) -> None:
    speaker.open("/call-for-proposals")
    speaker.press(SUBMIT, {**typed(talk), "Email": "ada@@example.org"})
    assert speaker.page.status == 422
    assert speaker.page.error("Email", SUBMIT).startswith("This cannot be stored:")


def test_closed_call_keeps_what_was_typed(
    speaker: Visitor, organizer: Visitor, talk: Talk, window: Answer, office: Office, mark: str
) -> None:
    speaker.open("/call-for-proposals")
    organizer.open("/back-office/window")
    organizer.press("Save changes", {"Opens": "", "Closes": "2020-01-01T18:00"})
    assert "The window is saved." in organizer.page.said("status")

    speaker.press(SUBMIT, typed(talk))
    assert speaker.page.status == 403
    assert "The call for proposals is not open" in speaker.page.said("alert")
    for text in talk.values():
        assert text in [each.value for each in speaker.page.root.all("input", "textarea")]
    assert not speaker.page.has_button(SUBMIT)
    speaker.open("/call-for-proposals")
    assert "The call is closed" in speaker.page.text
    assert not office.found(mark)

    organizer.press("Save changes", {"Closes": ""})
    speaker.open("/call-for-proposals")
    speaker.press(SUBMIT, typed(talk))
    assert len(office.found(mark)) == 1


def test_call_that_opens_later_says_when(
    speaker: Visitor, organizer: Visitor, window: Answer
) -> None:
    organizer.open("/back-office/window")
    organizer.press("Save changes", {"Opens": "2098-05-06T07:00", "Closes": "2099-01-01T18:00"})
    speaker.open("/call-for-proposals")
    assert "The call is not open yet Come back on 6 May 2098 at 07:00" in speaker.page.text
    assert "It opens in" in speaker.page.text


def test_speaker_changes_the_talk(
    speaker: Visitor, talk: Talk, submitted: Answer, mails: Mails, office: Office
) -> None:
    speaker.open(mails.link_to(talk["speaker_email"]))
    speaker.press("Save changes", {"Title": f"{talk['title']}, better"})
    assert speaker.page.said("status") == "Your changes are saved."
    assert speaker.page.heading == f"{talk['title']}, better"
    assert office.proposal(submitted["id"])["version"] == 2
    assert [each["kind"] for each in office.events(submitted)] == ["submitted", "edited"]


def test_change_of_an_older_text_shows_both_and_loses_neither(
    speaker: Visitor,
    new_visitor: Callable[[], Visitor],
    talk: Talk,
    submitted: Answer,
    mails: Mails,
    office: Office,
) -> None:
    link = mails.link_to(talk["speaker_email"])
    elsewhere = new_visitor()
    elsewhere.open(link)
    speaker.open(link)
    elsewhere.press("Save changes", {"Abstract": "Written elsewhere."})
    speaker.press("Save changes", {"Abstract": "Written here."})
    assert speaker.page.status == 412
    assert speaker.page.heading == "It was changed meanwhile"
    assert "Written elsewhere." in speaker.page.text
    assert speaker.page.value("Abstract", "Save changes") == "Written here."
    assert office.proposal(submitted["id"])["abstract"] == "Written elsewhere."

    speaker.press("Save changes")
    assert speaker.page.said("status") == "Your changes are saved."
    assert office.proposal(submitted["id"])["abstract"] == "Written here."


def test_change_after_the_decision_is_refused_and_shown(
    speaker: Visitor, talk: Talk, submitted: Answer, mails: Mails, office: Office
) -> None:
    speaker.open(mails.link_to(talk["speaker_email"]))
    office.decide(submitted, "rejected")
    speaker.press("Save changes", {"Abstract": "Too late."})
    assert speaker.page.status == 409
    assert "cannot be changed any more" in speaker.page.said("alert")
    assert "Too late." in speaker.page.text
    assert office.proposal(submitted["id"])["abstract"] == talk["abstract"]


def test_speaker_withdraws_and_the_session_leaves_the_agenda(
    speaker: Visitor, talk: Talk, accepted: Answer, mails: Mails, office: Office
) -> None:
    speaker.open(mails.link_to(talk["speaker_email"]))
    speaker.press("Withdraw proposal")
    assert speaker.page.status == 422
    assert "Tick this box" in speaker.page.said("alert")
    assert office.proposal(accepted["id"])["state"] == "accepted"

    speaker.press("Withdraw proposal", {"Yes, I want to withdraw it": True})
    assert speaker.page.said("status") == "Your proposal is withdrawn. A mail confirms it."
    office.wait_until_off_the_agenda(accepted)
    mails.wait_for(talk["speaker_email"], f"Your proposal is withdrawn: {talk['title']}")
    assert speaker.open(f"/agenda/{accepted['id']}").status == 404


def test_forged_link_opens_nothing(
    speaker: Visitor, talk: Talk, submitted: Answer, mails: Mails
) -> None:
    link = mails.link_to(talk["speaker_email"])
    swapped = "a" if link[-2] != "a" else "b"
    for forged in (f"{link[:-2]}{swapped}{link[-1]}", f"{link}x", link[: link.index("?")]):
        speaker.open(forged)
        assert speaker.page.status == 403
        assert speaker.page.heading == "This link does not open the proposal"
        assert talk["title"] not in speaker.page.text


def test_link_to_another_proposal_opens_nothing(
    speaker: Visitor, new_talk: Callable[[], Talk], office: Office, mails: Mails
) -> None:
    mine, other = new_talk(), new_talk()
    office.submit(mine)
    others_id = office.submit(other)["id"]
    token = mails.link_to(mine["speaker_email"]).partition("?")[2]
    assert speaker.open(f"/proposals/{others_id}?{token}").status == 403
    assert other["title"] not in speaker.page.text


def test_text_with_markup_is_shown_as_it_was_typed(
    speaker: Visitor, talk: Talk, mails: Mails, office: Office
) -> None:
    text = f"<script>alert(1)</script> & “quotes” 'n' \"more\" {talk['title']}"
    proposal = office.submit({**talk, "title": text})
    office.decide(proposal, "accepted", "<b>bold</b>")
    office.wait_for_session(proposal)
    assert text in speaker.open("/agenda").text
    assert speaker.open(f"/agenda/{proposal['id']}").heading == text
    speaker.open(mails.link_to(talk["speaker_email"]))
    assert "<b>bold</b>" in speaker.page.text

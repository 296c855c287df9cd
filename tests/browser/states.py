"""Every page in every state that it can be in: how to get there, by name."""

from collections.abc import Callable

from tests.browser.scene import Scene

UNKNOWN = "01890000-0000-7000-8000-000000000001"


State = Callable[[Scene], None]
STATES: dict[str, State] = {}


def state(function: State) -> State:
    """Add a state under the name of its function."""
    STATES[function.__name__.replace("_", " ")] = function
    return function


# --- for everybody


@state
def home(scene: Scene) -> None:
    scene.accepted()
    scene.open("/")


@state
def agenda(scene: Scene) -> None:
    scene.accepted()
    scene.open("/agenda")


@state
def agenda_of_nothing(scene: Scene) -> None:
    scene.open("/agenda?track=nowhere")


@state
def session(scene: Scene) -> None:
    scene.open(f"/agenda/{scene.accepted()['id']}")


@state
def about(scene: Scene) -> None:
    scene.open("/about")


@state
def nothing_there(scene: Scene) -> None:
    scene.open("/nowhere")


@state
def address_not_valid(scene: Scene) -> None:
    scene.open("/agenda/not-an-id")


@state
def not_in_this_way(scene: Scene) -> None:
    scene.open("/sign-out")


# --- the call for proposals


@state
def call(scene: Scene) -> None:
    scene.office.set_window(None, "2098-01-01T00:00:00Z")
    scene.open("/call-for-proposals")


@state
def call_with_example(scene: Scene) -> None:
    scene.open("/call-for-proposals?generate=1")


@state
def call_with_errors(scene: Scene) -> None:
    scene.open("/call-for-proposals")
    scene.press("Submit proposal", title=scene.mark, speaker_email="nobody")


@state
def call_closed(scene: Scene) -> None:
    scene.office.set_window(None, "2020-01-01T00:00:00Z")
    scene.open("/call-for-proposals")


@state
def call_closed_meanwhile(scene: Scene) -> None:
    scene.open("/call-for-proposals?generate=1")
    scene.office.set_window(None, "2020-01-01T00:00:00Z")
    scene.press("Submit proposal", title=scene.mark)


@state
def call_not_open_yet(scene: Scene) -> None:
    scene.office.set_window("2098-01-01T00:00:00Z", None)
    scene.open("/call-for-proposals")


@state
def proposal_received(scene: Scene) -> None:
    scene.open("/call-for-proposals?generate=1")
    scene.press("Submit proposal", title=scene.mark)


# --- the own proposal


@state
def my_proposal_submitted(scene: Scene) -> None:
    scene.as_speaker(scene.submitted())


@state
def my_proposal_saved(scene: Scene) -> None:
    scene.as_speaker(scene.submitted())
    scene.press("Save changes", abstract="Shorter.")


@state
def my_proposal_with_errors(scene: Scene) -> None:
    scene.as_speaker(scene.submitted())
    scene.press("Save changes", title="", abstract="")


@state
def my_proposal_changed_meanwhile(scene: Scene) -> None:
    proposal = scene.submitted()
    scene.as_speaker(proposal)
    path, change = f"/proposals/{proposal['id']}", {"title": f"{scene.mark} elsewhere"}
    assert scene.office.client.patch(path, json=change, headers={"If-Match": "*"}).is_success
    scene.press("Save changes", abstract="Shorter.")


@state
def my_proposal_decided_meanwhile(scene: Scene) -> None:
    proposal = scene.submitted()
    scene.as_speaker(proposal)
    scene.office.decide(proposal, "rejected")
    scene.press("Save changes", abstract="Shorter.")


@state
def my_proposal_accepted(scene: Scene) -> None:
    scene.as_speaker(scene.accepted())


@state
def my_proposal_rejected(scene: Scene) -> None:
    proposal = scene.office.decide(scene.submitted(), "rejected", "We had three of these.")
    scene.as_speaker(proposal)


@state
def my_proposal_not_withdrawn(scene: Scene) -> None:
    scene.as_speaker(scene.submitted())
    scene.press("Withdraw proposal")


@state
def my_proposal_withdrawn(scene: Scene) -> None:
    scene.as_speaker(scene.submitted())
    scene.page.locator("#confirm").check()
    scene.press("Withdraw proposal")


@state
def link_refused(scene: Scene) -> None:
    scene.open(f"/proposals/{UNKNOWN}?token=forged")


# --- the back office


@state
def sign_in_page(scene: Scene) -> None:
    scene.open("/sign-in")


@state
def sign_in_refused(scene: Scene) -> None:
    sign_in_page(scene)
    scene.press("Sign in", name="Mallory", passcode="wrong")


@state
def not_signed_in(scene: Scene) -> None:
    scene.open("/sign-in/callback")


@state
def role_missing(scene: Scene) -> None:
    scene.as_somebody("/back-office", "Ada Lovelace")


@state
def review(scene: Scene) -> None:
    proposal = f"/back-office/proposals/{scene.submitted()['id']}"
    scene.as_somebody(proposal, "Rita Reviewer", "reviewer")
    scene.press("Save the review", comment="")


@state
def reviewed(scene: Scene) -> None:
    address = f"/back-office/proposals/{scene.submitted()['id']}"
    scene.as_somebody(address, "Rita Reviewer", "organizer", "reviewer")
    scene.page.locator("#score").select_option("4")
    scene.press("Save the review", comment="Clear, and new.")


@state
def back_office(scene: Scene) -> None:
    scene.submitted()
    scene.accepted()
    scene.as_organizer("/back-office")


@state
def back_office_finds_nothing(scene: Scene) -> None:
    scene.as_organizer(f"/back-office?state=accepted&q={scene.mark}")


@state
def back_office_search_too_long(scene: Scene) -> None:
    scene.as_organizer(f"/back-office?q={'x' * 101}")


@state
def back_office_nothing_selected(scene: Scene) -> None:
    scene.submitted()
    scene.as_organizer(f"/back-office?q={scene.mark}")
    scene.press("Accept")


@state
def back_office_with_results(scene: Scene) -> None:
    first, second = scene.submitted(), scene.submitted()
    scene.as_organizer(f"/back-office?q={scene.mark}")
    scene.office.decide(first, "accepted")
    for each in (first, second):
        scene.page.get_by_label(f"Select “{each['title']}”").check()
    scene.press("Reject")


@state
def back_office_withdrawn(scene: Scene) -> None:
    scene.office.withdraw(scene.submitted())
    scene.as_organizer(f"/back-office?state=withdrawn&q={scene.mark}")


@state
def proposal_submitted(scene: Scene) -> None:
    scene.as_organizer_of(scene.submitted())


@state
def proposal_accepted(scene: Scene) -> None:
    scene.as_organizer_of(scene.accepted())


@state
def proposal_rejected(scene: Scene) -> None:
    scene.as_organizer_of(scene.submitted())
    scene.press("Reject", message="We had three of these.")


@state
def proposal_not_withdrawn(scene: Scene) -> None:
    scene.as_organizer_of(scene.accepted())
    scene.press("Withdraw proposal")


@state
def proposal_withdrawn(scene: Scene) -> None:
    scene.as_organizer_of(scene.office.withdraw(scene.submitted()))


@state
def proposal_with_taken_slot(scene: Scene) -> None:
    other = scene.office.wait_for_session(scene.accepted())
    scene.as_organizer_of(scene.accepted())
    scene.page.locator("#slot").select_option(other["slot"]["id"])
    scene.press("Move")


@state
def call_window_page(scene: Scene) -> None:
    scene.as_organizer("/back-office/window?saved=1")


@state
def call_window_with_errors(scene: Scene) -> None:
    scene.as_organizer("/back-office/window")
    scene.press("Save changes", opens_at="2027-02-01T00:00", closes_at="2027-01-01T00:00")


@state
def consistency(scene: Scene) -> None:
    scene.as_organizer("/back-office/consistency")


@state
def proposal_unknown(scene: Scene) -> None:
    scene.as_organizer(f"/back-office/proposals/{UNKNOWN}")


# --- words that are too long for any line


LONG = {
    "title": "Donaudampfschifffahrt" * 9,
    "speaker_name": "Llanfairpwllgwyngyll" * 6,
    "abstract": "https://example.org/" + "x" * 400,
}


@state
def agenda_of_long_words(scene: Scene) -> None:
    scene.accepted(**LONG)
    scene.open("/agenda")


@state
def session_of_long_words(scene: Scene) -> None:
    scene.open(f"/agenda/{scene.accepted(**LONG)['id']}")


@state
def my_proposals(scene: Scene) -> None:
    talk = scene.submitted(**LONG)
    scene.accepted(speaker_email=talk["speaker_email"])
    scene.as_somebody("/my-proposals", "Ada Lovelace", email=talk["speaker_email"])


@state
def my_proposals_before_the_first(scene: Scene) -> None:
    scene.as_somebody("/my-proposals", "Ada Lovelace", email=f"{scene.mark}@example.org")


@state
def my_proposals_without_an_address(scene: Scene) -> None:
    scene.as_somebody("/my-proposals", "Ada Lovelace", email="")


@state
def my_proposal_of_who_is_signed_in(scene: Scene) -> None:
    talk = scene.submitted()
    scene.as_somebody(
        f"/proposals/{talk['id']}",
        "Wolfeschlegelsteinhausenbergerdorff " * 2,
        email=talk["speaker_email"],
    )


@state
def my_proposal_of_long_words(scene: Scene) -> None:
    scene.as_speaker(scene.accepted(**LONG))


@state
def my_proposal_changed_meanwhile_of_long_words(scene: Scene) -> None:
    proposal = scene.submitted(**LONG)
    scene.as_speaker(proposal)
    path, change = f"/proposals/{proposal['id']}", {"abstract": LONG["abstract"] * 2}
    assert scene.office.client.patch(path, json=change, headers={"If-Match": "*"}).is_success
    scene.press("Save changes", title=LONG["title"][:-1])


@state
def back_office_of_long_words(scene: Scene) -> None:
    scene.submitted(**LONG)
    scene.as_organizer(f"/back-office?q={LONG['title'][:100]}")


@state
def proposal_of_long_words(scene: Scene) -> None:
    scene.as_organizer_of(scene.accepted(**LONG))

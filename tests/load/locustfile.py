"""A conference day: many read the agenda, some hand in talks, a few organizers decide.

    locust -f tests/load/locustfile.py --host http://127.0.0.1:8080

PASSCODE is that of the development provider; without it there are no organizers. MAIL_URL is the
address of the mail sink; without it speakers don't come back by the link in their mail. PUBLIC_URL
is how the site calls itself, where that is not how it is reached from here.
"""

import json
import os
import random
import re
from argparse import ArgumentParser
from collections import Counter
from html import unescape
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx2
from locust import FastHttpUser, events, task
from locust.env import Environment

from frontend.example_proposals import example

PASSCODE = os.environ.get("PASSCODE", "")
MAIL_URL = os.environ.get("MAIL_URL", "").rstrip("/")
PUBLIC_URL = os.environ.get("PUBLIC_URL", "").rstrip("/")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAGE = {"Accept": "text/html"}
ACCEPTED_SHARE = 0.4
SLOTS_KEPT_FREE = 6
"""Several organizers look at the agenda at the same time, before any of them has accepted."""
Random = random.Random(2027)
"""Visitors think and choose alike in every run."""


class Acknowledged:
    """The requests that the platform has acknowledged: they have to be there afterwards."""

    def __init__(self) -> None:
        self.titles: dict[str, str] = {}
        self.decisions: dict[str, str] = {}

    def decided(self, proposal_id: str, decision: str) -> None:
        """A rejected proposal may be accepted, never the other way round."""
        if self.decisions.get(proposal_id) != "accepted":
            self.decisions[proposal_id] = decision

    def write(self, file: Path, environment: Environment) -> None:
        """Keep it for who checks it, with what was asked and how that failed, as lines of JSON.

        They are short, since container runtimes cut longer ones than 16 KiB in two, and let others
        in between.
        """
        stats, runner = environment.stats, environment.runner
        kept: dict[str, dict[str, Any]] = {
            "titles": self.titles,
            "decisions": self.decisions,
            "requests": {
                f"{method} {name}": each.num_requests
                for (name, method), each in stats.entries.items()
            },
            "failures": {
                f"{each.method} {each.name}: {each.error}": each.occurrences
                for each in stats.errors.values()
            }
            | {
                each["msg"]: each["count"]
                for each in (runner.exceptions.values() if runner else ())
            },
        }
        lines: list[dict[str, Any]] = [
            {name: {key: value}} for name, found in kept.items() for key, value in found.items()
        ]
        lines.append({"seconds": (stats.last_request_timestamp or 0) - stats.start_time})
        lines.append({"p99_milliseconds": stats.total.get_response_time_percentile(0.99)})
        file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


ACKNOWLEDGED = Acknowledged()


def add_options(parser: ArgumentParser) -> None:
    """Options beside locust's own."""
    parser.add_argument(
        "--haste", type=float, default=1.0, help="how many times faster people are than usual"
    )
    parser.add_argument(
        "--acknowledged", default="", help="a file for what was acknowledged, as JSON"
    )


def keep(environment: Environment, **_: Any) -> None:
    """Write down what was acknowledged, if that is wanted."""
    options = environment.parsed_options
    if options is not None and options.acknowledged:
        ACKNOWLEDGED.write(Path(options.acknowledged), environment)


events.init_command_line_parser.add_listener(add_options)  # type: ignore[no-untyped-call]
events.quitting.add_listener(keep)  # type: ignore[no-untyped-call]


class Person(FastHttpUser):
    """Somebody who thinks between two clicks, and whose browser keeps what has not changed."""

    abstract = True
    shortest_thought, longest_thought = 2.0, 10.0

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._etags: dict[str, str] = {}
        self._next_click = monotonic()

    def wait_time(self) -> float:
        """Seconds until the next click, counted from the last one and not from its answer.

        Otherwise a slow site would be asked less than a fast one, and look better than it is.
        """
        options = self.environment.parsed_options
        haste: float = options.haste if options is not None else 1
        thought = Random.uniform(self.shortest_thought, self.longest_thought) / haste
        now = monotonic()
        self._next_click = max(now, self._next_click + thought)
        return self._next_click - now

    def read(self, path: str, name: str = "", *, also: tuple[int, ...] = ()) -> Any:
        """Ask for `path` as a browser that has been there before; `also` are fine as well."""
        headers = {"If-None-Match": self._etags[path]} if path in self._etags else {}
        with self.client.get(
            path, headers={**PAGE, **headers}, name=name or path, catch_response=True
        ) as answer:
            if answer.status_code in {200, *also} or (headers and answer.status_code == 304):
                answer.success()
            if answer.status_code == 200 and "etag" in answer.headers:
                self._etags[path] = answer.headers["etag"]
        return answer

    def send(
        self, path: str, form: dict[str, str], name: str, *, expected: tuple[int, ...] = (303,)
    ) -> Any:
        """Send a form; where it leads is in the answer's Location."""
        with self.client.post(
            path,
            data=urlencode(form),
            headers={**FORM, **PAGE},
            name=name,
            allow_redirects=False,
            catch_response=True,
        ) as answer:
            if answer.status_code in expected:
                answer.success()
            else:
                answer.failure(f"{answer.status_code} instead of {expected}")
        return answer


class Reader(Person):
    """Somebody who wants to know what is on."""

    weight = 90

    def on_start(self) -> None:
        """They know of no session yet."""
        self.sessions: list[dict[str, Any]] = []

    @task(8)
    def agenda(self) -> None:
        """The agenda as a page."""
        self.read("/agenda")

    @task(3)
    def part_of_the_agenda(self) -> None:
        """One day of it."""
        day = Random.choice(("2027-06-14", "2027-06-15"))
        self.read(f"/agenda?day={day}", "/agenda?day=[day]")

    @task(5)
    def agenda_in_an_app(self) -> None:
        """The agenda as JSON."""
        answer = self.read("/api/sessions")
        if answer.status_code == 200:
            self.sessions = answer.json()["items"]

    @task(6)
    def session(self) -> None:
        """One session, as a page; it may have left the agenda meanwhile."""
        if self.sessions:
            chosen = Random.choice(self.sessions)["proposal_id"]
            self.read(f"/agenda/{chosen}", "/agenda/[id]", also=(404,))

    @task(2)
    def home(self) -> None:
        """The first page."""
        self.read("/")

    @task(1)
    def calendar(self) -> None:
        """A calendar program looks for news."""
        self.read("/agenda.ics")


class Speaker(Person):
    """Somebody with a talk, or several."""

    weight = 8

    def on_start(self) -> None:
        """They have handed in nothing yet."""
        self.proposals: list[dict[str, Any]] = []
        self.link = ""

    def talk(self) -> dict[str, str]:
        """A talk that nobody else has."""
        made, word = example(Random), uuid4().hex[:8]
        return {
            "title": f"{made.title} ({word})",
            "abstract": made.abstract,
            "speaker_name": made.speaker_name,
            "speaker_email": f"{word}.{made.speaker_email}",
        }

    @task(3)
    def hand_in_by_form(self) -> None:
        """As most do; some press the button twice."""
        page = self.read("/call-for-proposals")
        key = re.search(r'name="key" value="([^"]+)"', page.text or "")
        if key is None:
            return
        talk = self.talk()
        form = {**talk, "key": unescape(key[1])}
        for _ in range(Random.choice((1, 1, 1, 2))):
            answer = self.send("/call-for-proposals", form, "/call-for-proposals")
            if answer.status_code == 303:
                reference = answer.headers["location"].partition("reference=")[2]
                ACKNOWLEDGED.titles[reference] = talk["title"]
                self.read(answer.headers["location"], "/call-for-proposals/received")

    @task(2)
    def hand_in_by_program(self) -> None:
        """With a key, since some networks lose answers: then it is sent again."""
        talk, headers = self.talk(), {"Idempotency-Key": uuid4().hex}
        for _ in range(Random.choice((1, 1, 1, 2))):
            answer = self.client.post("/api/proposals", json=talk, headers=headers)
            if answer.status_code == 201:
                proposal = answer.json()
                ACKNOWLEDGED.titles[proposal["id"]] = talk["title"]
                self.proposals.append(proposal)

    @task(4)
    def look_at_own_proposal(self) -> None:
        """By the link in the mail, once that has come."""
        if not self.link and self.proposals and MAIL_URL:
            self.link = self.link_of(self.proposals[-1])
        if self.link:
            self.read(self.link, "/proposals/[id]?token=[token]")

    def link_of(self, proposal: dict[str, Any]) -> str:
        """The path of the page of a proposal, out of its mail; empty when none has come."""
        # Not by the user's own client: the sink is no part of what is measured.
        with httpx2.Client(base_url=MAIL_URL, trust_env=False, timeout=30) as sink:
            for mail in sink.get("/api/messages/").json()["data"]:
                if mail["recipients_envelope"] == [proposal["speaker_email"]]:
                    text = sink.get(f"/api/messages/{mail['id']}.plain").text
                    return "".join(re.findall(r"https?://[^/\s]+(/proposals/\S+)", text)[:1])
        return ""


class Organizer(Person):
    """Somebody who reads what came in, and decides."""

    abstract = not PASSCODE
    weight = 2

    def on_start(self) -> None:
        """Sign in."""
        asked = self.step("GET", "/sign-in")
        form = {"name": "Locust Organizer", "passcode": PASSCODE, "role": "organizer"}
        said = self.step("POST", asked, urlencode(form))
        self.step("GET", said)

    def step(self, method: str, address: str, form: str | None = None) -> str:
        """A step of signing in; where it leads."""
        with self.client.request(
            method,
            address,
            data=form,
            headers={**FORM, **PAGE},
            name="/sign-in",
            allow_redirects=False,
            catch_response=True,
        ) as answer:
            if answer.status_code == 303:
                answer.success()
        return str(answer.headers["location"]).removeprefix(PUBLIC_URL)

    @task(4)
    def list_the_newest(self) -> None:
        """The first page of all."""
        self.read("/back-office")

    @task(2)
    def list_by_state(self) -> None:
        """One of the tabs."""
        state = Random.choice(("submitted", "accepted", "rejected", "withdrawn"))
        self.read(f"/back-office?state={state}", "/back-office?state=[state]")

    @task(2)
    def search(self) -> None:
        """By a word that some titles have."""
        word = Random.choice(("canary", "code reviews", "load tests", "drama", "nowhere"))
        self.read(f"/back-office?{urlencode({'q': word})}", "/back-office?q=[words]")

    @task(4)
    def decide_one(self) -> None:
        """Read one and decide."""
        for proposal in self.undecided()[:1]:
            path = f"/back-office/proposals/{proposal['id']}"
            self.read(path, "/back-office/proposals/[id]")
            decision = self.decision()
            answer = self.send(
                f"{path}/decision",
                {"decision": decision, "message": "Thank you."},
                "/back-office/proposals/[id]/decision",
                # Another organizer may have been faster.
                expected=(303, 409),
            )
            if answer.status_code == 303:
                ACKNOWLEDGED.decided(proposal["id"], decision)

    @task(1)
    def decide_many(self) -> None:
        """Some at once, by a program."""
        decisions = [
            {"proposal_id": each["id"], "decision": "rejected", "message": None}
            for each in self.undecided()[:5]
        ]
        if not decisions:
            return
        path = "/api/proposals/decisions"
        with self.client.post(path, json={"decisions": decisions}, catch_response=True) as answer:
            for result in answer.json()["results"] if answer.status_code == 200 else ():
                if result["status"] == 200:
                    ACKNOWLEDGED.decided(result["proposal_id"], "rejected")
                elif result["status"] != 409:
                    answer.failure(f"{result['status']} for one of several")

    def undecided(self) -> list[dict[str, Any]]:
        """Some of those that nobody has decided on, in no order."""
        answer = self.client.get(
            "/api/proposals?state=submitted&limit=50", name="/api/proposals?state=[state]"
        )
        items: list[dict[str, Any]] = answer.json()["items"] if answer.status_code == 200 else []
        return Random.sample(items, len(items))

    def decision(self) -> str:
        """Mostly a rejection, and always when the agenda is nearly full."""
        slots = self.client.get("/api/schedule").json()["slots"]
        sessions = self.client.get("/api/sessions").json()["items"]
        taken = Counter(each["slot"]["id"] for each in sessions)
        has_room = len(slots) - len(taken) > SLOTS_KEPT_FREE
        return "accepted" if has_room and Random.random() < ACCEPTED_SHARE else "rejected"

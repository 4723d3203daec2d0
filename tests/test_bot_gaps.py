"""Gaps: questions grouped by topic, tried again, and what Slack is told of them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import pytest

from bot.answering.request import Request
from bot.learning import gaps as learning
from bot.processes import tasks
from bot.processes.tasks import WorkerContext
from bot.runtime.metrics import Metrics
from bot.runtime.throttle import Throttle
from bot.services import Services
from bot.slack import gaps as told
from bot.slack.app import Bot
from bot.slack.notifier import Notifier
from store import answers, gaps, notices, people, questions
from store.database import Database
from store.gaps import Gap, Unmet
from store.index import builds, embedders
from store.records import Answer, Ask, Passage
from tests import slack_parts
from tests.fake_llm import Act, fails, fake_llm, says
from tests.fake_slack import TEAM, FakeSlack, Fault
from tests.fakes import HashEmbedder
from tests.slack_parts import answer_of, settings_for

NOW = datetime.now(UTC)
ENCODER = HashEmbedder()


def met(number: int, vector: tuple[float, ...], **changes: Any) -> Unmet:
    """A question asked in vain."""
    asked_at = NOW - timedelta(minutes=number)
    one = Unmet(UUID(int=number), asked_at, "C1", "U1", "mention", False, False, vector, None)
    return replace(one, **changes)


def test_questions_of_one_topic_make_a_gap_and_others_do_not() -> None:
    found = [met(1, (1.0, 0.0)), met(2, (0.9, 0.1)), met(3, (0.0, 1.0)), met(4, (-1.0, 0.0))]
    groups = learning.grouped(found, {"C1"})
    members = sorted([m.question_id.int for m in group.members] for group in groups)
    assert members == [[1, 2], [3], [4]]


def test_a_vector_without_length_stops_nothing() -> None:
    groups = learning.grouped([met(1, (0.0, 0.0)), met(2, (0.0, 0.0)), met(3, (1.0, 0.0))], set())
    assert sum(len(group.members) for group in groups) == 3


def test_a_topic_goes_on_as_the_gap_that_it_was_and_a_split_one_gives_its_id_once() -> None:
    gap = uuid4()
    found = [
        met(1, (1.0, 0.0), gap_id=gap),
        met(2, (0.95, 0.05), gap_id=gap),
        met(3, (0.0, 1.0), gap_id=gap),
    ]
    groups = learning.grouped(found, set())
    kept = {len(group.members): group.gap_id for group in groups}
    assert kept == {2: gap, 1: None}


@pytest.mark.parametrize(
    ("changes", "is_public"),
    [
        ({}, True),
        ({"channel": "C2"}, False),
        ({"origin": "dm", "is_private": True}, False),
        ({"origin": "command", "is_private": True}, False),
        ({"origin": "terminal", "is_private": True, "channel": "terminal"}, True),
    ],
)
def test_only_what_was_asked_in_public_may_name_a_gap(
    changes: dict[str, Any], is_public: bool
) -> None:
    (group,) = learning.grouped([met(1, (1.0, 0.0), **changes)], {"C1"})
    assert group.members[0].is_public is is_public


def test_nothing_asked_makes_no_gap() -> None:
    assert learning.grouped([], set()) == []


class Worker:
    """A worker's context over a fake Slack, with an answerer that knows what it is told."""

    def __init__(self, fake: FakeSlack, database: Database, **settings: Any) -> None:
        self.known: dict[str, Answer] = {}
        self.asked: list[Request] = []
        given = settings_for(fake, database.url, **settings)
        self.services = Services(given, database, None, embedder=ENCODER, answer=self._answer)
        notifier = Notifier(self.services)
        self.context = WorkerContext(
            services=self.services, throttle=Throttle(), metrics=Metrics(database),
            bulk=ThreadPoolExecutor(1), delivery=notifier, tell=notifier.tell,
            announce=notifier.announce, ready=lambda: None, readers=notifier.reader,
            is_public=notifier.is_public, say=notifier.say,
        )  # fmt: skip
        with database.connection() as connection:
            number = embedders.ensure_embedder(connection, TEAM, ENCODER.name, ENCODER.dims)
            build = builds.choose(connection, TEAM, "wiki", number, "v1", NOW)
            builds.complete(connection, TEAM, build, NOW)

    def _answer(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.known.get(request.text, answer_of("not_found"))

    def ask(self, text: str, channel: str = "C1", **changes: Any) -> UUID:
        """Ask something in vain."""
        ts = f"17.{uuid4().int % 10**6:06}"
        ask = replace(Ask(TEAM, channel, ts, "U1", text, "mention", False), **changes)
        vector = ENCODER.encode([text])[0].tolist()
        number = embedders.embedder_id(ENCODER.name)
        with self.services.database.connection() as connection:
            question_id = questions.claim(connection, ask, NOW)
            assert question_id
            given = answer_of("not_found", question=text)
            answers.record(connection, TEAM, question_id, given, vector, number, NOW)
            questions.end(connection, TEAM, question_id, "not_found", now=NOW)
        return question_id

    def listed(self, state: Any = None) -> list[Gap]:
        with self.services.database.connection() as connection:
            return gaps.listed(connection, TEAM, state=state)

    def speak(self) -> list[str]:
        """Do the jobs that say something; give how each ended."""
        found = slack_parts.jobs(self.services.database, "say")
        return [tasks.say(self.context, **job) for job in found]  # type: ignore[arg-type]


@pytest.fixture
def worker(fake: FakeSlack, database: Database, bot: Bot) -> Worker:
    return Worker(fake, database, admin_channel="CADMIN")


def test_grouping_asks_slack_who_reads_a_channel_and_tells_no_private_question(
    fake: FakeSlack, worker: Worker
) -> None:
    fake.private.add("CPRIV")
    fake.channels["CSHARED"] = {"is_ext_shared": True}
    worker.ask("parking places for cars")
    worker.ask("secret merger plans", "CPRIV")
    worker.ask("my own illness", "D1", origin="dm", is_private=True)
    worker.ask("partner discount list", "CSHARED")
    assert tasks.group(worker.context) == 4
    names = [gap.name for gap in worker.listed()]
    assert sorted(map(str, names)) == ["None", "None", "None", "parking places for cars"]


def test_what_was_asked_in_a_channel_that_became_private_since_is_not_told(
    fake: FakeSlack, database: Database, worker: Worker
) -> None:
    worker.ask("parking places for cars", "C2")
    tasks.group(worker.context)
    assert [gap.name for gap in worker.listed()] == ["parking places for cars"]
    fake.private.add("C2")
    later = Worker(fake, database, admin_channel="CADMIN")  # Slack is believed for a while
    later.known["parking places for cars"] = answer_of("answered")
    assert tasks.retry(later.context) == 1 and later.speak() == ["said"]
    (message,) = fake.messages
    assert "1 gap is now answered" in message["text"] and "parking" not in str(message)


def test_where_slack_does_not_say_who_reads_a_channel_its_questions_name_nothing(
    fake: FakeSlack, worker: Worker
) -> None:
    worker.ask("parking places for cars")
    fake.fail("conversations.info", Fault(error="missing_scope"))
    tasks.group(worker.context)
    assert [gap.name for gap in worker.listed()] == [None]


def test_a_new_document_closes_gaps_and_the_admins_hear_of_it_once(
    fake: FakeSlack, worker: Worker
) -> None:
    fake.private.add("CPRIV")
    worker.ask("parking places for cars")
    worker.ask("secret merger plans", "CPRIV")
    worker.ask("canteen menu")
    tasks.group(worker.context)
    assert tasks.retry(worker.context) == 0 and worker.speak() == []
    for text in ("parking places for cars", "secret merger plans"):
        worker.known[text] = answer_of("answered")
    assert tasks.retry(worker.context) == 2
    assert worker.speak() == ["said"] == worker.speak()
    (message,) = fake.messages
    assert message["channel"] == "CADMIN" and message["text"].startswith("2 gaps are now answered")
    assert "parking places" in message["text"] and "secret" not in str(message)
    assert [gap.closed_by for gap in worker.listed("closed")] == ["document", "document"]
    assert [gap.name for gap in worker.listed()] == ["canteen menu"]


def test_a_question_is_tried_as_who_asked_it_may_read(worker: Worker) -> None:
    worker.ask("my own illness", "D1", origin="dm", is_private=True)
    tasks.group(worker.context)
    tasks.retry(worker.context)
    (request,) = worker.asked
    assert request.viewer.principals == ("*", "D1", "U1")


def test_what_people_disliked_does_not_answer_it_again(worker: Worker) -> None:
    question_id = worker.ask("parking places for cars")
    tasks.group(worker.context)
    passage = Passage(1, "wiki", "a.md", "A", "", None, "Old text.", "ab", None, 0, 0.9)
    with worker.services.database.connection() as connection:
        connection.execute('UPDATE answers SET passages = \'[{"text_hash": "ab"}]\'')
        connection.execute("UPDATE gap_questions SET is_disliked = true")
    same = answer_of("answered", passages=(passage,))
    worker.known["parking places for cars"] = same
    assert tasks.retry(worker.context) == 0
    other = replace(same, passages=(replace(passage, text_hash="cd"),))
    worker.known["parking places for cars"] = other
    assert tasks.retry(worker.context) == 1 and question_id


def test_an_approved_reply_closes_a_gap(worker: Worker) -> None:
    worker.ask("parking places for cars")
    tasks.group(worker.context)
    worker.known["parking places for cars"] = answer_of("answered", versions={"faq": "1"})
    tasks.retry(worker.context)
    assert [gap.closed_by for gap in worker.listed("closed")] == ["reply"]


def test_a_stopping_worker_leaves_the_trying_to_the_next(worker: Worker) -> None:
    worker.ask("parking places for cars")
    tasks.group(worker.context)
    worker.context.throttle.stop()
    assert tasks.retry(worker.context) == 0
    assert len(slack_parts.jobs(worker.services.database, "retry_gaps")) == 1


@pytest.mark.parametrize("happens", [True, False])
def test_what_is_said_stands_there_once_whatever_slack_does(
    fake: FakeSlack, worker: Worker, happens: bool
) -> None:
    worker.ask("parking places for cars")
    tasks.group(worker.context)
    worker.known["parking places for cars"] = answer_of("answered")
    tasks.retry(worker.context)
    fake.fail("chat.postMessage", Fault(500, happens=happens))
    fake.fail("conversations.history", Fault(429, "ratelimited", retry_after=3))
    ends = [end for _ in range(4) for end in worker.speak()]
    assert ends == ["later", "later", "said", "said"]  # the second is limited while it looks
    assert len(fake.messages) == 1


def test_a_call_that_may_be_under_way_is_waited_for(fake: FakeSlack, worker: Worker) -> None:
    worker.ask("parking places for cars")
    tasks.group(worker.context)
    worker.known["parking places for cars"] = answer_of("answered")
    tasks.retry(worker.context)
    (job,) = slack_parts.jobs(worker.services.database, "say")
    notice_id = uuid5(NAMESPACE_URL, f"{TEAM}/{job['key']}")
    with worker.services.database.connection() as connection:
        notices.begin(connection, TEAM, notice_id, 60.0)  # a worker that died in the middle
    assert worker.speak() == ["later"] and fake.messages == []


def test_in_an_admins_channel_that_others_read_along_gaps_are_counted_alone(
    fake: FakeSlack, worker: Worker
) -> None:
    fake.channels["CADMIN"] = {"is_ext_shared": True}
    worker.ask("parking places for cars")
    tasks.group(worker.context)
    worker.known["parking places for cars"] = answer_of("answered")
    tasks.retry(worker.context)
    worker.speak()
    assert (
        "parking" not in str(fake.messages) and "1 gap is now answered" in fake.messages[0]["text"]
    )


def test_admins_take_mute_and_close_gaps_by_a_command_and_others_do_not(
    fake: FakeSlack, worker: Worker, bot: Bot
) -> None:
    worker.ask("parking <!channel> places")
    tasks.group(worker.context)
    fake.command("/threadwise", "gaps", user="U2")
    assert "only Slack admins" in fake.wait_called("response_url")[0].params["text"]
    fake.command("/threadwise", "gaps", user="UBOSS")
    shown = fake.wait_called("response_url", 2)[1].params
    assert "parking" in shown["text"] and "<!" not in shown["text"]
    take, mute, _ = shown["blocks"][1]["elements"]
    fake.action(take, user="U2")
    slack_parts.errands_done(bot)
    assert worker.listed()[0].state == "open"
    fake.action(take, user="UBOSS")
    slack_parts.errands_done(bot)
    assert worker.listed()[0].assigned_to == "UBOSS"
    fake.action(mute, user="UBOSS")
    slack_parts.errands_done(bot)
    assert worker.listed() == [] and len(worker.listed("muted")) == 1


def test_an_llm_gives_a_gap_a_title_of_public_questions_which_goes_with_any_of_them(
    fake: FakeSlack, database: Database, bot: Bot
) -> None:
    with fake_llm(says('{"text": "Parking at work"}')) as llm:
        worker = Worker(fake, database, llm_url=llm.url, llm_model="small")
        worker.ask("parking places for cars")
        worker.ask("parking places for cars today", "C2")
        worker.ask("parking places for my cars in secret", "D1", origin="dm", is_private=True)
        assert tasks.group(worker.context) == 1
        assert "today" in llm.sent() and "secret" not in llm.sent()
        tasks.group(worker.context)
        assert len(llm.asked) == 1  # it keeps its title
    (gap,) = worker.listed()
    assert gap.title == "Parking at work" and "parking places" in (gap.name or "")
    assert "Parking at work: “" in told.line(gap, is_told=True)
    with database.connection() as connection:
        (elsewhere,) = gaps.listed(connection, TEAM, named_in=["C1"])
        assert elsewhere.title is None and elsewhere.name
        connection.execute("UPDATE questions SET person = 'U9' WHERE channel = 'C2'")
        people.forget(connection, TEAM, "U9")
        kept = connection.execute("SELECT title FROM gaps").fetchall()
    assert kept == [(None,)] and worker.listed()[0].title is None


@pytest.mark.parametrize("act", [fails(500), says("no json"), says('{"text": "<!channel> hi"}')])
def test_a_title_of_no_use_leaves_the_most_central_question(
    act: Act, fake: FakeSlack, database: Database, bot: Bot
) -> None:
    with fake_llm(act) as llm:
        worker = Worker(fake, database, llm_url=llm.url, llm_model="small", llm_channels="C1")
        for text in ("parking places for cars", "parking places for cars today"):
            worker.ask(text)
            worker.ask(text + " please", "C2")
        assert tasks.group(worker.context) == 1
        assert "please" not in llm.sent()  # C2 is none of the channels that the LLM may see
    (gap,) = worker.listed()
    assert gap.title is None and "parking" in (gap.name or "")

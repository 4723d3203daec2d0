"""What becomes of a message once its intent is known: said, passed on, ignored or searched for."""

import hashlib
import io
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from rich.console import Console

from bot.answering import asking, policy
from bot.answering.answerer import Answerer
from bot.answering.classifier import Classifier
from bot.answering.parameters import Serving
from bot.answering.policy import Policy
from bot.answering.request import Request
from bot.intents import Intent, Intents
from bot.runtime import metrics
from bot.terminal import explain
from models.intents.classifier import Prediction
from store.database import Database
from store.index import builds, documents, embedders
from store.records import EVERYONE, Answer, Chunk, Document, Viewer
from tests.corpus import numbered, page, store
from tests.fakes import HashEmbedder

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EVERYBODY = Viewer((EVERYONE,))
PAGES = {
    "handbook": "A full-time contract comes with 28 days of paid holiday.",
    "wiki": "The build server restarts every night at three.",
}
INTENTS = Intents.of(
    (
        Intent("question", "Asks", "answer", ("?",)),
        Intent("leave", "Asks about leave", "answer", ("l",), sources=("handbook",)),
        Intent("greeting", "Says hello", "reply", ("hi",), reply="Hello!"),
        Intent("access", "Wants access", "route", ("a",), route_to="C0ACCESS"),
        Intent("broken", "Reports a fault", "route", ("b",), reply="Call the desk."),
        Intent("chatter", "Talk", "ignore", ("lol",)),
    )
)


class CountingEmbedder(HashEmbedder):
    """Counts how often it is called with a single text: a question."""

    def questions(self, text: str) -> int:
        return self.encoded.count(text)


@pytest.fixture
def embedder(database: Database) -> CountingEmbedder:
    made = CountingEmbedder()
    for name, body in PAGES.items():
        digest = hashlib.sha256(body.encode()).digest()
        page = Document(
            f"{name}.md", "1", digest, name, None, None, (EVERYONE,), (Chunk(0, "", body, digest),)
        )
        with database.connection() as connection:
            number = embedders.ensure_embedder(connection, "local", made.name, made.dims)
            build = builds.choose(connection, "local", name, number, "v1", NOW)
            vectors = list(made.encode([body]))
            documents.replace(connection, "local", build, [page], vectors, NOW)
    return made


def ask(
    database: Database,
    embedder: CountingEmbedder,
    text: str,
    intent: str,
    confidence: float = 0.95,
    **where: object,
) -> Answer:
    def classify(asked: str, vector: object) -> Prediction:
        assert callable(vector)
        vector()
        second = "broken" if confidence > 0.5 else "question"
        return Prediction(intent, confidence, intent, second, abs(2 * confidence - 1), 0.9)

    bot = Policy(lambda: INTENTS, lambda: Classifier(classify, "v1"))
    serving = Serving(database, "local")
    answerer = Answerer(database, "local", embedder, serving, bot)
    return answerer.answer(Request(text, EVERYBODY, **where))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("intent", "confidence", "where", "status", "body"),
    [
        ("greeting", 0.95, {}, "smalltalk", "Hello!"),
        ("access", 0.95, {}, "routed", policy.PASSED_ON),
        ("broken", 0.95, {}, "routed", "Call the desk."),
        ("access", 0.70, {}, "routed", policy.PASSED_ON),
        ("access", 0.58, {}, "routed", "Did you mean “Wants access” or “Reports a fault”?"),
        ("access", 0.40, {}, "not_found", None),
        ("greeting", 0.95, {"origin": "channel", "mode": "questions"}, "ignored", None),
        ("chatter", 0.95, {"origin": "thread"}, "ignored", None),
        ("chatter", 0.95, {}, "not_found", None),
    ],
)
def test_a_message_no_page_speaks_of(
    database: Database,
    embedder: CountingEmbedder,
    intent: str,
    confidence: float,
    where: Mapping[str, object],
    status: str,
    body: str | None,
) -> None:
    answer = ask(database, embedder, "xylophone zebra", intent, confidence, **where)
    assert (answer.status, answer.body) == (status, body)
    assert (answer.intent, answer.intent_confidence) == (intent, confidence)
    assert answer.citations == ()


def test_a_likely_request_does_not_hide_what_the_documents_say(
    database: Database, embedder: CountingEmbedder
) -> None:
    answer = ask(database, embedder, PAGES["handbook"], "access", 0.7)
    assert answer.status in ("answered", "unsure")
    assert (answer.body, answer.intent) == (PAGES["handbook"], "access")


def test_a_question_is_encoded_once_for_both(
    database: Database, embedder: CountingEmbedder
) -> None:
    ask(database, embedder, "how many days of holiday", "question")
    assert embedder.questions("how many days of holiday") == 1


def test_each_step_of_an_answer_is_watched(database: Database, embedder: CountingEmbedder) -> None:
    answer = ask(database, embedder, "how many days of holiday", "question")
    assert answer.timings_ms.keys() - {"total"} == metrics.STEPS.keys()


def test_an_intent_narrows_the_search_to_its_sources(
    database: Database, embedder: CountingEmbedder
) -> None:
    def found(intent: str, **where: object) -> set[str]:
        answer = ask(database, embedder, "when does the build server restart", intent, **where)
        return {passage.source for passage in answer.passages}

    assert found("question") == {"handbook", "wiki"}
    assert found("leave") == {"handbook"}
    assert found("leave", confidence=0.4) == {"handbook", "wiki"}
    assert found("leave", sources=["wiki"]) == {"wiki"}
    assert found("leave", sources=["wiki", "handbook"]) == {"handbook"}


def test_without_a_policy_everything_is_searched_for(
    database: Database, embedder: CountingEmbedder
) -> None:
    answerer = Answerer(database, "local", embedder, Serving(database, "local"))
    answer = answerer.answer(Request(PAGES["handbook"], EVERYBODY))
    assert (answer.intent, answer.body) == (None, PAGES["handbook"])


def test_a_follow_up_is_searched_with_what_it_leans_on(
    database: Database, embedder: CountingEmbedder
) -> None:
    answerer = Answerer(database, "local", embedder, Serving(database, "local"))
    earlier = ("when does the build server restart every night",)
    answer = answerer.answer(Request("and how long does it take?", EVERYBODY, earlier=earlier))
    assert answer.passages[0].source == "wiki"
    assert (answer.question, answer.understood) == ("and how long does it take?", earlier[0])
    shown = io.StringIO()
    Console(file=shown).print(explain.render(answer))
    assert f"understood with: {earlier[0]}" in shown.getvalue()


def test_a_question_that_stands_alone_is_found_as_without_history(
    database: Database, embedder: CountingEmbedder
) -> None:
    answerer = Answerer(database, "local", embedder, Serving(database, "local"))
    question = "how many days of paid holiday come with a full-time contract?"
    alone = answerer.answer(Request(question, EVERYBODY))
    after = answerer.answer(Request(question, EVERYBODY, earlier=("build server at night",)))
    assert (after.passages, after.confidence, after.understood) == (
        alone.passages, alone.confidence, ""
    )  # fmt: skip


HOLIDAY = "How many days of paid holiday comes a full-time contract with?"
SERVER = "Does the build server restart every night at three?"
NEITHER = "Do xylophones frighten purple zebras?"


@pytest.mark.parametrize(
    ("question", "first", "shown", "signal"),
    [
        (f"{HOLIDAY} And {SERVER}", "handbook", {"handbook.md", "wiki.md"}, asking.BOTH),
        (f"{HOLIDAY} {NEITHER}", "handbook", {"handbook.md"}, asking.FIRST_ALONE),
        (f"{NEITHER} {SERVER}", "wiki", {"wiki.md"}, asking.SECOND_ALONE),
    ],
)
def test_of_two_questions_each_is_searched_for_and_it_is_said_how_that_went(
    database: Database,
    embedder: CountingEmbedder,
    question: str,
    first: str,
    shown: set[str],
    signal: str,
) -> None:
    answerer = Answerer(database, "local", embedder, Serving(database, "local"))
    answer = answerer.answer(Request(question, EVERYBODY))
    assert answer.citations[0].source == first
    assert {each.path for each in answer.shown} == shown
    assert asking.notes("", answer.signals, 99) == asking.notes("", {signal: 1.0}, 99)


def test_the_passage_of_one_code_answers_no_question_about_another(database: Database) -> None:
    embedder = HashEmbedder()
    store(database, [page("codes.md", "ERR-4043 means that the queue is locked.")])
    answerer = Answerer(database, "local", embedder, Serving(database, "local"))
    known = answerer.answer(Request("ERR-4043 means that the queue is locked.", EVERYBODY))
    other = answerer.answer(Request("ERR-4044 means that the queue is locked.", EVERYBODY))
    assert known.status != "not_found" and known.body == "ERR-4043 means that the queue is locked."
    assert (other.status, other.body) == ("not_found", None)


@pytest.mark.parametrize("asked", ["err 4042", "ERR-4042", "what is 4042"])
def test_an_exact_code_is_not_refused_however_little_vectors_say_of_it(
    database: Database, asked: str
) -> None:
    body = "Of the many faults that the console may tell in a day, ERR-4042 has a full queue for its cause."
    store(database, [*numbered(20, {}), page("codes.md", body)])
    answerer = Answerer(database, "local", HashEmbedder(), Serving(database, "local"))
    told = answerer.answer(Request(asked, EVERYBODY))
    assert told.status != "not_found" and told.citations[0].path == "codes.md"
    assert answerer.answer(Request("ERR-4044", EVERYBODY)).status == "not_found"


def test_what_says_it_is_answered_whether_one_page_is_indexed_or_hundreds(
    database: Database,
) -> None:
    fact = page("leave.md", "A full-time contract comes with 28 days of paid holiday.")
    answerer = Answerer(database, "local", HashEmbedder(), Serving(database, "local"))
    told = []
    for others in (0, 20, 600):
        store(database, [*numbered(others, {}), fact])
        told.append(answerer.answer(Request("how many days of paid holiday", EVERYBODY)))
    assert "not_found" not in {each.status for each in told}
    assert {each.citations[0].path for each in told} == {"leave.md"}
    assert told[2].confidence == pytest.approx(told[1].confidence, abs=0.1)

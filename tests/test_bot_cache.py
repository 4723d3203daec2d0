"""Asking again: an answer that was found before is given again, until anything that it was made of changes."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from rich.console import Console

from bot.answering import lifecycle
from bot.answering.cache import SIGNAL, Cache, code_of, folded
from bot.answering.request import Request
from bot.services import Services
from bot.settings import Settings
from bot.terminal import explain
from store import answers, cache, people, questions
from store.database import Connection, Database
from store.feedback import faqs, versions, votes
from store.index import builds, documents, embedders, hidden, scopes
from store.records import EVERYONE, Answer, Ask, Document, Passage, Phrasing, Viewer, Vote
from tests.corpus import page, store
from tests.fakes import HashEmbedder

NOW = datetime(2026, 6, 2, 9, tzinfo=UTC)
ALL, HR = Viewer((EVERYONE,)), Viewer((EVERYONE, "C0HR"))
QUESTION = "How much leave do I have?"
LEAVE = page("leave.md", "How much leave do I have? You have 30 days of leave.")
PAY = page("pay.md", "Pay day is the last day of the month.")
SECRET = page("hr.md", "The leave of managers is 40 days.", audience=("C0HR",))


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Services:
    store(database, [LEAVE, PAY, SECRET])
    return opened(database, tmp_path)


def opened(database: Database, home: Path, **given: object) -> Services:
    (home / "intents.toml").touch()  # no intents: every message is searched for
    settings = Settings(_env_file=None, home=home, intents=home / "intents.toml", **given)  # type: ignore[call-arg, arg-type]
    return Services(settings, database, None, embedder=HashEmbedder())  # type: ignore[arg-type]


def asked(
    services: Services, text: str = QUESTION, viewer: Viewer = ALL, **given: object
) -> Answer:
    return services.answer(Request(text, viewer, **given))  # type: ignore[arg-type]


def is_again(
    services: Services, text: str = QUESTION, viewer: Viewer = ALL, **given: object
) -> bool:
    """Whether it is answered by what was found before."""
    return SIGNAL in asked(services, text, viewer, **given).signals


@pytest.mark.parametrize(
    "text", ["how much leave do i have", "  HOW much leave\n do I have ?!", "“How much leave do I have?”"]
)  # fmt: skip
def test_the_same_question_is_answered_by_what_was_found_before(
    services: Services, text: str
) -> None:
    first = asked(services)
    assert isinstance(services.embedder, HashEmbedder)
    services.embedder.encoded.clear()
    again = asked(services, text)
    assert services.embedder.encoded == []
    assert again.question == " ".join(text.split())
    assert again.answer_id != first.answer_id
    assert (again.status, again.body, again.confidence) == (
        first.status, first.body, first.confidence
    )  # fmt: skip
    assert (again.citations, again.hints, again.shown) == (
        first.citations, first.hints, first.shown
    )  # fmt: skip
    assert again.passages == first.passages
    assert again.vector == pytest.approx(first.vector, abs=0.001)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is new in version 1.8?", "What is new in version 18?"),
        ("Is it off at -5 degrees?", "Is it off at 5 degrees?"),
        ("Do I code in C++?", "Do I code in C?"),
        ("Is 50% of the leave paid?", "Is 50 of the leave paid?"),
        ("Do we pay in $?", "Do we pay in €?"),
        ("I can't take leave?", "I can take leave?"),
        ("Who is in HR now?", "Who is in hr now?"),
    ],
)
def test_marks_within_a_word_tell_questions_apart(services: Services, one: str, other: str) -> None:
    asked(services, one)
    assert is_again(services, one)
    assert not is_again(services, other)


def test_what_asks_and_what_tells_are_not_the_same(services: Services) -> None:
    asked(services, "leave days?")
    assert not is_again(services, "leave days")


def test_strange_messages_have_a_form_too() -> None:
    assert folded("?!…") == ""
    assert folded("(a) [b]: 'c'") == "a b c"
    assert folded("ẞ İstanbul") == folded("ss i̇stanbul")


def remember(connection: Connection) -> None:
    """Vote on an answer, as somebody does who found the text right."""
    number = embedders.embedder_id("hash@1")
    ask = Ask("local", "C1", "1.1", "U1", "leave?", "mention", False)
    question_id = questions.claim(connection, ask, NOW)
    assert question_id
    digest = LEAVE.chunks[0].text_hash.hex()
    found = Answer(uuid4(), "leave?", "answered", 0.9, "x", passages=(passage(digest),))
    kept = answers.record(connection, "local", question_id, found, [1.0] * 384, number, NOW)
    votes.cast(connection, "local", Vote(kept.answer_id, "U1", 1, "button"), NOW)


def passage(text_hash: str) -> Passage:
    return Passage(
        1, "handbook", "leave.md", "leave", "leave", None, "x", text_hash, None, 0, 1.0, 1.0, 1.0
    )


def keep_reply(connection: Connection, audience: str = EVERYONE) -> UUID:
    """Keep a colleague's reply and approve it."""
    faq_id = uuid4()
    connection.execute(
        "INSERT INTO faqs (workspace_id, faq_id, question, body, author, author_name, asker, audience,"
        " channel, message_ts, embedder_id, embedding, kept_at)"
        " VALUES ('local', %s, 'q', 'b', 'U1', 'Desk', 'U2', %s, 'C1', %s, %s, %s::halfvec, now())",
        (faq_id, [audience], str(faq_id), embedders.embedder_id("hash@1"), str([1.0] * 384)),
    )
    faqs.decide(connection, "local", faq_id, "UBOSS", NOW, approve=True)
    return faq_id


def put(connection: Connection, *pages: Document) -> None:
    """Read pages anew."""
    encoder = HashEmbedder()
    number = embedders.embedder_id(encoder.name)
    build = builds.choose(connection, "local", "handbook", number, "test", NOW)
    vectors = list(encoder.encode([c.body for p in pages for c in p.chunks]))
    documents.replace(connection, "local", build, pages, vectors, NOW)


def live(connection: Connection) -> builds.Build:
    return builds.of(connection, "local", "handbook")["live"]


def promote(connection: Connection) -> None:
    version = versions.add(connection, "local", "fusion", NOW, payload={"vector_weight": 0.2})
    versions.promote(connection, "local", version, NOW)


def retitled(connection: Connection) -> None:
    put(connection, replace(LEAVE, title="Time off"))


def rebuilt(connection: Connection) -> None:
    number = embedders.embedder_id("hash@1")
    build = builds.choose(connection, "local", "handbook", number, "test", NOW, full=True)
    vectors = list(HashEmbedder().encode([c.body for c in LEAVE.chunks]))
    documents.replace(connection, "local", build, [LEAVE], vectors, NOW)
    builds.complete(connection, "local", build, NOW)


CHANGES: dict[str, Callable[[Connection], object]] = {
    "new document": lambda c: put(c, page("party.md", "There is a party.")),
    "changed document": lambda c: put(c, page("pay.md", "Pay day is the first.")),
    "changed title": retitled,
    "removed document": lambda c: documents.remove(c, "local", live(c).build_id, ["pay.md"]),
    "rebuilt source": rebuilt,
    "retired source": lambda c: builds.retire(c, "local", "handbook", NOW),
    "hidden document": lambda c: hidden.hide(c, "local", "handbook", "pay.md", "UBOSS", NOW),
    "narrower audience": lambda c: scopes.restrict(
        c, "local", "handbook", lambda path: ("C9",) if path == "pay.md" else (EVERYONE,)
    ),
    "wider audience": lambda c: scopes.restrict(c, "local", "handbook", lambda _: (EVERYONE,)),
    "vote": remember,
    "kept reply": keep_reply,
    "promoted version": promote,
    "second vector": lambda c: c.execute(
        "INSERT INTO second_vectors VALUES ('local', 1, '\\x01', '[1]')"
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_changes_makes_it_be_looked_for_anew(services: Services, name: str) -> None:
    asked(services)
    assert is_again(services)
    with services.database.connection() as connection:
        CHANGES[name](connection)
    assert not is_again(services)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_was_taken_back_changes_nothing(services: Services, name: str) -> None:
    asked(services)
    with pytest.raises(KeyError), services.database.connection() as connection:
        CHANGES[name](connection)
        raise KeyError
    assert is_again(services)


def test_a_vote_taken_away_a_reply_withdrawn_and_a_roll_back_count_too(services: Services) -> None:
    with services.database.connection() as connection:
        remember(connection)
        faq_id = keep_reply(connection)
        promote(connection)
    undone: list[Callable[[Connection], object]] = [
        lambda c: c.execute("DELETE FROM memory"),
        lambda c: faqs.decide(c, "local", faq_id, "UBOSS", NOW, approve=False),
        lambda c: versions.roll_back(c, "local", None, NOW),
    ]
    for undo in undone:
        asked(services)
        assert is_again(services)
        with services.database.connection() as connection:
            undo(connection)
        assert not is_again(services)


def test_a_reply_whose_time_is_over_is_not_there(services: Services) -> None:
    with services.database.connection() as connection:
        keep_reply(connection)
        connection.execute("UPDATE faqs SET expires_at = now() + interval '1 hour'")
    asked(services)
    assert is_again(services)
    with services.database.connection() as connection:
        # As if the hour were over: no trigger counts what only time does.
        connection.execute("ALTER TABLE faqs DISABLE TRIGGER faqs_changed")
        connection.execute("UPDATE faqs SET expires_at = now() - interval '1 minute'")
    assert not is_again(services)


def test_other_rights_sources_thresholds_and_models_have_answers_of_their_own(
    services: Services, tmp_path: Path
) -> None:
    database = services.database
    asked(services)
    assert not is_again(services, viewer=HR)
    assert "hr.md" in {p.path for p in asked(services, viewer=HR).passages}
    assert "hr.md" not in {p.path for p in asked(services).passages}
    assert not is_again(services, viewer=Viewer(("C5",)))
    assert not is_again(services, sources=("handbook",))
    assert not is_again(services, origin="channel", mode="questions", strictness=0.2)
    assert not is_again(opened(database, tmp_path, answer_above=0.99))
    assert is_again(services)
    assert is_again(services, viewer=HR)
    assert is_again(services, viewer=Viewer((EVERYONE, "C7")))  # who sees the same


def test_other_intents_are_asked_anew(services: Services, tmp_path: Path) -> None:
    asked(services)
    (tmp_path / "other").mkdir()
    other = opened(services.database, tmp_path / "other")
    other.settings.intents.write_text(
        '[[intent]]\nname = "greeting"\ndescription = "Says hello"\naction = "reply"\n'
        'reply = "Hello!"\nexamples = ["hi"]\n'
    )
    assert not is_again(other)


def test_what_leans_on_a_talk_is_not_kept(services: Services) -> None:
    for _ in range(2):
        assert not is_again(services, "And how much of it is paid?", earlier=(QUESTION,))
    whole = "How much leave do employees in Berlin have?"
    asked(services, whole)
    assert is_again(services, whole, earlier=("Good morning to all.",))


def test_nothing_is_kept_of_a_kept_reply_or_where_there_are_no_documents(
    services: Services, database: Database
) -> None:
    with database.connection() as connection:
        vector = str(HashEmbedder().encode(["who has the key"])[0].tolist())
        faq_id = keep_reply(connection)
        connection.execute(
            "UPDATE faqs SET question = 'who has the key', embedding = %s::halfvec WHERE faq_id = %s",
            (vector, faq_id),
        )
    assert asked(services, "who has the key").versions["faq"] == str(faq_id)
    with database.connection() as connection:
        builds.retire(connection, "local", "handbook", NOW)
    asked(services)
    with database.connection() as connection:
        assert cache.size(connection, "local")[0] == 0


def test_off_is_off(services: Services, tmp_path: Path) -> None:
    asked(services)
    off = opened(services.database, tmp_path, cache="off")
    assert not is_again(off)


class Meddled:
    """Finds answers, while something else changes in the middle."""

    def __init__(self, services: Services, meddle: Callable[[Connection], object]) -> None:
        self.services, self.meddle = services, meddle

    def answer(self, request: Request) -> Answer:
        found = self.services.answerer.answer(request)
        with self.services.database.connection() as connection:
            self.meddle(connection)
        return found

    def standing(self) -> str:
        return self.services.answerer.standing()


@pytest.mark.parametrize("name", CHANGES)
def test_what_changed_while_it_was_looked_for_is_not_kept(services: Services, name: str) -> None:
    Cache(services.database, "local", Meddled(services, CHANGES[name])).answer(
        Request(QUESTION, ALL)
    )
    assert not is_again(services)


class Behind(Database):
    """A database whose replica has not heard of the last change."""

    change: Callable[[Connection], object] | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self.connection() as connection:
            connection.execute("UPDATE scopes SET changes = changes - 1")
            yield connection
            connection.rollback()


def test_what_a_replica_that_is_behind_gave_is_not_kept(services: Services) -> None:
    behind = Behind(services.database.url)
    Cache(behind, "local", services.answerer).answer(Request(QUESTION, ALL))
    behind.close()
    assert not is_again(services)


def ask(
    services: Services, person: str, ts: str, phrase: lifecycle.Phrase = lambda _, answer: answer
) -> Answer:
    """Ask in Slack's way: claimed, answered, recorded."""
    database = services.database
    message = Ask("local", "C1", ts, person, QUESTION, "mention", False)
    with database.connection() as connection:
        question_id = questions.claim(connection, message, NOW)
    assert question_id
    lifecycle.handle(
        database, "local", question_id, services.answer, lambda *_: None, max_question=1000,
        phrase=phrase,
    )  # fmt: skip
    with database.connection() as connection:
        found = answers.of(connection, "local", question_id)
    assert found
    return found


def test_everybody_has_an_answer_of_their_own_and_why_says_where_it_is_from(
    services: Services,
) -> None:
    first, second = ask(services, "U1", "1.1"), ask(services, "U2", "2.1")
    assert first.answer_id != second.answer_id
    assert SIGNAL not in first.signals
    told = io.StringIO()
    Console(file=told, width=200).print(explain.render(second))
    since = datetime.fromtimestamp(second.signals[SIGNAL], UTC)
    assert f"from the cache, first asked at {since:%Y-%m-%d %H:%M} UTC" in told.getvalue()
    assert "U1" not in told.getvalue()
    with services.database.connection() as connection:
        votes.cast(connection, "local", Vote(second.answer_id, "U2", -1, "button"), NOW)
        assert votes.of(connection, "local", first.answer_id) == []
        assert len(votes.of(connection, "local", second.answer_id)) == 1
        judged = connection.execute("SELECT answer_id FROM memory").fetchall()
    if second.status in ("answered", "unsure"):
        assert judged == [(second.answer_id,)]
        assert not is_again(services)


def test_what_was_found_before_is_phrased_like_what_was_found_now(services: Services) -> None:
    seen: list[Answer] = []

    def phrase(_: Ask, answer: Answer) -> Answer:
        seen.append(answer)
        return replace(answer, phrasing=Phrasing((), (1,), "model", 0.5, {}))

    found = [ask(services, "U1", f"{n}.1", phrase) for n in range(2)]
    assert [answer.phrasing is not None for answer in found] == [True, True]
    # No phrase is kept with an answer: each is made anew of the same quotes.
    assert [answer.phrasing for answer in seen] == [None, None]
    assert seen[0].citations == seen[1].citations
    assert seen[0].shown == seen[1].shown


def test_a_worker_that_dies_in_the_middle_leaves_nothing_wrong(services: Services) -> None:
    class Killed(Exception):
        pass

    def dies(_: Connection) -> None:
        raise Killed

    with pytest.raises(Killed):
        Cache(services.database, "local", Meddled(services, dies)).answer(Request(QUESTION, ALL))
    assert not is_again(services)
    assert is_again(services)


def sized(services: Services) -> int:
    with services.database.connection() as connection:
        return cache.size(connection, "local")[0]


def test_the_number_is_bounded_and_what_was_used_last_stays(services: Services) -> None:
    found = asked(services)
    with services.database.connection() as connection:
        state = cache.look(connection, "local", b"", ALL, None).state
        for number in range(6):
            key, at = bytes([number]), NOW + timedelta(days=(number * 5) % 6)
            cache.put(connection, "local", key, state, found, at, most=3)
        left = connection.execute("SELECT key FROM cached_answers ORDER BY used_at").fetchall()
    assert [key for (key,) in left][:-1] == [bytes([2]), bytes([1])]


def forget(connection: Connection) -> None:
    people.forget(connection, "local", "U5")


def retain(connection: Connection) -> None:
    people.retain(connection, "local", datetime.now(UTC) + timedelta(days=1))


def everything(connection: Connection) -> None:
    people.forget_everything(connection, "local")


@pytest.mark.parametrize("erase", [forget, retain, everything])
def test_erasing_empties_it(services: Services, erase: Callable[[Connection], None]) -> None:
    asked(services)
    assert sized(services) == 1
    with services.database.connection() as connection:
        erase(connection)
    assert sized(services) == 0


@pytest.mark.parametrize("name", CHANGES)
def test_the_daily_round_drops_what_can_never_be_given_again(services: Services, name: str) -> None:
    asked(services)
    with services.database.connection() as connection:
        assert cache.sweep(connection, "local") == 0
        CHANGES[name](connection)
    with services.database.connection() as connection:
        cache.sweep(connection, "local")
    left = sized(services)
    assert left == 0 or is_never_wrong(services, name)


def is_never_wrong(services: Services, name: str) -> bool:
    """What a wider audience leaves is of a scope that did not change, for who sees only that."""
    return name == "wider audience" and not is_again(services)


def test_nothing_of_who_asked_or_how_is_kept(services: Services) -> None:
    asked(services, "How much leave do I, Zaphod, have?")
    with services.database.connection() as connection:
        rows: Sequence[tuple[str]] = connection.execute(
            "SELECT c::text FROM cached_answers c"
        ).fetchall()
    assert len(rows) == 1
    assert "aphod" not in rows[0][0]


def test_two_workspaces_share_nothing(services: Services, database: Database) -> None:
    asked(services)
    with database.connection() as connection:
        state = cache.look(connection, "T2", b"x", ALL, None).state
        assert (state.scope_ids, state.changes) == ((), 0)
        put(connection, page("a.md", "a"))
    with database.connection() as connection:
        assert cache.look(connection, "T2", b"x", ALL, None).state == state


def test_another_code_is_not_answered_for(tmp_path: Path) -> None:
    (tmp_path / "weights.json").write_text("{}")
    before = code_of(tmp_path)
    assert code_of(tmp_path) == before
    (tmp_path / "weights.json").write_text("{ }")
    assert code_of(tmp_path) != before

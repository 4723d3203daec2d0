"""A person's reply is served once an admin approved it, to those who may see it, while it agrees."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.answering import faq
from bot.answering.request import Request
from store import answers, people, questions
from store.database import Database
from store.feedback import faqs, votes
from store.feedback.faqs import Reply
from store.index.embedders import embedder_id
from store.records import EVERYONE, Ask, Viewer, Vote
from tests.judged import ENCODER, TEAM, answered, index

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ALL = Viewer((EVERYONE,))


def thread_of(database: Database, answer_id: UUID) -> str:
    with database.connection() as connection:
        row = connection.execute(
            "SELECT message_ts FROM questions JOIN answers USING (workspace_id, question_id)"
            " WHERE answer_id = %s", (answer_id,),
        ).fetchone()  # fmt: skip
    assert row
    return str(row[0])


def kept(database: Database, question: str, text: str = "holidays", *, public: bool = True) -> UUID:
    thread = thread_of(database, answered(database, question, text))
    reply = Reply("C1", thread, f"{thread}-reply", "U7", "Ana", "Ask Ana.", None, public)
    with database.connection() as connection:
        faq = faqs.keep(connection, TEAM, reply, NOW)
    assert faq
    return faq.faq_id


def approve(database: Database, faq_id: UUID) -> None:
    with database.connection() as connection:
        assert faqs.decide(connection, TEAM, faq_id, "ADMIN", NOW, approve=True)


def served(database: Database, question: str, viewer: Viewer = ALL) -> str | None:
    vector = ENCODER.encode([question])[0].tolist()
    found = faq.reply(database, TEAM, ENCODER.name, Request(question, viewer), vector)
    return found.body if found else None


def test_a_reply_is_served_only_once_it_is_approved(database: Database) -> None:
    index(database, {"holidays": (EVERYONE,)})
    faq_id = kept(database, "who plans the summer party")
    assert served(database, "who plans the summer party") is None
    approve(database, faq_id)
    assert served(database, "who plans the summer party") == "Ask Ana."
    assert served(database, "how do I reset my password") is None


def test_a_reply_in_a_private_channel_stays_there(database: Database) -> None:
    index(database, {"holidays": (EVERYONE,)})
    approve(database, kept(database, "who plans the summer party", public=False))
    assert served(database, "who plans the summer party") is None
    assert served(database, "who plans the summer party", Viewer((EVERYONE, "C1"))) == "Ask Ana."


def test_a_reply_stays_in_a_channel_that_became_private(database: Database) -> None:
    index(database, {"holidays": (EVERYONE,)})
    faq_id = kept(database, "who plans the summer party")
    approve(database, faq_id)
    assert served(database, "who plans the summer party") == "Ask Ana."
    with database.connection() as connection:
        assert faqs.open_channels(connection, TEAM, [str(faq_id)]) == ["C1"]
        faqs.narrow(connection, TEAM, "C1")
        assert faqs.open_channels(connection, TEAM, [str(faq_id)]) == []
    assert served(database, "who plans the summer party") is None
    assert served(database, "who plans the summer party", Viewer(("C1",))) == "Ask Ana."


def test_an_approved_answer_stops_serving_when_its_document_changes(database: Database) -> None:
    index(database, {"vacation": (EVERYONE,)})
    faq_id = kept(database, "who plans the summer party", "an older text")
    approve(database, faq_id)
    with database.connection() as connection:
        assert [one.faq_id for one in faqs.flag_changed(connection, TEAM, NOW)] == [faq_id]
        assert [one.faq_id for one in faqs.open_ones(connection, TEAM)] == [faq_id]
    assert served(database, "who plans the summer party") is None
    approve(database, faq_id)
    assert served(database, "who plans the summer party") == "Ask Ana."


def test_a_reply_is_kept_once_and_forgotten_with_its_author(database: Database) -> None:
    index(database, {"holidays": (EVERYONE,)})
    thread = thread_of(database, answered(database, "who plans the party", "holidays"))
    reply = Reply("C1", thread, f"{thread}-reply", "U7", "Ana", "Ask Ana.", None, True)
    with database.connection() as connection:
        assert faqs.keep(connection, TEAM, reply, NOW)
        assert faqs.keep(connection, TEAM, reply, NOW) is None
        assert people.forget(connection, TEAM, "U7").faqs == 1
        assert faqs.open_ones(connection, TEAM) == []


def outvoted(database: Database, question: str, *people: str) -> bool:
    """Answer with the kept reply, let people dislike it; give whether that took it out of service."""
    vector = ENCODER.encode([question])[0].tolist()
    found = faq.reply(database, TEAM, ENCODER.name, Request(question, ALL), vector)
    assert found
    ask = Ask(TEAM, "C1", question + "".join(people), "U1", question, "mention", False)
    with database.connection() as connection:
        question_id = questions.claim(connection, ask, NOW)
        assert question_id
        number = embedder_id(found.versions["encoder"])
        answers.record(connection, TEAM, question_id, found, found.vector, number, NOW)
        for person in people:
            vote = Vote(found.answer_id, person, -1, "button")
            votes.cast(connection, TEAM, vote, NOW + timedelta(days=1))
        return faqs.flag_disliked(connection, TEAM, found.answer_id, NOW) is not None


def test_what_two_people_dislike_is_served_no_more_until_it_is_approved_again(
    database: Database,
) -> None:
    index(database, {"holidays": (EVERYONE,)})
    faq_id = kept(database, "who plans the summer party")
    approve(database, faq_id)
    assert not outvoted(database, "who plans the summer party", "U1")
    assert outvoted(database, "who plans the summer party", "U1", "U2")
    assert served(database, "who plans the summer party") is None
    with database.connection() as connection:
        assert [one.faq_id for one in faqs.open_ones(connection, TEAM)] == [faq_id]
        assert faqs.decide(connection, TEAM, faq_id, "ADMIN", NOW + timedelta(days=2), approve=True)
    assert served(database, "who plans the summer party") == "Ask Ana."
    assert not outvoted(database, "who plans the summer party", "U3")


def test_a_better_reply_is_kept_where_a_kept_one_answered(database: Database) -> None:
    index(database, {"holidays": (EVERYONE,)})
    approve(database, kept(database, "who plans the summer party"))
    assert not outvoted(database, "who plans the summer party", "U1")
    thread = "who plans the summer partyU1"
    better = Reply("C1", thread, f"{thread}-reply", "U8", "Ben", "Ask Ben.", None, True)
    with database.connection() as connection:
        found = faqs.keep(connection, TEAM, better, NOW)
    assert found and found.body == "Ask Ben."


def test_a_reply_to_the_opposite_question_is_not_served(database: Database) -> None:
    index(database, {"holidays": (EVERYONE,)})
    approve(database, kept(database, "who approves purchases above 5000 euros in the office"))
    words = "who approves purchases {} {} euros in the office"
    assert served(database, words.format("above", "5000")) == "Ask Ana."
    assert served(database, words.format("below", "5000")) is None
    assert served(database, words.format("above", "6000")) is None


def test_a_reply_that_was_flagged_meanwhile_is_not_delivered(database: Database) -> None:
    index(database, {"holidays": (EVERYONE,)})
    faq_id = kept(database, "who plans the summer party", "an older text")

    def is_delivered() -> bool:
        with database.connection() as connection:
            return faqs.serves(connection, TEAM, str(faq_id), ALL)

    assert not is_delivered()
    approve(database, faq_id)
    assert is_delivered()
    with database.connection() as connection:
        assert faqs.flag_changed(connection, TEAM, NOW)
    assert not is_delivered()
    approve(database, faq_id)
    assert is_delivered()
    assert outvoted(database, "who plans the summer party", "U1", "U2")
    assert not is_delivered()

"""Questions, answers, votes and channel settings as people would meet them."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from store import answers, channels, questions
from store.database import Database
from store.feedback import votes
from store.records import Answer, Ask, Citation, Passage, Vote

TEAM = "T1"
NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
ASK = Ask(TEAM, "C1", "1700000000.000100", "U1", "How many days off?", "mention", False)


def claimed(database: Database, ask: Ask = ASK) -> UUID:
    with database.connection() as connection:
        question_id = questions.claim(connection, ask, NOW)
    assert question_id is not None
    return question_id


def an_answer(**changes: object) -> Answer:
    citation = Citation(
        "Leave", "leave.md", "https://docs.example/leave", "28 days.", "Days", 0.9, NOW, "hr", 7
    )
    passage = Passage(
        7, "hr", "leave.md", "Leave", "Days", None, "28 days.", "ab", NOW, 0, 0.9, 0.5, None
    )
    answer = Answer(
        uuid4(), ASK.body, "answered", 0.5, "28 days.", (citation,), (passage,), "question", 0.75,
        {"gap": 0.25}, {"encoder": "hash@1"}, {"total": 12.5}, (citation,),
    )  # fmt: skip
    return replace(answer, **changes)  # type: ignore[arg-type]


def recorded(database: Database, answer: Answer | None = None, ask: Ask = ASK) -> Answer:
    question_id = claimed(database, ask)
    with database.connection() as connection:
        return answers.record(connection, TEAM, question_id, answer or an_answer(), None, None, NOW)


def test_a_message_is_claimed_once(database: Database) -> None:
    claimed(database)
    with database.connection() as connection:
        assert questions.claim(connection, ASK, NOW + timedelta(minutes=10)) is None
        assert questions.claim(connection, replace(ASK, channel="C2"), NOW) is not None


def test_many_claims_at_once_give_one_question(database: Database) -> None:
    won: list[UUID | None] = []

    def claim() -> None:
        with database.connection() as connection:
            won.append(questions.claim(connection, ASK, NOW))

    threads = [threading.Thread(target=claim) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 12
    assert len([each for each in won if each]) == 1


@pytest.mark.parametrize("body", ["a\x00b", "\ud800", "x" * 40_000, "🦜", ""])
def test_any_text_can_be_claimed(database: Database, body: str) -> None:
    question_id = claimed(database, replace(ASK, body=body))
    with database.connection() as connection:
        kept = questions.get(connection, TEAM, question_id)
    assert kept is not None and kept.ask.body == body.strip("\ud800").replace("\x00", "")


def test_a_question_ends_once(database: Database) -> None:
    question_id = claimed(database)
    with database.connection() as connection:
        begun = questions.begin(connection, TEAM, question_id, NOW)
        assert begun is not None and begun.attempts == 1 and begun.ask == ASK
        questions.end(connection, TEAM, question_id, "answered", now=NOW)
        questions.end(connection, TEAM, question_id, "failed", error="late", now=NOW)
        assert questions.begin(connection, TEAM, question_id, NOW) is None
        kept = questions.get(connection, TEAM, question_id)
    assert kept is not None and (kept.status, kept.attempts) == ("answered", 1)


def test_waiting_lists_what_has_not_ended(database: Database) -> None:
    ended, open_ = claimed(database), claimed(database, replace(ASK, message_ts="2"))
    with database.connection() as connection:
        questions.end(connection, TEAM, ended, "ignored", now=NOW)
        assert questions.waiting(connection, TEAM, NOW) == []
        found = questions.waiting(connection, TEAM, NOW + timedelta(seconds=1))
        assert questions.waiting(connection, "T2", NOW + timedelta(seconds=1)) == []
    assert [each.question_id for each in found] == [open_]


def test_an_answer_comes_back_as_it_was_recorded(database: Database) -> None:
    answer = an_answer()
    kept = recorded(database, answer)
    assert kept == answer
    with database.connection() as connection:
        assert answers.get(connection, TEAM, answer.answer_id) == answer
        assert answers.get(connection, TEAM, str(answer.answer_id)[:6]) == answer
        assert answers.get(connection, TEAM, str(answer.answer_id)[:5]) is None
        assert answers.get(connection, TEAM, "nothex") is None
        assert answers.get(connection, "T2", answer.answer_id) is None


def test_the_first_answer_to_a_question_stays(database: Database) -> None:
    question_id = claimed(database)
    with database.connection() as connection:
        first = answers.record(connection, TEAM, question_id, an_answer(), [0.5] * 384, 3, NOW)
        again = answers.record(connection, TEAM, question_id, an_answer(), None, None, NOW)
    assert again == first


def test_a_posted_answer_is_found_by_its_message(database: Database) -> None:
    answer = recorded(database)
    with database.connection() as connection:
        assert answers.posted_at(connection, TEAM, answer.answer_id) is None
        answers.posted(connection, TEAM, answer.answer_id, "C1", "1700000001.000100")
        assert answers.at(connection, TEAM, "C1", "1700000001.000100") == answer.answer_id
        assert answers.at(connection, TEAM, "C2", "1700000001.000100") is None
        question = questions.of_answer(connection, TEAM, answer.answer_id)
    assert question is not None and question.ask == ASK


def test_turns_in_a_channel_come_one_after_the_other(database: Database) -> None:
    with database.connection() as connection:
        turns = [answers.take_turn(connection, TEAM, "C1", 1.0) for _ in range(3)]
        assert turns == [0.0, 1.0, 2.0]
        assert answers.take_turn(connection, TEAM, "C2", 1.0) == 0.0
        connection.execute("UPDATE channel_turns SET next_at = next_at - interval '1 hour'")
        assert answers.take_turn(connection, TEAM, "C1", 1.0) == 0.0


def cast(
    database: Database, answer: Answer, value: int, at: int, reason: str | None = None
) -> bool:
    vote = Vote(answer.answer_id, "U2", value, "reaction", reason=reason)
    with database.connection() as connection:
        return votes.cast(connection, TEAM, vote, NOW + timedelta(seconds=at))


def tally(database: Database, answer: Answer) -> list[tuple[str, int, str | None]]:
    with database.connection() as connection:
        return [(v.person, v.value, v.reason) for v in votes.of(connection, TEAM, answer.answer_id)]


def test_a_second_vote_replaces_the_first(database: Database) -> None:
    answer = recorded(database)
    assert cast(database, answer, 1, 0)
    assert cast(database, answer, -1, 1)
    assert not cast(database, answer, -1, 2)
    assert tally(database, answer) == [("U2", -1, None)]


def test_a_late_delivery_does_not_undo_a_younger_vote(database: Database) -> None:
    answer = recorded(database)
    cast(database, answer, -1, 10)
    assert not cast(database, answer, 1, 5)
    assert tally(database, answer) == [("U2", -1, None)]


def test_a_reason_stays_while_the_vote_stays(database: Database) -> None:
    answer = recorded(database)
    cast(database, answer, -1, 0, "outdated")
    cast(database, answer, -1, 1)
    assert tally(database, answer) == [("U2", -1, "outdated")]
    cast(database, answer, 1, 2)
    assert tally(database, answer) == [("U2", 1, None)]


def take_away(database: Database, answer: Answer, value: int, at: int, weight: float = 1) -> bool:
    vote = Vote(answer.answer_id, "U2", value, "reaction", weight=weight)
    with database.connection() as connection:
        return votes.withdraw(connection, TEAM, vote, NOW + timedelta(seconds=at))


def test_only_the_standing_vote_can_be_withdrawn(database: Database) -> None:
    answer = recorded(database)
    cast(database, answer, 1, 0)
    assert not take_away(database, answer, -1, 1)
    assert take_away(database, answer, 1, 2)
    assert tally(database, answer) == []


def test_of_two_thumbs_the_one_that_is_left_counts(database: Database) -> None:
    answer = recorded(database)
    cast(database, answer, 1, 0)
    cast(database, answer, -1, 1, "outdated")
    assert take_away(database, answer, -1, 2)
    assert tally(database, answer) == [("U2", 1, None)]
    assert take_away(database, answer, 1, 3)
    assert tally(database, answer) == []


@pytest.mark.parametrize("order", [("put", "taken", "put"), ("taken", "put", "put")])
def test_a_thumb_that_was_taken_away_stays_away_however_late_it_is_told_again(
    database: Database, order: tuple[str, ...]
) -> None:
    answer = recorded(database)
    for told in order:
        if told == "put":
            cast(database, answer, 1, 5)
        else:
            take_away(database, answer, 1, 6)
    assert tally(database, answer) == []
    assert cast(database, answer, 1, 7)


def test_a_button_takes_the_place_of_all_thumbs_before(database: Database) -> None:
    answer = recorded(database)
    cast(database, answer, 1, 0)
    with database.connection() as connection:
        pressed = Vote(answer.answer_id, "U2", -1, "button")
        votes.cast(connection, TEAM, pressed, NOW + timedelta(seconds=1))
    take_away(database, answer, -1, 2)
    assert tally(database, answer) == []


def test_a_channel_without_settings_speaks_when_mentioned(database: Database) -> None:
    wanted = channels.ChannelSettings("C1", "questions", 0.5, ("hr",))
    with database.connection() as connection:
        assert channels.get(connection, TEAM, "C1").mode == "mention"
        channels.put(connection, TEAM, wanted, "U1", NOW)
        channels.put(connection, TEAM, wanted, "U1", NOW)
        assert channels.get(connection, TEAM, "C1") == wanted


def thread_asker(database: Database) -> str | None:
    with database.connection() as connection:
        return questions.asker_of_thread(connection, TEAM, "C1", ASK.message_ts)


def test_a_thread_belongs_to_who_brought_the_bot_in_until_it_is_muted(database: Database) -> None:
    assert thread_asker(database) is None
    answer = recorded(database)
    assert thread_asker(database) is None
    with database.connection() as connection:
        answers.posted(connection, TEAM, answer.answer_id, "C1", "1700000001.0")
    assert thread_asker(database) == "U1"
    mute = replace(ASK, message_ts="1700000002.0", thread_ts=ASK.message_ts, body="mute")
    muted = claimed(database, mute)
    with database.connection() as connection:
        questions.end(connection, TEAM, muted, "ignored", intent=questions.MUTE, now=NOW)
    assert thread_asker(database) is None


def test_a_marker_is_taken_off_once_and_never_put_on_late(database: Database) -> None:
    question_id = claimed(database)
    with database.connection() as connection:
        assert questions.mark(connection, TEAM, question_id, "eyes")
        assert questions.unmark(connection, TEAM, question_id) == "eyes"
        assert questions.unmark(connection, TEAM, question_id) is None
        assert not questions.mark(connection, TEAM, question_id, "status")

"""Gaps in the store: what counts as asked in vain, what is told of it, and what people decide."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from store import answers, audit, gaps, people, questions
from store.database import Database
from store.feedback import votes
from store.gaps import Group, Member
from store.index.embedders import ensure_embedder
from store.records import Answer, Ask, Vote

NOW = datetime.now(UTC)
ASK = Ask("local", "C1", "1.1", "U1", "Where do I park?", "mention", False)
VECTOR = (1.0, 0.0, 0.0)


def encoder(database: Database) -> int:
    with database.connection() as connection:
        return ensure_embedder(connection, "local", "tiny@1", 3)


def asked(database: Database, ts: str, status: str = "not_found", **changes: Any) -> UUID:
    """A question that ended so."""
    number = encoder(database)
    with database.connection() as connection:
        question_id = questions.claim(connection, replace(ASK, message_ts=ts, **changes), NOW)
        assert question_id
        answer = Answer(uuid4(), "?", status, 0.1, "a body")  # type: ignore[arg-type]
        answers.record(connection, "local", question_id, answer, VECTOR, number, NOW)
        questions.end(connection, "local", question_id, answer.status, now=NOW)
    return question_id


def vote(database: Database, question_id: UUID, person: str, value: int, **more: Any) -> None:
    with database.connection() as connection:
        answer = answers.of(connection, "local", question_id)
        assert answer
        votes.cast(
            connection, "local", Vote(answer.answer_id, person, value, "button", **more), NOW
        )


def unmet(database: Database) -> dict[UUID, bool]:
    """The questions asked in vain, each with whether its answer was disliked."""
    with database.connection() as connection:
        found = gaps.unmet(connection, "local", encoder(database), NOW - timedelta(days=9), 10)
    return {each.question_id: each.is_disliked for each in found}


def grouped(database: Database, *members: Member, last: datetime = NOW, **given: Any) -> UUID:
    with database.connection() as connection:
        group = Group(given.get("gap_id"), members, last)
        (gap_id,) = gaps.regroup(connection, "local", [group], given.get("now", NOW))
    return gap_id


def test_what_was_not_found_or_disliked_was_asked_in_vain(database: Database) -> None:
    missing, liked = asked(database, "1.1"), asked(database, "1.2", "answered")
    disliked, unwanted = asked(database, "1.3", "unsure"), asked(database, "1.4", "answered")
    disputed = asked(database, "1.5", "answered")
    vote(database, liked, "U2", 1)
    vote(database, disliked, "U2", -1)
    vote(database, unwanted, "U2", -1, reason="silent")
    for person, value in (("U2", -1), ("U3", 1), ("U4", 1)):
        vote(database, disputed, person, value)
    assert unmet(database) == {missing: False, disliked: True}


def test_a_question_from_another_encoder_or_long_ago_is_left_out(database: Database) -> None:
    old, other = asked(database, "1.1"), asked(database, "1.2")
    with database.connection() as connection:
        connection.execute(
            "UPDATE questions SET claimed_at = %s WHERE question_id = %s",
            (NOW - timedelta(days=10), old),
        )
        connection.execute(
            "UPDATE answers SET embedder_id = embedder_id + 1 WHERE question_id = %s", (other,)
        )
    assert unmet(database) == {}


def test_a_gap_is_named_by_its_most_central_public_question_alone(database: Database) -> None:
    private = asked(database, "1.1", body="my secret", person="U2")
    public, further = asked(database, "1.2", body="Parking?"), asked(database, "1.3", body="Cars?")
    gap_id = grouped(
        database,
        Member(private, False, False, 0.99),
        Member(further, True, False, 0.7),
        Member(public, True, True, 0.9),
    )
    with database.connection() as connection:
        (gap,) = gaps.listed(connection, "local")
        assert (gap.name, gap.asked, gap.people, gap.disliked) == ("Parking?", 3, 2, 1)
        assert gaps.examples(connection, "local", gap_id, 9, ["C1"]) == ["Parking?", "Cars?"]
        people.forget(connection, "local", "U1")
        (gap,) = gaps.listed(connection, "local")
        assert (gap.name, gap.asked) == (None, 1)
        people.forget(connection, "local", "U2")
        assert (
            gaps.listed(connection, "local") == [] == gaps.listed(connection, "local", state="open")
        )


def test_what_admins_decide_stays_and_is_audited(database: Database) -> None:
    gap_id = grouped(database, Member(asked(database, "1.1"), True, False, 0.9))
    with database.connection() as connection:
        assert gaps.assign(connection, "local", gap_id, "U7", "UBOSS", NOW)
        (gap,) = gaps.listed(connection, "local", state="assigned")
        assert (gap.assigned_to, gap.changed_by) == ("U7", "UBOSS")
        assert gaps.mute(connection, "local", gap_id, "UBOSS", NOW)
        assert not gaps.close(connection, "local", gap_id, "UBOSS", NOW)  # muted means: leave it
        assert not gaps.mute(connection, "local", uuid4(), "UBOSS", NOW)
        assert [gap.gap_id for gap in gaps.listed(connection, "local", state="muted")] == [gap_id]
        assert gaps.count(connection, "local") == 0
        assert gaps.reopen(connection, "local", gap_id, "UBOSS", NOW)
        assert gaps.close(connection, "local", gap_id, "UBOSS", NOW)
        deeds = [deed.detail for deed in audit.last(connection, "local", 9)]
    whats = {detail.partition(": ")[2] for detail in deeds}
    assert whats == {"assigned to U7", "muted", "opened again", "closed by a person"}


def test_grouping_anew_keeps_decisions_and_opens_a_closed_gap_only_for_new_questions(
    database: Database,
) -> None:
    first = Member(asked(database, "1.1"), True, False, 0.9)
    gap_id = grouped(database, first, last=NOW)
    with database.connection() as connection:
        gaps.close(connection, "local", gap_id, "UBOSS", NOW + timedelta(minutes=1))
    later = NOW + timedelta(minutes=2)
    assert grouped(database, first, last=NOW, gap_id=gap_id, now=later) == gap_id
    with database.connection() as connection:
        (gap,) = gaps.listed(connection, "local", state="closed")
        assert gap.closed_by == "person"
    grouped(database, first, last=later, gap_id=gap_id, now=later)
    with database.connection() as connection:
        (gap,) = gaps.listed(connection, "local", state="open")
    assert gap.closed_by is None


def test_questions_that_stand_for_a_waiting_gap_say_what_was_disliked(database: Database) -> None:
    question = asked(database, "1.1")
    gap_id = grouped(database, Member(question, True, True, 0.9))
    with database.connection() as connection:
        connection.execute('UPDATE answers SET passages = \'[{"text_hash": "ab"}]\'')
        (one,) = gaps.central(connection, "local", limit=5, most=3)
        assert (one.gap_id, one.question_id, one.disliked) == (gap_id, question, "ab")
        gaps.mute(connection, "local", gap_id, "UBOSS", NOW)
        assert gaps.central(connection, "local", limit=5, most=3) == []

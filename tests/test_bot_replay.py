"""A night looks at what was shown: the order that serves, tried on votes, puts the shown passage first."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from bot.answering.confidence import Calibrator
from bot.answering.parameters import Parameters
from bot.answering.retrieval import Retriever
from bot.learning import feedback, fit_ranking
from store import answers, questions
from store.database import Database
from store.feedback import votes
from store.index import embedders
from store.records import EVERYONE, READER, Answer, Ask, Passage, Vote
from tests.judged import ENCODER, TEAM, index

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PARAMETERS = Parameters(Calibrator.default())

ABOUT = "The office has many rules. Parking is a subject of its own. It opens a long list of six chapters."
SAYS = (
    "Everybody gets a desk and a chair here. The office parking opens at six. The kitchen of the office has tea,"
    " coffee and milk for all who work on the floor."
)
STEPS = "ERR-4042 is told when a mixer has its lid open, or when a bowl of another maker is in its place."
OTHER = "ERR-4043: lid, lid of the mixer. Close the lid of the mixer. The mixer and its lid are cleaned."


def asked(database: Database, question: str) -> list[Passage]:
    """Answer a question by what is found, let one person like it, and give the passages, first first."""
    found = Retriever(database, TEAM, ENCODER).find(question, READER, PARAMETERS)
    ask = Ask(TEAM, "C1", str(uuid4()), "U1", question, "mention", False)
    answer = Answer(uuid4(), question, "answered", 0.9, None, passages=tuple(found.passages))
    with database.connection() as connection:
        question_id = questions.claim(connection, ask, NOW)
        assert question_id
        number = embedders.embedder_id(ENCODER.name)
        answers.record(connection, TEAM, question_id, answer, found.vector, number, NOW)
        votes.cast(connection, TEAM, Vote(answer.answer_id, "U2", 1, "button"), NOW)
    return found.passages


@pytest.mark.parametrize(
    ("question", "pages", "shown"),
    [
        ("office parking opens six", (ABOUT, SAYS), SAYS),
        ("ERR-4042 of the mixer lid", (OTHER, STEPS), STEPS),
    ],
)
def test_a_night_puts_first_what_was_shown_first(
    database: Database, question: str, pages: tuple[str, ...], shown: str
) -> None:
    index(database, dict.fromkeys(pages, (EVERYONE,)))
    assert asked(database, question)[0].body == shown
    with database.connection() as connection:
        found = feedback.load(connection, TEAM, embedders.embedder_id(ENCODER.name))
    # Without what was said in the best units, and without the code, the other page would lead.
    weights = fit_ranking.weights(PARAMETERS, found.sources)
    scores = found.replays[0].table @ weights[:3]
    assert found.replays[0].passages[int(scores.argmax())].body != shown
    (first,) = found.first(found.votes(None), weights, [0])
    assert bytes.fromhex(found.texts[0][first]).decode() == shown


def test_an_answer_from_before_units_were_kept_is_learned_from(database: Database) -> None:
    index(database, {ABOUT: (EVERYONE,), SAYS: (EVERYONE,)})
    asked(database, "office parking opens six")
    with database.connection() as connection:
        connection.execute(
            "UPDATE answers SET passages = (SELECT jsonb_agg(p - 'unit') FROM jsonb_array_elements(passages) p)"
        )
        found = feedback.load(connection, TEAM, embedders.embedder_id(ENCODER.name))
    assert [row.units for row in found.rows] == [{}]
    assert not found.votes(0.4).table[0, :, 4].any()


def test_what_memory_speaks_for_says_it_as_well_as_the_best_unit(database: Database) -> None:
    index(database, {ABOUT: (EVERYONE,), SAYS: (EVERYONE,)})
    for words in ("office parking opens six", "office parking opens at six"):
        asked(database, words)
    with database.connection() as connection:
        found = feedback.load(connection, TEAM, embedders.embedder_id(ENCODER.name))
    liked = found.rows[0].text_hash
    rows = [replace(row, units={**row.units, liked: 0.0}) for row in found.rows]
    unsaid = replace(found, rows=tuple(rows))
    place = unsaid.texts[0].index(liked)
    assert unsaid.votes(None).table[0, place, 4] == 0.0
    assert unsaid.votes(0.4).table[0, place, 4] > 0.0

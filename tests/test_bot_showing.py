"""What of the documents is seen: which passages, how much of them, and what is marked in it."""

from dataclasses import replace
from uuid import uuid4

from bot.answering import showing
from store.records import Answer, Citation, Passage

PASSAGE = Passage(1, "wiki", "a.md", "A", "One", None, "x", "00", None, 0, 1.0)
CITED = Citation("A", "a.md", None, "Open at nine. Closed on Mondays.", "One", 1.0, None, "wiki", 1)


def passage(path: str, heading: str, score: float) -> Passage:
    return replace(PASSAGE, path=path, heading=heading, score=score)


def test_near_passages_are_shown_the_sections_of_one_page_together() -> None:
    found = [
        passage("a", "1", 1.0),
        passage("b", "1", 0.9),
        passage("a", "2", 0.8),
        passage("c", "", 0.8),
    ]
    assert [(p.path, p.heading) for p in showing.chosen(found)] == [
        ("a", "1"),
        ("a", "2"),
        ("b", "1"),
    ]


def test_a_passage_that_scores_far_below_the_first_is_not_shown() -> None:
    assert len(showing.chosen([passage("a", "1", 1.0), passage("b", "1", 0.4)])) == 1


def test_the_unit_is_seen_first_then_its_passage_with_all_that_is_marked() -> None:
    seen = showing.shown((CITED,), "Open at nine.", (("Open at nine.", "Closed on Mondays."),))
    assert [each.text for each in seen] == ["Open at nine.", CITED.quote]
    assert [each.marked for each in seen] == [
        ("Open at nine.",), ("Open at nine.", "Closed on Mondays."),
    ]  # fmt: skip


def test_a_passage_that_is_the_unit_is_not_seen_twice() -> None:
    whole = replace(CITED, quote="Open at nine.\n")
    assert len(showing.shown((whole,), "Open at nine.", (("Open at nine.",),))) == 1


def test_a_long_passage_is_cut_between_sentences_around_what_is_marked() -> None:
    text = "Before it all. " * 100 + "HERE IT IS. " + "After it all. " * 100
    cut = showing.window(text, ("HERE IT IS.",), 300)
    assert len(cut) <= 300 and "HERE IT IS." in cut and cut in text
    assert cut.startswith("Before") and cut.endswith("all.")
    assert showing.window(text, (), 300).startswith("Before it all.")
    assert len(showing.window("x" * 5000, ("x" * 4000,), 300)) <= 300


def test_an_answer_that_was_kept_without_it_is_seen_as_its_body_and_passage() -> None:
    made = Answer(uuid4(), "?", "answered", 0.9, "Closed on Mondays.", (CITED,))
    assert [each.text for each in showing.of(made)] == ["Closed on Mondays.", CITED.quote]
    seen = showing.of(made)
    for status in ("not_found", "ignored", "failed"):
        assert showing.of(replace(made, status=status, shown=seen)) == ()

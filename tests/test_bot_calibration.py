"""What the confidence is fitted to: a question whose page is hidden gets as many passages as any other."""

from bot.answering.answerer import Answerer, Judged
from bot.answering.parameters import Serving
from bot.answering.request import Request
from bot.answering.retrieval import Found
from bot.learning import calibration
from evals.answers import Labelled
from store.database import Database
from store.records import READER
from tests.corpus import numbered, page, store
from tests.fakes import HashEmbedder

ROW = Labelled("q1", "how many days of paid holiday", True, "leave.md", None)


class Watched(Answerer):
    """Remembers the paths that it judged last."""

    judged: tuple[str, ...] = ()

    def judge(self, found: Found) -> Judged:
        self.judged = tuple(passage.path for passage in found.passages)
        return super().judge(found)


def test_a_hidden_page_does_not_make_a_large_index_look_like_a_small_one(
    database: Database,
) -> None:
    answerer = Watched(database, "local", HashEmbedder(), Serving(database, "local"))
    fact = page("leave.md", "A contract comes with 28 days of paid holiday.")
    store(database, [*numbered(20, {}), fact])
    usual = answerer.answer(Request(ROW.question, READER))
    calibration.without_fact(answerer, ROW)
    assert "leave.md" in {passage.path for passage in usual.passages}
    assert "leave.md" not in answerer.judged
    assert len(answerer.judged) == len(usual.passages)


def test_where_nothing_is_left_there_are_no_signals(database: Database) -> None:
    answerer = Watched(database, "local", HashEmbedder(), Serving(database, "local"))
    store(database, [page("leave.md", "A contract comes with 28 days of paid holiday.")])
    assert calibration.without_fact(answerer, ROW) == {}

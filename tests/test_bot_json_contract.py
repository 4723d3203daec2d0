"""The JSON that other programs rely on: every command that promises it, its keys and their types.

Each command runs as a person types it, on a few pages and with a tiny random encoder: what the numbers
are worth is tested elsewhere. More keys are welcome, these must stay.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
import typer
from typer.testing import CliRunner

from bot.cli import evaluation, intents, learning, models, questions, sources
from bot.scorecards import intents as scorecard
from bot.settings import Settings
from store.database import Database
from store.feedback import versions
from store.records import Status
from tests import postgres, tiny_bert

NUMBER, TEXT_OR_NULL = float, (str, None)

CITATION = {
    "title": str, "path": str, "url": TEXT_OR_NULL, "quote": str, "heading": str,
    "score": NUMBER, "updated_at": TEXT_OR_NULL,
}  # fmt: skip
ANSWER = {
    "id": str,
    "question": str,
    "status": str,
    "confidence": NUMBER,
    "intent": {"name": TEXT_OR_NULL, "confidence": NUMBER},
    "answer": TEXT_OR_NULL,
    "citations": [CITATION],
    "shown": [{"text": str, "marked": [str], "path": str, "heading": str}],
    "passages": [{"path": str, "heading": str, "score": NUMBER}],
    "timings_ms": {"total": NUMBER},
}
SOURCE = {
    "name": str, "kind": str, "documents": int, "chunks": int, "failed": int, "skipped": int,
    "last_success": TEXT_OR_NULL, "next_run": TEXT_OR_NULL, "last_error": TEXT_OR_NULL,
}  # fmt: skip
LEG = dict.fromkeys(("ndcg@10", "recall@5", "recall@10", "recall@100", "mrr@10"), NUMBER)
RETRIEVAL = {"queries": int, "documents": int, "lexical": LEG, "vector": LEG, "hybrid": LEG}
SCORED_ANSWERS = {"questions": int} | dict.fromkeys(
    (
        "quote_first", "page_first", "page_top5", "refused_unanswerable", "refused_answerable",
        "crag", "coverage_at_80",
    ),
    NUMBER,
)  # fmt: skip
INTENTS = dict.fromkeys(
    ("accuracy", "macro_f1", "oos_recall", "oos_auroc", "in_scope_rejected", "ece", "seconds"),
    NUMBER,
)
GROUP = {"n": int} | dict.fromkeys(
    ("hit@1_before", "hit@1_after", "mrr@10_before", "mrr@10_after"), NUMBER
)
NIGHT = {"parts": [{"kind": str, "decision": str, "reason": str, "numbers": {}}], "dry_run": bool}
LEARNING = {
    "again": GROUP, "unseen": GROUP, "promotions": int, "refused": int, "nights": [NIGHT],
}  # fmt: skip
VERSION = {
    "id": str, "kind": str, "created_at": str, "promoted_at": TEXT_OR_NULL, "serving": bool,
}  # fmt: skip

PAGES = {
    "leave": "When you want leave, book a holiday.",
    "pay": "Salary is paid on pay day.",
    "wifi": "When my wifi is broken, reset the password.",
}
ASKED = (("q1", "when is pay day", "pay"), ("q2", "i want leave", "leave"),
         ("q3", "my wifi is broken", "wifi"), ("q4", "pay day when", "pay"),
         ("q5", "book leave", "leave"), ("q6", "reset wifi password", "wifi"))  # fmt: skip


class Shell:
    """The commands, on a database and in a folder of their own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        (folder / "intents.toml").touch()
        _write_documents(folder)
        _write_data_set(folder / "beir")
        self._settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            home=folder,
            sources=folder / "sources.toml",
            intents=folder / "intents.toml",
            embedder=str(tiny_bert.write(folder / "encoder")),
            database_url=url,
            answer_above=0.0,  # so that there is something to cite
            unsure_above=0.0,
            threads=1,
        )
        self.database = Database(url)
        self._app = typer.Typer()
        for group in (questions, sources, models, learning):
            group.register(self._app)
        self._app.add_typer(intents.app, name="intents")
        self._app.add_typer(evaluation.app, name="eval")

    def run(self, *words: str, said: str = "") -> str:
        """Type a command, which must succeed: its stdout."""
        result = CliRunner().invoke(self._app, words, input=said, obj=self._settings)
        assert result.exit_code == 0, result.stderr or result.exception
        return result.stdout

    def json(self, *words: str) -> object:
        """Type a command, whose stdout must be one JSON value on one line."""
        (line,) = self.run(*words).splitlines()
        return json.loads(line)


@pytest.fixture(scope="module")
def shell(server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with postgres.database(server, template) as url:
        made = Shell(url, tmp_path_factory.mktemp("contract"))
        made.run("ingest")
        with made.database.connection() as connection:
            versions.add(
                connection, "local", "ranking", datetime(2026, 3, 1, tzinfo=UTC), payload={"x": 1}
            )
        yield made
        made.database.close()


def test_ask_gives_one_answer(shell: Shell) -> None:
    answer = shell.json("ask", "when is pay day", "--json")
    assert misfits(answer, ANSWER) == []
    assert _status(answer) in get_args(Status)


def test_a_batch_gives_one_answer_a_line_with_the_ids_that_were_given(shell: Shell) -> None:
    rows = [{"id": name, "question": text} for name, text, _ in ASKED]
    said = shell.run("ask", "--batch", said="\n".join(map(json.dumps, rows)))
    answers = [json.loads(line) for line in said.splitlines()]
    assert [answer["id"] for answer in answers] == [name for name, *_ in ASKED]
    assert [misfits(answer, ANSWER) for answer in answers] == [[]] * len(ASKED)


def test_why_gives_the_answer_as_it_was_kept(shell: Shell) -> None:
    answer = shell.json("ask", "i want leave", "--json")
    assert isinstance(answer, Mapping)
    kept = shell.json("why", str(answer["id"]), "--json")
    assert isinstance(kept, Mapping)
    assert misfits(kept, ANSWER) == [] and kept["shown"] == answer["shown"]


def test_sources_are_a_list(shell: Shell) -> None:
    assert misfits(shell.json("sources", "--json"), [SOURCE]) == []


def test_the_scores_of_a_retrieval_data_set(shell: Shell) -> None:
    found = shell.json("eval", "retrieval", str(shell.folder / "beir"), "--json")
    assert misfits(found, RETRIEVAL) == []


def test_the_scores_of_answers(shell: Shell) -> None:
    rows: list[dict[str, object]] = [
        {
            "id": name,
            "question": text,
            "answerable": True,
            "path": f"{page}.md",
            "quote": PAGES[page],
        }
        for name, text, page in ASKED
    ]
    rows.append({"id": "none", "question": "salary reset", "answerable": False})
    found = shell.json("eval", "answers", str(_write(shell.folder / "asked.jsonl", rows)), "--json")
    assert misfits(found, SCORED_ANSWERS) == []


def test_the_scores_of_intents_and_of_the_baseline(shell: Shell) -> None:
    examples = {
        "leave": ("book leave", "holiday"), "wifi": ("wifi", "broken"), "oos": ("salary", "pay"),
    }  # fmt: skip
    rows = [
        {"text": f"{filler} {text}".strip(), "intent": name}
        for name, texts in examples.items()
        for text in texts
        for filler in ("", "i want")
    ]
    train = _write(shell.folder / "train.jsonl", rows)
    test = _write(
        shell.folder / "test.jsonl", [{**row, "text": f"{row['text']} when"} for row in rows]
    )
    # Not through the command line, which trains the encoder that ships: 17 s of processor time.
    scored = scorecard.evaluate(train, test, [0], 1, lambda *_: None, shell.folder / "encoder")
    found = json.loads(json.dumps(scored.as_json()))
    assert misfits(found, INTENTS | {"baseline": INTENTS}) == []


def test_the_scores_of_learning(shell: Shell) -> None:
    words = ("eval", "learning", str(shell.folder / "beir"), "--votes", "2", "--json")
    assert misfits(shell.json(*words), LEARNING) == []


def test_tonights_job(shell: Shell) -> None:
    assert misfits(shell.json("learn", "--dry-run", "--json"), NIGHT) == []


def test_versions_are_a_list(shell: Shell) -> None:
    assert misfits(shell.json("models", "--json"), [VERSION]) == []


def misfits(value: object, shape: object, at: str = "$") -> list[str]:
    """Name the places where a JSON value is not as promised.

    A shape is a type, None, a tuple of alternatives, a list of one shape for a list that is not empty,
    or a dictionary of the keys that must be there.
    """
    if isinstance(shape, tuple):
        return [] if any(not misfits(value, one) for one in shape) else [f"{at}: {value!r}"]
    if isinstance(shape, Mapping) and isinstance(value, Mapping):
        missing = [f"{at}.{key} is missing" for key in shape if key not in value]
        present = [key for key in shape if key in value]
        return missing + [
            m for key in present for m in misfits(value[key], shape[key], f"{at}.{key}")
        ]
    if isinstance(shape, list) and isinstance(value, list):
        inner = [m for n, one in enumerate(value) for m in misfits(one, shape[0], f"{at}[{n}]")]
        return inner if value else [f"{at} is empty"]
    fits = (
        value is None
        if shape is None
        else type(value) in ((int, float) if shape is float else (shape,))
    )
    return [] if fits else [f"{at}: {value!r}"]


def _status(answer: object) -> object:
    return answer["status"] if isinstance(answer, Mapping) else None


def _write(file: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return file


def _write_documents(folder: Path) -> None:
    (folder / "docs").mkdir()
    for name, text in PAGES.items():
        (folder / "docs" / f"{name}.md").write_text(f"# About {name}\n\n{text}\n")
    (folder / "sources.toml").write_text('[[source]]\nname = "docs"\naddress = "docs"\n')


def _write_data_set(folder: Path) -> None:
    """Write the same pages and questions in BEIR layout."""
    (folder / "qrels").mkdir(parents=True)
    pages = [{"_id": name, "title": name, "text": text} for name, text in PAGES.items()]
    _write(folder / "corpus.jsonl", pages)
    _write(folder / "queries.jsonl", [{"_id": name, "text": text} for name, text, _ in ASKED])
    rows = "".join(f"{name}\t{page}\t1\n" for name, _, page in ASKED)
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}")

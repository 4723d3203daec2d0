"""Read corpora with questions, each in the layout that it comes in: what is asked, and where the fact stands.

Knows nothing about search. Four layouts are known: a folder of documents with a questions file, a folder in
BEIR layout, MTRAG's conversations (only last turns that can be understood alone), and CLAP NQ's rows.
"""

import hashlib
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evals import answers, beir
from evals.answers import Labelled

JUDGED = 300
"""Questions drawn from a set that has judgements of pages and no quotes."""

HIDDEN_EACH = 3
"""In a set whose questions all have an answer, each so-manieth is asked with its pages hidden."""

_LEANING = re.compile(
    r"\b(?:meant|sorry|wait|it|its|they|them|their|this|that|these|those|he|she|his|her|him|one|ones|there|then|so"
    r"|instead|also|again|above|before|mean|said|other|another|same|else)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents and the questions about them: either a `folder` of files, or `pages` of one passage each.

    For the questions in `hidden` (their ids) the pages of their fact count as not there.
    """

    name: str
    rows: tuple[Labelled, ...]
    folder: Path | None = None
    pages: tuple[beir.Page, ...] = ()
    hidden: frozenset[str] = frozenset()


def read(address: str) -> Corpus:
    """Read a corpus: a folder in a known layout, a file of CLAP NQ's rows, or `DOCUMENTS:QUESTIONS`.

    Raises beir.DataError when it is none of these.
    """
    folder, colon, questions = address.rpartition(":")
    if colon:
        return _handbook(Path(folder), Path(questions))
    place = Path(address)
    if (place / "qrels").is_dir():
        return _judged(place)
    if any((place / name).exists() for name in ("tasks.jsonl", "tasks.jsonl.gz")):
        return _conversations(place)
    files = sorted(place.glob("*.jsonl*")) if place.is_dir() else [place]
    if len(files) == 1 and files[0].is_file():
        return _single_passages(place.name.split(".")[0], files[0])
    raise beir.DataError(
        f"{address} is no corpus: give DOCUMENTS:QUESTIONS, or a folder in BEIR, MTRAG or CLAP NQ layout."
    )


def read_all(address: str) -> list[Corpus]:
    """Read one corpus, or all of a folder that holds NAME/ with documents beside NAME.jsonl with questions.

    Raises beir.DataError when it is none of these.
    """
    place = Path(address)
    files = sorted(place.glob("*.jsonl")) if place.is_dir() else []
    pairs = [(file.with_suffix(""), file) for file in files if file.with_suffix("").is_dir()]
    return [_handbook(folder, file) for folder, file in pairs] or [read(address)]


def drawn(corpus: Corpus, most: int, *, seed: int = 0) -> Corpus:
    """Keep at most so many of the questions, drawn by the seed."""
    if len(corpus.rows) <= most:
        return corpus
    return replace(corpus, rows=tuple(random.Random(seed).sample(corpus.rows, most)))


def _handbook(folder: Path, questions: Path) -> Corpus:
    if not folder.is_dir():
        raise beir.DataError(f"{folder} is no folder of documents.")
    return Corpus(folder.name, tuple(answers.labelled(questions)), folder)


def _judged(folder: Path) -> Corpus:
    """Read a set in BEIR layout: a page that was judged right is the fact as a whole."""
    data = beir.read(folder, None)
    rows = [_about(key, text, list(data.qrels[key])) for key, text in data.questions.items()]
    rows = random.Random(0).sample(rows, min(JUDGED, len(rows)))
    hidden = frozenset(row.question_id for row in rows[::HIDDEN_EACH])
    return Corpus(folder.name, tuple(rows), None, data.pages, hidden)


def _conversations(folder: Path) -> Corpus:
    """Read MTRAG's tasks that are answerable or not, without those that lean on what was said before."""
    rows = []
    for row in beir.rows(folder, "tasks"):
        question, state = str(row["question"]), row["answerability"]
        if state in ("answerable", "unanswerable") and stands_alone(question, row["history"]):
            relevant = _texts(row["relevant"]) if state == "answerable" else []
            rows.append(_about(str(row["id"]), question, relevant))
    return Corpus(folder.name, tuple(rows), None, _pages(beir.rows(folder, "corpus")))


def stands_alone(question: str, history: object) -> bool:
    """Guess whether a last turn can be understood without the turns before it."""
    return not history or (len(question.split()) >= 4 and not _LEANING.search(question))


def _single_passages(name: str, file: Path) -> Corpus:
    """Read rows that bring their passage and the sentences of it that answer, if any do."""
    pages, rows = dict[str, beir.Page](), []
    for number, row in enumerate(beir.lines(file), start=1):
        try:
            passage, title = str(row["passage"]), str(row["title"])
            key = hashlib.sha256(passage.encode()).hexdigest()[:16]
            told = _texts(row["selected"]) if row["answerable"] else ()
            question = str(row["question"])
        except KeyError as error:
            raise beir.DataError(f"{file}, row {number} has no {error.args[0]!r}.") from error
        pages[key] = beir.Page(key, title, passage)
        rows.append(replace(_about(str(number), question, [key] if told else []), any_of=told))
    return Corpus(name, tuple(rows), None, tuple(pages.values()))


def _about(key: str, question: str, pages: Sequence[str]) -> Labelled:
    first, others = (pages[0], tuple(pages[1:])) if pages else (None, ())
    return Labelled(key, question, bool(pages), first, None, alt_paths=others)


def _pages(rows: Iterable[dict[str, object]]) -> tuple[beir.Page, ...]:
    return tuple(
        beir.Page(str(row["_id"]), str(row.get("title") or ""), str(row["text"])) for row in rows
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list | tuple) else ()

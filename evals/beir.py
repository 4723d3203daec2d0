"""Read a retrieval data set in BEIR layout: corpus, queries and relevance judgements.

Knows nothing about retrieval.
"""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class DataError(Exception):
    """A data set cannot be read; the message names the file and what is expected of it."""


@dataclass(frozen=True, slots=True)
class Page:
    """One document of the corpus."""

    page_id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """A corpus with the questions of one split: `qrels` maps question -> document -> gain."""

    pages: tuple[Page, ...]
    questions: dict[str, str]
    qrels: dict[str, dict[str, int]]
    split: str


def read(folder: Path, split: str | None = None) -> DataSet:
    """Read a folder in BEIR layout; `split` defaults to test, else valid, else the only one."""
    judgements = folder / "qrels"
    splits = sorted(path.stem for path in judgements.glob("*.tsv"))
    if not splits:
        raise DataError(f"{judgements} holds no .tsv file: is {folder} in BEIR layout?")
    chosen = split or next((s for s in ("test", "valid", "dev") if s in splits), splits[0])
    if chosen not in splits:
        raise DataError(f"{folder} has no split {chosen!r}; it has {', '.join(splits)}.")
    qrels = _qrels(judgements / f"{chosen}.tsv")
    texts = {str(row["_id"]): str(row["text"]) for row in rows(folder, "queries")}
    return DataSet(
        pages=tuple(
            Page(str(row["_id"]), str(row.get("title") or ""), str(row["text"]))
            for row in rows(folder, "corpus")
        ),
        questions={q: texts[q] for q in qrels if q in texts},
        qrels=qrels,
        split=chosen,
    )


def rows(folder: Path, name: str) -> Iterator[dict[str, object]]:
    """Yield the objects of `name`.jsonl or `name`.jsonl.gz."""
    for path in (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz"):
        if path.exists():
            yield from lines(path)
            return
    raise DataError(f"{folder} has no {name}.jsonl or {name}.jsonl.gz.")


def lines(path: Path) -> Iterator[dict[str, object]]:
    """Yield the objects of a JSONL file, plain or gzipped; raise DataError naming a bad line."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _object(line.decode("utf-8"), path, number)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error


def _object(line: str, path: Path, number: int) -> dict[str, object]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {number} is not JSON: {error.msg}.") from error
    if not isinstance(row, dict):
        raise DataError(f"{path}, line {number} is not a JSON object.")
    return row


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file, delimiter="\t"):
            if len(row) < 3 or row[0] == "query-id":
                continue
            qrels.setdefault(row[0], {})[row[1]] = int(float(row[2]))
    return qrels

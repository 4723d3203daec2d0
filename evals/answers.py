"""Score answers to questions with known quotes, answerable or not: is the right thing said, and only then?

Knows nothing about how answers are made; it is given one outcome per question.
CRAG score: +1 right, 0 refused, -1 wrong, averaged (Yang et al. 2024, CRAG, section 3).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals import beir, metrics

_MARKUP = re.compile(r"[*_`|\\]|\[|\]\([^)]*\)|<[^>]+>")

PART_CHARS = 15
"""A marked part that is shorter does not count as a part of a longer quote."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question with its truth: `path` and `quote` are None when nothing answers it.

    `any_of` are shorter forms of the fact, which stand on `path` or one of `alt_paths`. Where there is
    neither quote nor short form, those pages are the fact as a whole.
    """

    question_id: str
    question: str
    answerable: bool
    path: str | None
    quote: str | None
    kind: str = ""
    any_of: tuple[str, ...] = ()
    alt_paths: tuple[str, ...] = ()

    @property
    def pages(self) -> tuple[str, ...]:
        """The pages on which the fact stands."""
        return (self.path, *self.alt_paths) if self.path else ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the bot did: `pages` and `quotes` best first, whatever it decided; `refused` = not found."""

    confidence: float
    refused: bool
    pages: tuple[str, ...]
    quotes: tuple[str, ...]


def labelled(path: Path) -> list[Labelled]:
    """Read questions with known quotes; raise DataError naming what is missing."""
    rows = []
    for number, row in enumerate(beir.lines(path), start=1):
        try:
            rows.append(
                Labelled(
                    question_id=str(row.get("id", number)),
                    question=str(row["question"]),
                    answerable=bool(row["answerable"]),
                    path=_text(row.get("path")),
                    quote=_text(row.get("quote")),
                    kind=str(row.get("kind", "")),
                    any_of=_texts(row.get("any_of")),
                    alt_paths=_texts(row.get("alt_paths")),
                )
            )
        except KeyError as error:
            raise beir.DataError(f"{path}, row {number} has no {error.args[0]!r}.") from error
    return rows


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()


def same_text(text: str) -> str:
    """Reduce Markdown to its words, so that markup and line breaks do not decide a comparison."""
    return " ".join(_MARKUP.sub(" ", text).casefold().split())


def holds(passage: str, quote: str) -> bool:
    """Tell whether a passage says the quote."""
    return same_text(quote) in same_text(passage)


def tells(row: Labelled, page: str, text: str) -> bool:
    """Tell whether a text of a page says the fact: the whole quote, or a short form on one of its pages."""
    if not row.answerable:
        return False
    if row.quote and holds(text, row.quote):
        return True
    is_there = any(same_page(page, wanted) for wanted in row.pages)
    if not (row.quote or row.any_of):
        return is_there
    return is_there and any(_says(text, form) for form in row.any_of)


def marks(row: Labelled, page: str, text: str) -> bool:
    """Tell whether a marked part of a page says the fact, or is a part of what says it."""
    facts = [fact for fact in (row.quote, *row.any_of) if fact]
    return tells(row, page, text) or any(
        len(text) >= PART_CHARS and holds(fact, text) for fact in facts
    )


def _says(text: str, form: str) -> bool:
    """Look for a short form as words of their own: "$150" is not said by "$1,500" or "$1500"."""
    wanted = re.escape(same_text(form))
    return re.search(rf"(?<![\w$.,]){wanted}(?![\w]|[.,]\d)", same_text(text)) is not None


def is_right(row: Labelled, outcome: Outcome) -> bool:
    """Tell whether the first passage is the one that answers: right page and the quote in it."""
    if not (row.answerable and outcome.quotes and row.quote and row.path):
        return False
    return same_page(outcome.pages[0], row.path) and holds(outcome.quotes[0], row.quote)


def same_page(found: str, wanted: str) -> bool:
    """Compare two paths, either of which may carry leading folders."""
    a, b = found.strip("/"), wanted.strip("/")
    return a == b or a.endswith("/" + b) or b.endswith("/" + a)


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares of 0-1 over all questions asked; `crag` is of -1 to 1, `ece` the calibration error.

    `intervals` holds the 95 % interval of the measures that have one, by their name.
    """

    questions: int
    answerable: int
    quote_first: float  # of the answerable: right page and quote in the first passage
    page_first: float
    page_top5: float
    refused_unanswerable: float
    refused_answerable: float
    crag: float
    coverage_at_80: float  # the share that could be answered with 80 % of it right
    ece: float
    intervals: Mapping[str, metrics.Interval]


def score(rows: Sequence[Labelled], outcomes: Sequence[Outcome]) -> Scores:
    """Score one outcome per question, in the same order."""
    pairs = list(zip(rows, outcomes, strict=True))
    answerable = [(r, o) for r, o in pairs if r.answerable]
    right = [is_right(r, o) for r, o in answerable]
    page_first = [bool(o.pages) and same_page(o.pages[0], r.path or "") for r, o in answerable]
    page_top5 = [any(same_page(p, r.path or "") for p in o.pages[:5]) for r, o in answerable]
    refused = [o.refused for r, o in pairs if not r.answerable]
    missed = [o.refused for _, o in answerable]
    crag = [0 if o.refused else (1 if is_right(r, o) else -1) for r, o in pairs]
    told = [(o.confidence, is_right(r, o)) for r, o in pairs]
    return Scores(
        questions=len(pairs),
        answerable=len(answerable),
        quote_first=_share(right),
        page_first=_share(page_first),
        page_top5=_share(page_top5),
        refused_unanswerable=_share(refused),
        refused_answerable=_share(missed),
        crag=round(sum(crag) / len(crag), 4) if crag else 0.0,
        coverage_at_80=coverage(told, 0.8),
        ece=round(metrics.ece([c for c, _ in told], [is_good for _, is_good in told]), 4),
        intervals={
            "quote_first": _interval(right),
            "page_first": _interval(page_first),
            "page_top5": _interval(page_top5),
            "refused_unanswerable": _interval(refused),
            "refused_answerable": _interval(missed),
            "crag": _mean_interval(crag),
        },
    )


def coverage(answers: Sequence[tuple[float, bool]], accuracy: float) -> float:
    """Give the largest share that can be answered, most confident first, with that accuracy."""
    ordered = sorted(answers, key=lambda pair: -pair[0])
    best = right = 0
    for count, (_, is_correct) in enumerate(ordered, start=1):
        right += is_correct
        if right / count >= accuracy:
            best = count
    return round(best / len(ordered), 4) if ordered else 0.0


def by_kind(rows: Sequence[Labelled], outcomes: Sequence[Outcome]) -> Mapping[str, tuple[int, int]]:
    """Count (right or rightly refused, asked) for each kind of question."""
    counts: dict[str, tuple[int, int]] = {}
    for row, outcome in zip(rows, outcomes, strict=True):
        good = is_right(row, outcome) if row.answerable else outcome.refused
        done, asked = counts.get(row.kind, (0, 0))
        counts[row.kind] = (done + good, asked + 1)
    return counts


def _share(flags: Sequence[bool]) -> float:
    return round(sum(flags) / len(flags), 4) if flags else 0.0


def _interval(flags: Sequence[bool]) -> metrics.Interval:
    low, high = metrics.wilson(sum(flags), len(flags))
    return round(low, 3), round(high, 3)


def _mean_interval(values: Sequence[float]) -> metrics.Interval:
    low, high = metrics.bootstrap_mean(values)
    return round(low, 3), round(high, 3)

"""Pairs of a question and a passage, read from sets in the layouts that they come in.

Knows nothing about networks or tokens. A passage answers with a slice of it, as a whole, or not at all; the
last are near passages of the same document or set, which an encoder takes for an answer.
"""

import bisect
import gzip
import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]
Encode = Callable[[Sequence[str]], NDArray[np.float32]]

WINDOW_CHARS = 700
"""Longer texts are cut into passages of about this length, between sentences."""

LONGEST_CHARS = 1500
"""The longest passage; an answer that makes its passage longer is left out."""

NEAREST = 5
"""A passage that does not answer is drawn among so many that are nearest to the question."""

POOL = 300
"""Passages of a set among which that of a one-passage document looks for near ones: each has to be encoded, and
in a set of 16,000 sections that took more time than the training."""

HELD_OUT = 0.1
"""Share of the documents that nothing is trained on, chosen by a hash of their name."""

LICENSED = ("qamr", "policyqa", "covidqa", "medquad")
"""Sets that may be trained on when the weights are given away: MIT, MIT, Apache-2.0, CC BY 4.0.

CLAP NQ and MTRAG are Apache-2.0 too, but the bot is measured on them. SQuADShifts comes without a licence and
XQuAD is CC BY-SA: for measuring only."""

EACH_PASSAGE, EACH_SENTENCE = 2, 4
"""Questions on one passage, at most; more where a set has dozens on each, set among other sentences each time."""

LISTED, UNSIGNED = 0.4, 0.5
"""Shares of the pairs whose passage becomes a list, and whose question loses its question mark."""

ITEM = "- "

_END = re.compile(r"[.!?]\s+|\n\n")


class PairsError(Exception):
    """A set cannot be read; the message names it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and a passage under its heading.

    `spans` are the slices that answer: several where people disagreed, none where nothing does, None where
    the passage answers as a whole. `document` is where the passage is from.
    """

    question: str
    heading: str
    passage: str
    spans: tuple[Span, ...] | None
    from_set: str
    document: str

    @property
    def is_relevant(self) -> bool:
        return self.spans != ()

    @property
    def is_held_out(self) -> bool:
        digest = hashlib.sha256(f"{self.from_set}\0{self.document}".encode()).digest()
        return int.from_bytes(digest[:4], "big") / 2**32 < HELD_OUT


@dataclass(frozen=True, slots=True)
class Collection:
    """A set: its questions, and all its passages by their text, each with its heading and document."""

    name: str
    pairs: tuple[Pair, ...]
    passages: Mapping[str, tuple[str, str]]


def read(folder: Path) -> Collection:
    """Read all questions of a set with the passages that answer them, and those that it says do not.

    Raises PairsError when the folder's layout is not known.
    """
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    rows = [file for file in files if ".jsonl" in file.suffixes]
    texts = [file for file in files if ".json" in file.suffixes]
    found, passages = list[Pair](), dict[str, tuple[str, str]]()
    try:
        for file in texts:
            _add_squad(folder.name, json.loads(_text(file)), found, passages)
        for file in rows:
            for line in filter(str.strip, _text(file).splitlines()):
                _add_row(folder.name, json.loads(line), found, passages)
    except (KeyError, TypeError, ValueError) as error:
        raise PairsError(f"{folder} cannot be read: {type(error).__name__} {error}.") from error
    if not found:
        raise PairsError(
            f"{folder} holds no set: SQuAD's JSON, or rows (JSONL) with question and passage."
        )
    return Collection(folder.name, tuple(found), passages)


def sets(folder: Path) -> list[Path]:
    """Give the folders of the sets under a folder; raises PairsError."""
    if not folder.is_dir():
        raise PairsError(f"{folder} is no folder of sets.")
    return sorted(each for each in folder.iterdir() if each.is_dir())


def _add_squad(
    name: str, content: Any, found: list[Pair], passages: dict[str, tuple[str, str]]
) -> None:
    """Read SQuAD's layout; texts that are longer than a passage are cut into windows."""
    for article in content["data"]:
        title = str(article.get("title") or "").replace("_", " ")
        # Not its number, which is another one in a part of the set, and the same in two files.
        document = title or next((p["context"] for p in article["paragraphs"]), "")
        for paragraph in article["paragraphs"]:
            text, windows = paragraph["context"], _windows(paragraph["context"])
            passages |= {text[a:b]: (title, document) for a, b in windows}
            for row in paragraph["qas"]:
                spans = [
                    (a["answer_start"], a["answer_start"] + len(a["text"]))
                    for a in row.get("answers") or ()
                ]
                if not spans:
                    continue
                start, end = _around(windows, spans[0])
                inside = tuple((a - start, b - start) for a, b in spans if start <= a and b <= end)
                if end - start <= LONGEST_CHARS and inside:
                    found.append(
                        Pair(row["question"], title, text[start:end], inside, name, document)
                    )


def _add_row(
    name: str, row: dict[str, Any], found: list[Pair], passages: dict[str, tuple[str, str]]
) -> None:
    """Read a row: a question with its sentence and answer, its section, or its passage."""
    question, title = str(row["question"]).strip(), str(row.get("title") or "")
    spans: tuple[Span, ...] | None = None
    if "answer_start" in row:
        text, start = row["context"], row["answer_start"]
        spans = ((start, start + len(row["answer"])),)
    else:
        text = row["passage"][:LONGEST_CHARS]
        if "selected" in row:
            told = [(text.find(each), len(each)) for each in row["selected"]]
            spans = tuple((at, at + size) for at, size in told if at >= 0)
    passages[text] = (title, title or text)
    found.append(Pair(question, title, text, spans, name, title or text))


def mixed(given: Collection, encode: Encode, *, most: int, seed: int) -> list[Pair]:
    """Draw at most so many of a set's questions, each with its passage and with a near one that does not answer.

    Single sentences are set among near ones, so that there is something to choose from.
    """
    chance = random.Random(f"{seed} {given.name}")
    told = _various([pair for pair in given.pairs if pair.is_relevant], chance)[:most]
    untold = [pair for pair in given.pairs if not pair.is_relevant]
    untold = chance.sample(untold, min(len(untold), most)) or _near(told, given, encode, chance)
    made = [*told, *untold]
    if all(len(p.passage) < WINDOW_CHARS and p.spans is not None and not p.heading for p in told):
        made = _among(made, given, encode, chance)
    chance.shuffle(made)
    return made


def restyled(given: Iterable[Pair], seed: int) -> list[Pair]:
    """Make some pairs look like what a bot meets: sentences as a list's items, questions without their sign."""
    chance = random.Random(seed)
    made = []
    for pair in given:
        if chance.random() < LISTED:
            pair = _listed(pair)
        if chance.random() < UNSIGNED:
            pair = replace(pair, question=pair.question.rstrip("? "))
        made.append(pair)
    return made


def _listed(pair: Pair) -> Pair:
    """Write every sentence as an item of a list."""
    ends = [match.end() for match in _END.finditer(pair.passage)]
    starts = [0, *(end for end in ends if end < len(pair.passage))]
    text, moved = "", list[int]()
    for start, end in zip(starts, [*starts[1:], len(pair.passage)], strict=True):
        moved.append(len(text) + len(ITEM) - start)
        text += f"{ITEM}{pair.passage[start:end].rstrip()}\n"

    def place(at: int) -> int:
        return at + moved[bisect.bisect_right(starts, at) - 1]

    # A slice may end in the space after a sentence, which is not there any more.
    spans = pair.spans and tuple(
        (place(a), place(a + len(pair.passage[a:b].rstrip()) - 1) + 1) for a, b in pair.spans
    )
    return replace(pair, passage=text.rstrip("\n"), spans=spans)


def _various(pairs: Iterable[Pair], chance: random.Random) -> list[Pair]:
    """Keep in random order a few questions on each passage, and forty passages of one question."""
    drawn = list(pairs)
    chance.shuffle(drawn)
    each = (
        EACH_SENTENCE
        if drawn and len(drawn) > 20 * len({p.passage for p in drawn})
        else EACH_PASSAGE
    )
    of_passage, of_question = Counter[str](), Counter[str]()
    kept = []
    for pair in drawn:
        if of_passage[pair.passage] < each and of_question[pair.question] < 40:
            kept.append(pair)
            of_passage[pair.passage] += 1
            of_question[pair.question] += 1
    return kept


def _near(
    told: Sequence[Pair], given: Collection, encode: Encode, chance: random.Random
) -> list[Pair]:
    """Give each question one of the nearest passages that do not answer it: of its document where that has others."""
    found = []
    for pair, near in _nearest(_others(told, given, chance), encode):
        text = chance.choice(near)
        heading = given.passages[text][0]
        found.append(Pair(pair.question, heading, text, (), given.name, pair.document))
    return found


def _others(
    told: Sequence[Pair], given: Collection, chance: random.Random
) -> list[tuple[Pair, list[str]]]:
    """Give each question the passages of its document that do not answer it, or some of the set's."""
    pool = chance.sample(list(given.passages), min(len(given.passages), POOL))
    answering, of_document = dict[str, set[str]](), dict[str, list[str]]()
    for pair in given.pairs:
        answering.setdefault(pair.question, set()).add(pair.passage)
    for text, (_, document) in given.passages.items():
        of_document.setdefault(document, []).append(text)
    found = []
    for pair in told:
        near = of_document.get(pair.document, [])
        near = near if len(near) > 1 else pool
        own = answering[pair.question]
        others = [text for text in near if text not in own and not _tells(text, pair)]
        if others:
            found.append((pair, others))
    return found


def _nearest(
    given: Sequence[tuple[Pair, list[str]]], encode: Encode
) -> list[tuple[Pair, list[str]]]:
    """Keep the nearest passages of each question; few need no encoding."""
    many = [(pair, others) for pair, others in given if len(others) > NEAREST]
    texts = list(dict.fromkeys(text for _, others in many for text in others))
    vectors = dict(zip(texts, encode(texts), strict=True))
    kept = [(pair, others) for pair, others in given if len(others) <= NEAREST]
    for (pair, others), vector in zip(
        many, encode([pair.question for pair, _ in many]), strict=True
    ):
        cosines = np.stack([vectors[text] for text in others]) @ vector
        kept.append((pair, [others[i] for i in np.argsort(-cosines)[:NEAREST].tolist()]))
    return kept


def _tells(text: str, pair: Pair) -> bool:
    """Whether another passage holds the same words that answer."""
    return any(pair.passage[a:b] in text for a, b in pair.spans or ())


def _among(
    made: Sequence[Pair], given: Collection, encode: Encode, chance: random.Random
) -> list[Pair]:
    """Set single sentences among up to four of the sentences nearest to them."""
    sentences = list(given.passages)
    vectors = encode(sentences)
    at = {text: number for number, text in enumerate(sentences)}
    joined = []
    for pair in made:
        near = np.argsort(-(vectors @ vectors[at[pair.passage]]))[1:13].tolist()
        others = [sentences[i] for i in chance.sample(near, min(4, len(near)))]
        place = chance.randint(0, len(others))
        before = "".join(f"{text} " for text in others[:place])
        after = "".join(f" {text}" for text in others[place:])
        spans = pair.spans and tuple((a + len(before), b + len(before)) for a, b in pair.spans)
        text = before + pair.passage + after
        joined.append(Pair(pair.question, pair.heading, text, spans, given.name, pair.document))
    return joined


def _windows(text: str) -> list[Span]:
    """Cut a text into slices of about WINDOW_CHARS that end where a sentence does."""
    if len(text) <= LONGEST_CHARS:
        return [(0, len(text))]
    windows, start = list[Span](), 0
    for end in [*(match.end() for match in _END.finditer(text)), len(text)]:
        if end - start > WINDOW_CHARS or end == len(text):
            windows.append((start, end))
            start = end
    return windows


def _around(windows: Sequence[Span], span: Span) -> Span:
    """Give the window in which an answer begins, made longer where it ends later."""
    start, end = next((a, b) for a, b in windows if a <= span[0] < b)
    return start, max(end, span[1])


def _text(file: Path) -> str:
    if file.suffix == ".gz":
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            return stream.read()
    return file.read_text(encoding="utf-8")

"""Fills a store with many made-up chunks: random directions, words as common as in real text.

Knows nothing about what is measured on them.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from bot.services import Services
from store.index import builds, documents, embedders
from store.records import EVERYONE, Chunk, Document, Viewer

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
VOCABULARY = 20_000
WORDS = 60
SENTENCE = 12
PER_DOCUMENT = 10
PER_BATCH = 1000
FEW = "C0FEW"
"""The audience of every hundredth document."""

ALL = Viewer((EVERYONE, FEW))
ONE_PERCENT = Viewer((FEW,))


def vocabulary(questions: Sequence[str]) -> list[str]:
    """Give words, the commonest first: those of the questions are among the common ones."""
    asked = sorted({w for q in questions for w in re.findall(r"[a-z]{4,}", q.lower())})
    made = (f"{_syllables(n)}" for n in range(VOCABULARY))
    words = ["company", "people"]  # one, and nearly two, words that stand in almost every chunk
    mixed = [word for pair in zip(asked, made, strict=False) for word in pair]
    return list(dict.fromkeys([*words, *mixed, *made]))


def _syllables(number: int) -> str:
    parts = []
    for _ in range(3):
        number, rest = divmod(number, 70)
        parts.append("bdfgklmnprstvz"[rest % 14] + "aeiou"[rest // 14])
    return "".join(parts)


def fill(services: Services, count: int, questions: Sequence[str], seed: int = 7) -> None:
    """Store `count` chunks as one live source called `filler`, a batch per transaction."""
    random = np.random.default_rng(seed)
    words = np.array(vocabulary(questions))
    chances = 1.0 / (np.arange(len(words)) + 2.7)
    chances /= chances.sum()
    embedder = services.embedder
    with services.database.connection() as connection:
        number = embedders.ensure_embedder(
            connection, services.workspace, embedder.name, embedder.dims
        )
        build = builds.choose(connection, services.workspace, "filler", number, "filler", NOW)
    for start in range(0, count, PER_BATCH):
        size = min(PER_BATCH, count - start)
        drawn = random.choice(words, (size, WORDS), p=chances)
        made = list(_documents(start, drawn))
        vectors = list(unit(random, size, embedder.dims))
        with services.database.connection() as connection:
            documents.replace(connection, services.workspace, build, made, vectors, NOW)


def unit(random: np.random.Generator, count: int, dims: int) -> NDArray[np.float32]:
    """Give (count, dims) random vectors of length one."""
    vectors = random.standard_normal((count, dims), dtype=np.float32)
    normalised: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return normalised


def _documents(start: int, drawn: NDArray[np.str_]) -> Iterator[Document]:
    for row in range(0, len(drawn), PER_DOCUMENT):
        number = (start + row) // PER_DOCUMENT
        title = f"Page {number}"
        bodies = [_body(words) for words in drawn[row : row + PER_DOCUMENT]]
        chunks = tuple(
            Chunk(n, f"Part {n}", body, hashlib.sha256(body.encode()).digest())
            for n, body in enumerate(bodies)
        )
        audience = (FEW,) if number % 100 == 0 else (EVERYONE,)
        path = f"filler/{number}.md"
        digest = hashlib.sha256(path.encode()).digest()
        yield Document(path, "1", digest, title, None, NOW, audience, chunks)


def _body(words: Sequence[str]) -> str:
    sentences = (words[i : i + SENTENCE] for i in range(0, len(words), SENTENCE))
    return " ".join(" ".join(sentence).capitalize() + "." for sentence in sentences)

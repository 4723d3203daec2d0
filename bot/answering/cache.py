"""Asking again: gives what was found before for the same question, while nothing that it was made of has changed.

Knows nothing about how answers are found, nor when what is kept is out of date: the store's counters tell that.
"""

import functools
import hashlib
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from bot.answering import asking, history
from bot.answering.answerer import normalized
from bot.answering.policy import is_asking
from bot.answering.request import Request
from store import cache
from store.database import Connection, Database
from store.index import codes
from store.records import Answer

SIGNAL = "cache"
"""Signal of an answer that was found before: when it was, in seconds since 1970."""

KEPT = ("answered", "unsure", "not_found")
"""Statuses of what the documents were searched for."""

_MARKS = ".,;:!?\"'()[]{}“”‘’«»…"
"""Marks at the edge of a word. Those within one tell things apart: 1.8 is not 18, nor is -5 the same as 5."""


class Answering(Protocol):
    """What finds answers (bot.answering.answerer.Answerer)."""

    def answer(self, request: Request) -> Answer:
        """Find an answer."""

    def standing(self) -> str:
        """Tell all that an answer depends on beside the request and what is stored."""


class Cache:
    """Answers for one workspace, by what was found before where it can; shared by the worker's threads."""

    def __init__(self, database: Database, workspace: str, answerer: Answering) -> None:
        """`answerer` finds what was not found before."""
        self._database, self._workspace, self._answerer = database, workspace, answerer

    def answer(self, request: Request) -> Answer:
        """Answer one message; raises store.database.StoreGone when the database is lost."""
        started = time.perf_counter()
        if not _is_whole(request):
            return self._answerer.answer(request)
        key = self._key(request)
        with self._database.connection() as connection:
            look = self._look(connection, key, request)
            if look.answer:
                cache.used(connection, self._workspace, key, look.state)
        if look.answer and look.asked_at:
            return _again(look.answer, look.asked_at, request, started)
        # Searches go to the replica, where there is one: is it as far?
        with self._database.reading() as connection:
            is_level = self._look(connection, key, request).state == look.state
        answer = self._answerer.answer(request)
        if is_level and _is_kept(answer) and key == self._key(request):
            self._keep(key, look.state, request, answer)
        return answer

    def _keep(self, key: bytes, state: cache.State, request: Request, answer: Answer) -> None:
        """Keep an answer, unless something has changed while it was looked for."""
        with self._database.connection() as connection:
            if self._look(connection, key, request).state == state:
                cache.put(connection, self._workspace, key, state, answer, datetime.now(UTC))

    def _look(self, connection: Connection, key: bytes, request: Request) -> cache.Look:
        return cache.look(connection, self._workspace, key, request.viewer, request.sources)

    def _key(self, request: Request) -> bytes:
        """Make the key of a question: what it says, how it is treated, and what would answer it."""
        question = normalized(request.text)
        parts = asking.two(question) or (question,)
        # What the policy does with a message depends on where it stands only so far.
        is_overheard = request.origin == "channel"
        where = (is_overheard, request.origin == "thread")
        manner = (request.mode, request.strictness) if is_overheard else ()
        sources = None if request.sources is None else sorted(request.sources)
        said = tuple(folded(part) for part in parts), is_asking(question), codes.asked(question)
        told = (said, where, manner, sources, request.chosen, _release(), self._answerer.standing())
        return hashlib.sha256(repr(told).encode()).digest()


def folded(question: str) -> str:
    """Put a question into the form that it is known by: small letters, one space, no marks at the edges of words."""
    words = (word.strip(_MARKS) for word in question.casefold().split())
    return " ".join(word for word in words if word)


def asked_first(signals: Mapping[str, float]) -> datetime | None:
    """Tell when what an answer with these signals says was found; None where it was found for it."""
    return datetime.fromtimestamp(signals[SIGNAL], UTC) if SIGNAL in signals else None


def _is_whole(request: Request) -> bool:
    """Whether it is a question that is understood by itself."""
    question = normalized(request.text)
    return bool(folded(question)) and not history.leans(question, history.recent(request.earlier))


def _is_kept(answer: Answer) -> bool:
    """Whether it came from the documents: what was never there may come, and a kept reply names a person."""
    is_found = bool(answer.passages and answer.vector) and not answer.understood
    return is_found and answer.status in KEPT and "faq" not in answer.versions


def _again(answer: Answer, asked_at: datetime, request: Request, started: float) -> Answer:
    """Give an answer to who asks now, as one of their own."""
    took = round((time.perf_counter() - started) * 1000, 2)
    return replace(
        answer,
        answer_id=uuid4(),
        question=normalized(request.text),
        signals={**answer.signals, SIGNAL: asked_at.timestamp()},
        timings_ms={"cache": took, "total": took},
    )


@functools.cache
def _release() -> str:
    """Name the release and this very code, which an update from a checkout changes: another may answer otherwise."""
    here = Path(__file__).parent
    return f"{version('threadwise')} {code_of(here, Path(codes.__file__).parent)}"


def code_of(*folders: Path) -> str:
    """Give a hash of the files that lie in the folders."""
    digest = hashlib.sha256()
    for file in sorted(each for folder in folders for each in folder.iterdir() if each.is_file()):
        digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()

"""Gaps: what people asked without getting a good answer, grouped by topic, and tried again.

Knows nothing about Slack. Where a question was asked decides whether it may name its gap; that is handed in.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering

from bot.answering import asking
from bot.answering.lifecycle import Answers
from bot.answering.request import Request
from bot.services import Services
from store import gaps
from store.gaps import Cause, Central, Group, Member, Unmet
from store.index import embedders
from store.records import EVERYONE, Viewer

WINDOW = timedelta(days=90)
"""How far back questions are grouped; what was asked before keeps its gap."""

MOST = 2000
"""Questions that are grouped, the latest: their cosines pair by pair take 32 MB."""

APART = 0.5
"""Mean cosine distance from which two groups of questions stay two gaps. Of 26 intents of CLINC150 with eight
messages each it makes 64 groups (homogeneity .94), of 100 questions for different facts 98 (LOG.md)."""

TRIED = 3
"""The most central questions of a gap that stand for it when it is tried again."""

GAPS_TRIED = 100
"""Gaps that are tried after a run, those that changed last: at about 100 ms a question half a minute."""

TITLES, TITLE_QUESTIONS = 50, 8
"""Gaps that get a title at a time, and questions that each is made from."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """A gap that is answered now, and by what."""

    gap_id: UUID
    cause: Cause


def group(services: Services, is_public: Callable[[str], bool], now: datetime) -> int:
    """Group the questions of WINDOW that found no good answer anew; gives how many gaps there are.

    `is_public` tells whether every member may read a channel.
    """
    workspace = services.workspace
    with services.database.connection() as connection:
        serving = embedders.serving(connection, workspace)
        if serving is None:
            return 0
        number = embedders.embedder_id(serving)
        found = gaps.unmet(connection, workspace, number, now - WINDOW, MOST)
    known = {channel: is_public(channel) for channel in {q.channel for q in found if _may_be(q)}}
    groups = grouped(found, {channel for channel, public in known.items() if public})
    with services.database.connection() as connection:
        gaps.regroup(connection, workspace, groups, now)
    entitle(services)
    log.info("gaps_grouped questions=%d gaps=%d", len(found), len(groups))
    return len(groups)


def entitle(services: Services) -> int:
    """Let the LLM, where there is one, give titles to gaps without one; gives how many it gave.

    It sees public questions alone, and only of the channels in which answers may be phrased. Without it, or where its title is of
    no use, the most central question names a gap, as ever.
    """
    if services.llm is None:
        return 0
    workspace, given = services.workspace, 0
    with services.database.connection() as connection:
        found = gaps.untitled(
            connection, workspace, limit=TITLES, each=TITLE_QUESTIONS,
            channels=services.settings.llm_channels,
        )  # fmt: skip
    for gap in found:
        title = services.title(gap.texts)
        if title is None:
            continue
        given += 1
        with services.database.connection() as connection:
            gaps.entitle(connection, workspace, gap, title)
    return given


def grouped(found: Sequence[Unmet], public: set[str]) -> list[Group]:
    """Group questions by their vectors; a group goes on as the gap that most of its questions belonged to.

    Of two groups that come of one gap, the one with more of its questions keeps it.
    """
    if not found:
        return []
    vectors = _unit(np.array([each.vector for each in found], dtype=np.float32))
    labels = _clustered(vectors)
    parts = [np.flatnonzero(labels == n).tolist() for n in range(int(labels.max()) + 1)]
    owner: dict[UUID, tuple[int, int]] = {}
    for n, part in enumerate(parts):
        before = Counter(gap for i in part if (gap := found[i].gap_id))
        for gap_id, size in before.most_common(1):
            if size > owner.get(gap_id, (0, 0))[0]:
                owner[gap_id] = size, n
    kept = {n: gap_id for gap_id, (_, n) in owner.items()}
    return [
        _as_gap([found[i] for i in part], vectors[part], kept.get(n), public)
        for n, part in enumerate(parts)
    ]


def retry(services: Services, answer: Answers, wait: Callable[[], None]) -> list[Answered]:
    """Ask the central questions of the gaps that wait again; give the gaps most of whose are answered now.

    `wait` is called before each question, so that people's questions go first. A text that people disliked
    as an answer is none.
    """
    with services.database.connection() as connection:
        found = gaps.central(connection, services.workspace, limit=GAPS_TRIED, most=TRIED)
    answered = []
    for gap_id, each in groupby(found, key=lambda one: one.gap_id):
        causes = []
        for question in each:
            wait()
            causes.append(_cause(question, answer, services.settings.max_question))
        given = [cause for cause in causes if cause]
        if 2 * len(given) > len(causes):
            answered.append(Answered(gap_id, given[0]))
    return answered


def _cause(question: Central, answer: Answers, max_question: int) -> Cause | None:
    """Name what answers a question now, for who asked it; None where nothing does."""
    own = (question.channel, question.person) if question.is_private else (question.channel,)
    asked = asking.read(question.body, max_question)
    earlier = (asked.told,) if asked.told else ()
    found = answer(Request(asked.text, Viewer((EVERYONE, *own)), earlier=earlier))
    if found.status != "answered":
        return None
    if "faq" in found.versions:
        return "reply"
    shown = found.passages[0].text_hash if found.passages else None
    return None if question.disliked and shown == question.disliked else "document"


def _may_be(question: Unmet) -> bool:
    """Whether it can have been asked in public, as far as the message itself tells."""
    return not question.is_private and question.origin != "terminal"


def _as_gap(
    found: Sequence[Unmet], vectors: NDArray[np.float32], gap_id: UUID | None, public: set[str]
) -> Group:
    middle = _unit(vectors.mean(axis=0, keepdims=True))[0]
    members = tuple(
        Member(each.question_id, _is_public(each, public), each.is_disliked, float(near))
        for each, near in zip(found, vectors @ middle, strict=True)
    )
    return Group(gap_id, members, max(each.asked_at for each in found))


def _is_public(question: Unmet, public: set[str]) -> bool:
    """What is typed in the terminal is the installation's own."""
    return question.origin == "terminal" or (_may_be(question) and question.channel in public)


def _clustered(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """Number the groups of n unit vectors from 0 on."""
    if len(vectors) == 1:
        return np.zeros(1, dtype=np.int64)
    model = AgglomerativeClustering(
        n_clusters=None, metric="cosine", linkage="average", distance_threshold=APART
    )
    return np.asarray(model.fit_predict(vectors), dtype=np.int64)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length 1; a row of zeros gets a length that says nothing."""
    vectors = np.where(np.any(vectors, axis=1, keepdims=True), vectors, np.float32(1e-3))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / lengths, dtype=np.float32)

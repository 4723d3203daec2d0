"""Answers: one per question, where it was posted, and all that is needed to explain it.

Knows nothing about Slack, and nothing about how an answer was found.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID, uuid4

from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from store.database import Connection
from store.records import Answer, Citation, Passage, Phrasing, Rewriting, Sentence, Shown, Status
from store.values import halfvec, storable

Record = TypeVar("Record", Citation, Passage)

Posting = Literal["new", "open", "busy"]
"""What is known of earlier tries to post an answer."""

_SELECT = """
SELECT a.answer_id, q.body, a.status, a.confidence, a.body, a.citations, a.passages, q.intent,
       coalesce(q.intent_confidence, 0), a.signals, a.versions, q.timings, a.hints,
       a.shown, coalesce(a.understood, ''), a.phrasing, a.rewriting
FROM answers a JOIN questions q USING (workspace_id, question_id) WHERE a.workspace_id = %s
"""


def record(
    connection: Connection,
    workspace: str,
    question_id: UUID,
    answer: Answer,
    vector: Sequence[float] | None,
    embedder_id: int | None,
    now: datetime,
) -> Answer:
    """Keep a question's answer and give the kept one: an earlier one stays as it is.

    `vector` is the question's, by the encoder `embedder_id`; both are None when nothing was searched.
    """
    added = connection.execute(
        "INSERT INTO answers (workspace_id, answer_id, question_id, status, confidence, body,"
        " citations, passages, signals, versions, hints, shown, understood, phrasing, rewriting,"
        " embedder_id, embedding, created_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::halfvec, %s)"
        " ON CONFLICT (workspace_id, question_id) DO NOTHING",
        (
            workspace,
            answer.answer_id,
            question_id,
            answer.status,
            answer.confidence,
            None if answer.body is None else storable(answer.body),
            _rows(answer.citations),
            _rows(answer.passages),
            Jsonb(dict(answer.signals)),
            Jsonb(dict(answer.versions)),
            _rows(answer.hints),
            _seen(answer.shown),
            storable(answer.understood) or None,
            _phrased(answer.phrasing),
            _rewritten(answer.rewriting),
            embedder_id,
            None if vector is None else halfvec(connection, vector),
            now,
        ),
    )
    if added.rowcount:
        _keep_intent(connection, workspace, question_id, answer)
    kept = of(connection, workspace, question_id)
    assert kept is not None
    return kept


def of(connection: Connection, workspace: str, question_id: UUID) -> Answer | None:
    """Find the answer that was recorded for a question."""
    row = connection.execute(
        f"{_SELECT} AND a.question_id = %s", (workspace, question_id)
    ).fetchone()
    return _answer(row) if row else None


def get(connection: Connection, workspace: str, answer_id: UUID | str) -> Answer | None:
    """Find an answer by its id or by an unambiguous beginning of at least six hex digits."""
    digits = str(answer_id).replace("-", "").lower()
    if not re.fullmatch(r"[0-9a-f]{6,32}", digits):
        return None
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    rows = connection.execute(
        f"{_SELECT} AND a.answer_id BETWEEN %s AND %s LIMIT 2", (workspace, first, last)
    ).fetchall()
    return _answer(rows[0]) if len(rows) == 1 else None


def at(connection: Connection, workspace: str, channel: str, ts: str) -> UUID | None:
    """Name the answer that was posted as this message; None when it is not one of ours."""
    row = connection.execute(
        "SELECT answer_id FROM answers WHERE workspace_id = %s AND channel = %s AND posted_ts = %s",
        (workspace, channel, ts),
    ).fetchone()
    return row[0] if row else None


def posted(
    connection: Connection,
    workspace: str,
    answer_id: UUID,
    channel: str,
    ts: str | None,
) -> None:
    """Keep where an answer stands; `ts` is None for one that only the asker saw."""
    connection.execute(
        "UPDATE answers SET channel = %s, posted_ts = coalesce(%s, posted_ts)"
        " WHERE workspace_id = %s AND answer_id = %s",
        (channel, ts, workspace, answer_id),
    )


def posted_at(
    connection: Connection, workspace: str, answer_id: UUID
) -> tuple[str, str | None] | None:
    """Give the channel and message of an answer that was delivered; None when it was not."""
    row = connection.execute(
        "SELECT channel, posted_ts FROM answers"
        " WHERE workspace_id = %s AND answer_id = %s AND channel IS NOT NULL",
        (workspace, answer_id),
    ).fetchone()
    return (row[0], row[1]) if row else None


def status(connection: Connection, workspace: str, answer_id: UUID) -> Status | None:
    """Give the status of an answer as it was shown."""
    row = connection.execute(
        "SELECT status FROM answers WHERE workspace_id = %s AND answer_id = %s",
        (workspace, answer_id),
    ).fetchone()
    return row[0] if row else None


def withhold(
    connection: Connection, workspace: str, answer_id: UUID, signals: Mapping[str, float]
) -> None:
    """Note that an answer was not shown, since its readers may not see it; `signals` say why.

    What was found stays with it, for whoever asks why.
    """
    connection.execute(
        "UPDATE answers SET status = 'not_found', signals = signals || %s"
        " WHERE workspace_id = %s AND answer_id = %s",
        (Jsonb(dict(signals)), workspace, answer_id),
    )


def drop(connection: Connection, workspace: str, answer_id: UUID) -> None:
    """Forget an answer that nobody has seen, so that its question can be answered anew."""
    row = connection.execute(
        "DELETE FROM answers WHERE workspace_id = %s AND answer_id = %s AND posted_ts IS NULL"
        " AND channel IS NULL RETURNING question_id",
        (workspace, answer_id),
    ).fetchone()
    connection.execute(
        "UPDATE questions SET attempts = 0 WHERE workspace_id = %s AND question_id = %s",
        (workspace, row and row[0]),
    )


def withdraw(
    connection: Connection, workspace: str, question_id: UUID
) -> Literal["none", "dropped", "seen"]:
    """Forget a question's answer unless somebody may have seen it or was told of it."""
    dropped = connection.execute(
        "DELETE FROM answers WHERE workspace_id = %s AND question_id = %s AND posted_ts IS NULL"
        " AND channel IS NULL AND posting_at IS NULL AND handed_over_at IS NULL",
        (workspace, question_id),
    )
    if dropped.rowcount:
        return "dropped"
    return "none" if of(connection, workspace, question_id) is None else "seen"


def begin_posting(
    connection: Connection, workspace: str, answer_id: UUID, lease_seconds: float
) -> Posting:
    """Note that an answer is about to be posted, and say what is known of earlier tries.

    `new`: none is open. `open`: one ended without saying whether it was posted, so look first.
    `busy`: one began less than `lease_seconds` ago and may still be under way.
    """
    row = connection.execute(
        "UPDATE answers a SET posting_at = now() FROM (SELECT posting_at FROM answers"
        " WHERE workspace_id = %(workspace)s AND answer_id = %(answer)s FOR UPDATE) before"
        " WHERE a.workspace_id = %(workspace)s AND a.answer_id = %(answer)s"
        " AND (before.posting_at IS NULL"
        " OR before.posting_at < now() - make_interval(secs => %(lease)s))"
        " RETURNING before.posting_at IS NOT NULL",
        {"workspace": workspace, "answer": answer_id, "lease": lease_seconds},
    ).fetchone()
    if row is None:
        return "busy"
    return "open" if row[0] else "new"


def end_posting(connection: Connection, workspace: str, answer_id: UUID, *, is_open: bool) -> None:
    """Note that a try to post failed; `is_open` says that it may have been posted all the same."""
    connection.execute(
        "UPDATE answers SET posting_at = CASE WHEN %s THEN '-infinity'::timestamptz END"
        " WHERE workspace_id = %s AND answer_id = %s",
        (is_open, workspace, answer_id),
    )


def hand_over(connection: Connection, workspace: str, answer_id: UUID) -> None:
    """Note that those who take over were told."""
    connection.execute(
        "UPDATE answers SET handed_over_at = now() WHERE workspace_id = %s AND answer_id = %s",
        (workspace, answer_id),
    )


def is_handed_over(connection: Connection, workspace: str, answer_id: UUID) -> bool:
    """Whether those who take over were told."""
    row = connection.execute(
        "SELECT handed_over_at IS NOT NULL FROM answers WHERE workspace_id = %s AND answer_id = %s",
        (workspace, answer_id),
    ).fetchone()
    return row == (True,)


def take_turn(
    connection: Connection, workspace: str, channel: str, pace: float, after: float = 0.0
) -> float:
    """Reserve the channel's next turn to post, `pace` seconds behind the one before it.

    Gives in how many seconds it is, at least `after`; the server's clock alone counts.
    """
    row = connection.execute(
        "INSERT INTO channel_turns (workspace_id, channel, next_at)"
        " VALUES (%(workspace)s, %(channel)s, now() + make_interval(secs => %(after)s + %(pace)s))"
        " ON CONFLICT (workspace_id, channel) DO UPDATE SET next_at ="
        " greatest(channel_turns.next_at, now() + make_interval(secs => %(after)s))"
        " + make_interval(secs => %(pace)s)"
        " RETURNING extract(epoch FROM next_at - now())::float8 - %(pace)s",
        {"workspace": workspace, "channel": channel, "pace": pace, "after": after},
    ).fetchone()
    assert row is not None
    return float(max(row[0], 0.0))


def packed(answer: Answer) -> Jsonb:
    """Give what an answer says, shows and was decided by, without its id, its question and its vector."""
    return Jsonb(
        {
            "status": answer.status,
            "confidence": answer.confidence,
            "body": None if answer.body is None else storable(answer.body),
            "citations": _rows(answer.citations).obj,
            "passages": _rows(answer.passages).obj,
            "hints": _rows(answer.hints).obj,
            "shown": _seen(answer.shown).obj,
            "intent": answer.intent,
            "intent_confidence": answer.intent_confidence,
            "signals": dict(answer.signals),
            "versions": dict(answer.versions),
        }
    )


def unpacked(row: dict[str, Any], vector: Sequence[float]) -> Answer:
    """Read what `packed` gave, as an answer with an id of its own to no question yet."""
    return Answer(
        answer_id=uuid4(),
        question="",
        status=row["status"],
        confidence=row["confidence"],
        body=row["body"],
        citations=_read(Citation, row["citations"]),
        passages=_read(Passage, row["passages"]),
        intent=row["intent"],
        intent_confidence=row["intent_confidence"],
        signals=row["signals"],
        versions=row["versions"],
        hints=_read(Citation, row["hints"]),
        vector=tuple(vector),
        shown=_shown(row["shown"]),
    )


def _keep_intent(connection: Connection, workspace: str, question_id: UUID, answer: Answer) -> None:
    connection.execute(
        "UPDATE questions SET intent = %s, intent_confidence = %s, timings = %s"
        " WHERE workspace_id = %s AND question_id = %s",
        (
            answer.intent,
            answer.intent_confidence,
            Jsonb(dict(answer.timings_ms)),
            workspace,
            question_id,
        ),
    )


def _rows(records: Sequence[Citation] | Sequence[Passage]) -> Jsonb:
    return Jsonb([_plain(dataclasses.asdict(record)) for record in records])


def _seen(shown: Sequence[Shown]) -> Jsonb:
    return Jsonb(
        [
            {
                "text": storable(each.text),
                "marked": [storable(part) for part in each.marked],
                "path": storable(each.path),
                "heading": storable(each.heading),
            }
            for each in shown
        ]
    )


def _shown(rows: Sequence[dict[str, Any]]) -> tuple[Shown, ...]:
    return tuple(
        Shown(each["text"], tuple(each["marked"]), each["path"], each["heading"]) for each in rows
    )


def _phrased(phrasing: Phrasing | None) -> Jsonb | None:
    if phrasing is None:
        return None
    row = dataclasses.asdict(phrasing)
    written = [each | {"text": storable(each["text"])} for each in row["sentences"]]
    return Jsonb(row | {"sentences": written, "model": storable(phrasing.model)})


def _phrasing(row: dict[str, Any] | None) -> Phrasing | None:
    if row is None:
        return None
    sentences = tuple(Sentence(s["text"], tuple(s["quotes"])) for s in row["sentences"])
    return Phrasing(sentences, tuple(row["sent"]), row["model"], row["seconds"], row["drops"])


def _rewritten(rewriting: Rewriting | None) -> Jsonb | None:
    if rewriting is None:
        return None
    row = dataclasses.asdict(rewriting)
    return Jsonb(row | {key: storable(row[key]) for key in ("text", "model")})


def _rewriting(row: dict[str, Any] | None) -> Rewriting | None:
    if row is None:
        return None
    return Rewriting(row["text"], row["model"], row["seconds"], row["dropped"])


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    when = row["updated_at"]
    texts = {key: storable(value) for key, value in row.items() if isinstance(value, str)}
    return row | texts | {"updated_at": when.isoformat() if when else None}


def _read(kind: type[Record], rows: Sequence[dict[str, Any]]) -> tuple[Record, ...]:
    """Make records of kept rows. What a newer process beside this one wrote besides is left out."""
    known = {field.name for field in dataclasses.fields(kind)}
    return tuple(kind(**{k: v for k, v in _timed(row).items() if k in known}) for row in rows)


def _timed(row: dict[str, Any]) -> dict[str, Any]:
    when = row["updated_at"]
    return row | {
        "updated_at": datetime.fromisoformat(when) if when else None,
        "left_out": tuple(row.get("left_out") or ()),
    }


def _answer(row: TupleRow) -> Answer:
    return Answer(
        answer_id=row[0],
        question=row[1],
        status=row[2],
        confidence=row[3],
        body=row[4],
        citations=_read(Citation, row[5]),
        passages=_read(Passage, row[6]),
        intent=row[7],
        intent_confidence=row[8],
        signals=row[9],
        versions=row[10],
        timings_ms=row[11],
        hints=_read(Citation, row[12]),
        shown=_shown(row[13]),
        understood=row[14],
        phrasing=_phrasing(row[15]),
        rewriting=_rewriting(row[16]),
    )
